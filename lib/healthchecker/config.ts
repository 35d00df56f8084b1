import { BlockList, isIP } from 'node:net'
import { codedError, show } from '../core/errors.js'
import { readConfigLines } from './config-file.js'
import { configOptions, type ConfigOption, type OptionName } from './config-options.js'

export type Value = string | number | boolean | readonly string[] | undefined

/** An option and where its value came from. */
export interface Setting {
  readonly option: ConfigOption
  readonly value: Value
  /** For people: `command line (--port)`, `environment (PORT)`, `config file (./config:3)` or `default`. */
  readonly source: string
  /** 0 for the command line, 1 for the environment, 2 for the config file, 3 for the default. */
  readonly rank: number
}

export type Settings = ReadonlyMap<OptionName, Setting>

export interface ConfigInput {
  /** The values of the command line, by the names of the options. */
  readonly args: Readonly<Partial<Record<string, string | boolean | readonly string[]>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text of the config file, its name, and whether every user of this machine may read it. */
  readonly file?: { readonly name: string, readonly text: string, readonly open?: boolean }
}

interface Given { readonly text: string | boolean | readonly string[], readonly source: string, readonly rank: number, readonly what: string }

/**
 * The options of `svc-status serve`: command line before environment before config file before default.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE; a message never shows a secret
 */
export function readConfig (input: ConfigInput): Settings {
  const lines = input.file === undefined ? new Map<OptionName, Given>() : givenIn(input.file)
  const settings = new Map<OptionName, Setting>()
  for (const option of configOptions as readonly (ConfigOption & { name: OptionName })[]) {
    const given = onCommandLine(option, input) ?? inEnvironment(option, input) ?? lines.get(option.name)
    // Each is looked at, also where another goes before it: what is wrong is found before it counts.
    for (const one of [inEnvironment(option, input), lines.get(option.name)]) if (one !== undefined) valueOf(option, one)
    settings.set(option.name, given === undefined
      ? { option, value: option.usual, source: 'default', rank: 3 }
      : { option, value: valueOf(option, given), source: given.source, rank: given.rank })
  }
  checkAddress(settings.get('bind-addr') as Setting)
  checkNetworks(settings.get('allow-targets') as Setting)
  checkSecrets(settings)
  return settings
}

/** Where the config file is, and whether it must be there; it is known before the file is read. */
export function configFileOf ({ args, env }: Pick<ConfigInput, 'args' | 'env'>): { name: string, required: boolean } {
  const [name] = [args.config, env.SVC_STATUS_CONFIG].filter((one) => typeof one === 'string' && one !== '')
  return { name: String(name ?? './config'), required: name !== undefined }
}

function onCommandLine ({ name }: ConfigOption, { args }: ConfigInput): Given | undefined {
  const text = args[name]
  return text === undefined ? undefined : { text, source: `command line (--${name})`, rank: 0, what: `the option --${name}` }
}

/** A variable that is set to nothing is not set: so do files for containers say it. */
function inEnvironment ({ env: variable, once = false }: ConfigOption, { env }: ConfigInput): Given | undefined {
  const text = variable === '' || once ? undefined : env[variable]
  return text === undefined || text === '' ? undefined : { text, source: `environment (${variable})`, rank: 1, what: `the environment variable ${variable}` }
}

function givenIn ({ name: file, text, open = false }: NonNullable<ConfigInput['file']>): Map<OptionName, Given> {
  const given = new Map<OptionName, Given>()
  for (const { name, value, line } of readConfigLines(file, text)) {
    // As for a file of secrets alone; also where another place goes before it, for it is out all the same.
    if (open && isSecret(name)) {
      throw codedError('ERR_INVALID_OPTION', `${file}:${line}: the option "${name}" is a secret, and the file is open to every user of this machine. chmod o= ${file} closes it`)
    }
    given.set(name, { text: value, source: `config file (${file}:${line})`, rank: 2, what: `${file}:${line}: the option "${name}"` })
  }
  return given
}

function isSecret (name: OptionName): boolean {
  return (configOptions as readonly ConfigOption[]).some((option) => option.name === name && option.secret)
}

function valueOf (option: ConfigOption, { text, what }: Given): Value {
  const { kind, secret = false, least = 0, most = 0 } = option
  const wrong = (expected: string): Error => codedError('ERR_INVALID_OPTION', `${what} must be ${expected}${secret ? '' : `, not ${show(text)}`}`)
  if (kind === 'flag') {
    const flag = { true: true, false: false, 1: true, 0: false }[String(text).toLowerCase()]
    if (flag === undefined) throw wrong('true or false')
    return flag
  }
  if (kind === 'list') {
    const items = [text].flat().flatMap((part) => String(part).split(',')).map((item) => item.trim())
    if (items.includes('')) throw wrong('values with commas between them')
    return items
  }
  if (typeof text !== 'string' || text === '') throw wrong('a text')
  if (kind === 'text') return text
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(number)) throw wrong(`a whole number from ${least} to ${most}`)
  if (number < least || number > most) throw codedError('ERR_OPTION_OUT_OF_RANGE', `${what} must be from ${least} to ${most}, not ${number}`)
  return number
}

function checkAddress ({ value, source }: Setting): void {
  const name = String(value)
  if (isIP(name) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name)) {
    throw codedError('ERR_INVALID_OPTION', `the option "bind-addr" must be an address or a host name, not ${show(name)} from ${source}`)
  }
}

function checkNetworks ({ value, source }: Setting): void {
  for (const network of value as readonly string[]) {
    const [, address, prefix] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(network) ?? []
    try {
      new BlockList().addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4')
    } catch {
      throw codedError('ERR_INVALID_OPTION', `the option "allow-targets" must be networks such as 10.0.0.0/8 or fd00::/8, not ${show(network)} from ${source}`)
    }
  }
}

/** The places that one secret may come from. One place of a higher rank goes before another; two of the same rank are a question. */
const places: ReadonlyArray<readonly OptionName[]> = [['token', 'token-file'], ['smtp-url', 'smtp-url-file', 'gmail-token']]

function checkSecrets (settings: Settings): void {
  for (const names of places) {
    const given = givenOf(settings, names)
    const [first, second] = given
    if (second !== undefined && first.rank === second.rank) {
      throw codedError('ERR_INVALID_OPTION', `"${first.option.name}" and "${second.option.name}" are both given, in the ${first.source} and the ${second.source}: one of them must do`)
    }
  }
  const [mail] = givenOf(settings, ['gmail-token', 'smtp-url', 'smtp-url-file'])
  if (mail !== undefined && settings.get('mail-from')?.value === undefined) {
    throw codedError('ERR_INVALID_OPTION', `the option "mail-from" is missing: with "${mail.option.name}", whom mail comes from has to be known`)
  }
}

/** Those that are given, the one that counts first. */
export function givenOf (settings: Settings, names: readonly OptionName[]): Setting[] {
  return names.map((name) => settings.get(name) as Setting).filter(({ value }) => value !== undefined).sort((a, b) => a.rank - b.rank)
}
