import { readFileSync } from 'node:fs'
import { invalid } from '../core/options.js'
import { whole } from '../core/units.js'

/**
 * The services that one meets most, for systems without a services file.
 * Numbers: https://www.iana.org/assignments/service-names-port-numbers
 */
const common: Readonly<Record<string, number>> = {
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  mail: 25,
  time: 37,
  whois: 43,
  domain: 53,
  gopher: 70,
  finger: 79,
  http: 80,
  www: 80,
  kerberos: 88,
  pop3: 110,
  'pop-3': 110,
  sunrpc: 111,
  nntp: 119,
  ntp: 123,
  imap: 143,
  imap2: 143,
  bgp: 179,
  irc: 194,
  ldap: 389,
  https: 443,
  'microsoft-ds': 445,
  submissions: 465,
  smtps: 465,
  nntps: 563,
  submission: 587,
  ipp: 631,
  ldaps: 636,
  rsync: 873,
  ftps: 990,
  imaps: 993,
  pop3s: 995,
  socks: 1080,
  openvpn: 1194,
  'ms-sql-s': 1433,
  mqtt: 1883,
  nfs: 2049,
  docker: 2375,
  'docker-s': 2376,
  'etcd-client': 2379,
  'etcd-server': 2380,
  'iscsi-target': 3260,
  mysql: 3306,
  'ms-wbt-server': 3389,
  svn: 3690,
  epmd: 4369,
  sip: 5060,
  'sip-tls': 5061,
  'xmpp-client': 5222,
  'xmpp-server': 5269,
  postgresql: 5432,
  postgres: 5432,
  amqps: 5671,
  amqp: 5672,
  redis: 6379,
  'syslog-tls': 6514,
  ircd: 6667,
  'http-alt': 8080,
  'secure-mqtt': 8883,
  git: 9418,
  'zabbix-agent': 10050,
  'zabbix-trapper': 10051,
  memcache: 11211,
  memcached: 11211,
  mongodb: 27017
}

/** Where the system keeps the names of its services. */
export function servicesFile (platform: string = process.platform, systemRoot = process.env.SystemRoot ?? 'C:\\Windows'): string {
  return platform === 'win32' ? `${systemRoot}\\System32\\drivers\\etc\\services` : '/etc/services'
}

const read = new Map<string, ReadonlyMap<string, number>>()

/** The TCP services of a file by name and alias; none where it cannot be read. Read once. */
function servicesOf (file: string): ReadonlyMap<string, number> {
  let services = read.get(file)
  if (services === undefined) {
    services = parse(textOf(file))
    read.set(file, services)
  }
  return services
}

function textOf (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** A line is `smtp 25/tcp mail # comment`; the first line of a name counts, as for getservbyname(3). */
function parse (text: string): ReadonlyMap<string, number> {
  const services = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [name, port = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    const number = /^(\d{1,5})\/tcp$/.exec(port)?.[1]
    if (number === undefined) continue
    for (const known of [name, ...aliases]) {
      if (!services.has(known.toLowerCase())) services.set(known.toLowerCase(), Number(number))
    }
  }
  return services
}

/**
 * The number of a port, of its digits, or of a TCP service by its name.
 *
 * @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function portOf (value: unknown, what: string, file = servicesFile()): number {
  if (typeof value === 'number') return whole(value, what, 1, 65_535)
  // A service's name has a letter in it: https://www.rfc-editor.org/rfc/rfc6335#section-5.1
  if (typeof value === 'string' && /^\d+$/.test(value)) return whole(Number(value), what, 1, 65_535)
  const name = typeof value === 'string' ? value.toLowerCase() : ''
  const port = servicesOf(file).get(name) ?? (Object.hasOwn(common, name) ? common[name] : undefined)
  if (port === undefined) throw invalid(what, 'a port from 1 to 65535 or the name of a TCP service such as "smtp"', value)
  return port
}
