import type { ConfigOption } from '../healthchecker/config-options.js'
import type { Settings, Value } from '../healthchecker/config.js'
import { aligned, paint } from './lines.js'
import { plain } from './plain.js'

/** Each option, its value, and where that came from, as lines for a terminal; a secret is not shown. */
export function printConfig (settings: Settings): string {
  const rows = [...settings.values()].filter(({ option }) => option.once !== true)
    .map(({ option, value, source }) => [option.name, shownValue(option, value), source].map((text) => ({ text: plain(text) })))
  return aligned(rows).map((line) => `${paint(line, false)}\n`).join('')
}

function shownValue ({ secret = false }: ConfigOption, value: Value): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '-'
  return secret ? '***' : Array.isArray(value) ? value.join(',') : String(value)
}
