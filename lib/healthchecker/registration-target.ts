import type { Protocol, Registration } from '../../types/healthchecker.js'
import { show } from '../core/errors.js'
import { refusal, wrong, type Input } from './registration-parameters.js'

export const protocols: readonly Protocol[] = ['TCP', 'HTTP', 'HTTPS', 'SSL']

/** A name of the DNS is no longer: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4. A dot behind it does not count. */
const longestHost = 253
/** https://www.rfc-editor.org/rfc/rfc1123#section-2.1, and underscores, which names in real networks have. */
const hostLabel = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const longestPath = 1_000
const longestUrl = 2_000

export const usualPath = '/healthcheck'

type Target = Pick<Registration, 'protocol' | 'host' | 'port' | 'path'>

/**
 * Where a registration points to: `url`, or `host` (with or without a port) and `port`.
 *
 * @throws ERR_INVALID_REGISTRATION; a message never shows what is before an @, which may be a password
 */
export function targetOf (input: Input): Target {
  const { url, host } = input
  if ((url === undefined) === (host === undefined)) throw refusal('a registration must have either the parameter "url" or the parameter "host"')
  return url === undefined ? targetOfHost(input) : targetOfUrl(input)
}

function targetOfUrl (input: Input): Target {
  const { url, port } = input
  const expected = 'an address such as http://10.0.0.5:8080/health, tcp://db:5432 or ssl://mail:465'
  // A URL would be read as if they were not there.
  const unreadable = typeof url === 'string' && /\p{Cc}/u.test(url)
  if (typeof url !== 'string' || unreadable || url.length > longestUrl) throw wrong('url', `${expected}, of ${longestUrl} characters at most`, shownUrl(url))
  if (port !== undefined) throw refusal('the parameter "port" belongs to "host"; the port of a "url" is in it')
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/is.exec(url) ?? []
  const named = scheme?.toUpperCase()
  const protocol = protocols.find((one) => one === named)
  if (protocol === undefined) throw wrong('url', expected, shownUrl(url))
  if (input.protocol !== undefined && protocolOf(input.protocol) !== protocol) throw wrong('protocol', `${protocol}, as in the url`, input.protocol)
  const parsed = parse(rest, protocol)
  if (parsed === undefined) throw wrong('url', expected, shownUrl(url))
  if (parsed.hash !== '') throw refusal('the parameter "url" must have no #')
  // A router has no /healthcheck: whoever writes http://router/ means what that says. For TCP and SSL it says nothing.
  const inUrl = /[/?\\]/.test(rest) && (web(protocol) || parsed.pathname + parsed.search !== '/')
  if (inUrl && input.path !== undefined) throw refusal('the path must be given once: in the parameter "url" or as "path"')
  return { protocol, ...endOf(parsed, protocol, 'url'), path: pathOf(inUrl ? parsed.pathname + parsed.search : input.path, protocol) }
}

function targetOfHost (input: Input): Target {
  const { host, port, path } = input
  const protocol = protocolOf(input.protocol ?? 'HTTP')
  const expected = 'a host name or an address, with or without a port'
  if (typeof host !== 'string') throw wrong('host', expected, host)
  // More colons than one are those of an IPv6 address.
  const bare = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(host)
  const parsed = /[/?#\s\\]/.test(host) ? undefined : parse(bare ? `[${host}]` : host, protocol)
  if (parsed === undefined) throw wrong('host', expected, shownUrl(host))
  const inHost = /:\d+$/.test(bare ? '' : host)
  if (inHost && port !== undefined) throw refusal('the port must be given once: in the parameter "host" or as "port"')
  const end = endOf(parsed, protocol, 'host')
  return { protocol, host: end.host, port: inHost ? end.port : portOf(port ?? usualPort(protocol)), path: pathOf(path, protocol) }
}

/** A URL that brings host names and addresses, in whatever notation, into one form. */
function parse (rest: string, protocol: Protocol): URL | undefined {
  // Only of these two does it know what a host may be. The port that it leaves out is the usual one.
  const url = `${usualPort(protocol) === 443 ? 'https' : 'http'}://${rest}`
  if (!URL.canParse(url)) return undefined
  const parsed = new URL(url)
  if (parsed.username !== '' || parsed.password !== '' || rest.split(/[/?#]/)[0].includes('@')) {
    throw refusal('a target must have no user name and no password: they would be shown to everybody')
  }
  return parsed
}

function endOf ({ hostname, port }: URL, protocol: Protocol, parameter: 'url' | 'host'): { host: string, port: number } {
  const address = /^\[(.*)\]$/.exec(hostname)?.[1]
  if (address === undefined && !isHostName(hostname)) {
    throw refusal(`the host in the parameter "${parameter}" must be an address, or a name of at most ${longestHost} characters with 1 to 63 letters, digits, "_" and, within, "-" between the dots, not ${show(hostname)}`)
  }
  return { host: address ?? hostname, port: port === '' ? usualPort(protocol) : portOf(Number(port)) }
}

function isHostName (hostname: string): boolean {
  const name = hostname.replace(/\.$/, '')
  return name.length <= longestHost && name.split('.').every((label) => hostLabel.test(label))
}

export function usualPort (protocol: Protocol): number {
  return protocol === 'HTTPS' || protocol === 'SSL' ? 443 : 80
}

function web (protocol: Protocol): boolean {
  return protocol === 'HTTP' || protocol === 'HTTPS'
}

function protocolOf (came: unknown): Protocol {
  const protocol = protocols.find((one) => one === came)
  if (protocol === undefined) throw wrong('protocol', protocols.join(', '), came)
  return protocol
}

function portOf (came: unknown): number {
  if (!Number.isInteger(came) || (came as number) < 1 || (came as number) > 65_535) throw wrong('port', 'a whole number from 1 to 65535', came)
  return came as number
}

function pathOf (came: unknown, protocol: Protocol): string {
  if (!web(protocol)) {
    if (came !== undefined) throw refusal(`a path is for HTTP and HTTPS, not for ${protocol}`)
    return ''
  }
  const path = came ?? usualPath
  // What a request line can hold: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1
  if (typeof path !== 'string' || !/^\/[\x21-\x7e]*$/.test(path) || path.includes('#') || path.length > longestPath) {
    throw wrong('path', `a path such as /health, of ${longestPath} ASCII characters at most`, path)
  }
  return path
}

/** What came, less what may be a password. */
function shownUrl (came: unknown): unknown {
  return typeof came === 'string' ? came.replace(/^.*@/s, '…@') : came
}

/** `http://10.0.0.5:8080/health` of a registration. */
export function urlOf ({ protocol, host, port, path }: Target): string {
  const end = host.includes(':') ? `[${host}]` : host
  return `${protocol.toLowerCase()}://${end}${port === usualPort(protocol) ? '' : `:${port}`}${path}`
}
