/** What an option takes: nothing (it is there or not), a text, a whole number, or a list with commas. */
export type OptionKind = 'flag' | 'text' | 'number' | 'list'

export interface ConfigOption {
  /** The long name on the command line and, with `_` for `-` where one likes, in the config file. */
  readonly name: string
  readonly short?: string
  /** What its value is called in the help. Absent for flags. */
  readonly value?: string
  /** The environment variable. */
  readonly env: string
  readonly kind: OptionKind
  readonly usual?: string | number | boolean | readonly string[]
  readonly least?: number
  readonly most?: number
  /** Never on the command line, which every user of the machine can read; never printed. */
  readonly secret?: boolean
  /** On the command line alone. */
  readonly once?: boolean
  readonly description: string
}

export const usualConfigFile = './config'

/** Every option of `svc-status serve`. `BIND_ADDR`, `PORT`, `DEBUG` and `GMAIL_TOKEN` are the names of the origin. */
export const configOptions = [
  { name: 'bind-addr', value: 'ADDR', env: 'BIND_ADDR', kind: 'text', usual: '127.0.0.1', description: 'the address to listen on; beyond this machine it needs a token, or --open' },
  { name: 'port', short: 'p', value: 'PORT', env: 'PORT', kind: 'number', usual: 8080, least: 0, most: 65_535, description: 'the port to listen on; 0 takes any free one' },
  { name: 'store', value: 'FILE', env: 'SVC_STATUS_STORE', kind: 'text', usual: './healthchecker.db', description: 'the SQLite file that keeps what is known; ":memory:" keeps nothing' },
  { name: 'token', env: 'SVC_STATUS_TOKEN', kind: 'text', secret: true, description: 'the bearer token that every change needs' },
  { name: 'token-file', value: 'FILE', env: 'SVC_STATUS_TOKEN_FILE', kind: 'text', description: 'a file that holds the token, readable by its owner alone' },
  { name: 'open', env: 'SVC_STATUS_OPEN', kind: 'flag', usual: false, description: 'let everybody who can reach it change what is watched, without a token' },
  { name: 'allow-targets', value: 'CIDR,…', env: 'SVC_STATUS_ALLOW_TARGETS', kind: 'list', usual: [], description: 'watch nothing outside these networks, such as 10.0.0.0/8' },
  { name: 'max-apps', value: 'COUNT', env: 'SVC_STATUS_MAX_APPS', kind: 'number', usual: 10_000, least: 1, most: 1_000_000, description: 'how many apps may be registered' },
  { name: 'announce', env: 'SVC_STATUS_ANNOUNCE', kind: 'flag', usual: true, description: 'announce it over mDNS' },
  { name: 'smtp-url', env: 'SVC_STATUS_SMTP_URL', kind: 'text', secret: true, description: 'where mail goes, such as smtps://user:password@mail.example.org' },
  { name: 'smtp-url-file', value: 'FILE', env: 'SVC_STATUS_SMTP_URL_FILE', kind: 'text', description: 'a file that holds the SMTP URL, readable by its owner alone' },
  { name: 'gmail-token', env: 'GMAIL_TOKEN', kind: 'text', secret: true, description: 'in place of an SMTP URL: the app password of the Gmail account in mail-from' },
  { name: 'mail-from', value: 'ADDRESS', env: 'SVC_STATUS_MAIL_FROM', kind: 'text', description: 'whom mail comes from' },
  { name: 'mail-allow', value: 'ADDRESS,…', env: 'SVC_STATUS_MAIL_ALLOW', kind: 'list', usual: [], description: 'who may get mail without the token: addresses, @domains, or *' },
  { name: 'config', value: 'FILE', env: 'SVC_STATUS_CONFIG', kind: 'text', usual: usualConfigFile, description: 'a file with options, one name=value a line; the usual one may be missing' },
  { name: 'verbose', short: 'v', env: 'SVC_STATUS_VERBOSE', kind: 'flag', usual: false, description: 'log every change, and every request for one' },
  { name: 'debug', short: 'd', env: 'DEBUG', kind: 'flag', usual: false, description: 'log what only who looks for a fault wants to know' },
  { name: 'test', short: 't', env: 'SVC_STATUS_TEST', kind: 'flag', usual: false, description: 'check all registered apps once, print the table, and end' },
  { name: 'print-config', env: '', kind: 'flag', usual: false, once: true, description: 'print every option with its value and where it came from, and end' }
] as const satisfies readonly ConfigOption[]

export type OptionName = typeof configOptions[number]['name']
