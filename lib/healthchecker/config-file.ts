import { codedError, show } from '../core/errors.js'
import { configOptions, type ConfigOption, type OptionName } from './config-options.js'

export interface ConfigLine {
  readonly name: OptionName
  readonly value: string
  /** 1 for the first. */
  readonly line: number
}

const known = (configOptions as readonly (ConfigOption & { name: OptionName })[]).filter(({ once = false, name }) => !once && name !== 'config')

/**
 * The options of a config file: `name=value` a line, with or without quotes around the value; lines that are empty or begin with # count for nothing.
 *
 * @throws ERR_UNKNOWN_OPTION and ERR_INVALID_OPTION with file and line; a message never shows a value, which may be a secret
 */
export function readConfigLines (file: string, text: string): readonly ConfigLine[] {
  const lines: ConfigLine[] = []
  for (const [index, whole] of text.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    const at = `${file}:${index + 1}`
    const trimmed = whole.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(trimmed) ?? []
    if (key === undefined) throw codedError('ERR_INVALID_OPTION', `${at}: a line must be name=value, such as port=8080`)
    // Underscores are how the origin writes them.
    const option = known.find(({ name }) => name === key.toLowerCase().replaceAll('_', '-'))
    if (option === undefined) throw codedError('ERR_UNKNOWN_OPTION', `${at}: there is no option ${show(key)} for a file; there is ${known.map(({ name }) => name).join(', ')}`)
    const before = lines.find(({ name }) => name === option.name)
    if (before !== undefined) throw codedError('ERR_INVALID_OPTION', `${at}: the option "${option.name}" is in line ${before.line} already`)
    lines.push({ name: option.name, value: unquoted(value), line: index + 1 })
  }
  return lines
}

function unquoted (value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value
}
