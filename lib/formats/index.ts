import type { Format } from '../../types/format.js'
import type { MetricsOptions, SvcStatusOptions } from '../../types/options.js'
import { codedError, show } from '../core/errors.js'
import { invalid, ofKind } from '../core/options.js'
import { csvFormat } from './csv.js'
import { healthFormat } from './health.js'
import { htmlFormat } from './html.js'
import { jsonFormat } from './json.js'
import { liveName } from './live-format.js'
import { prometheusFormat } from './prometheus.js'

export interface FormatsOptions extends Pick<SvcStatusOptions, 'csv' | 'healthJson' | 'html'> {
  metrics?: MetricsOptions
}

/** The one list of formats. The first answers a reader who takes anything. */
function builtInFormats (options: FormatsOptions): Format[] {
  return [
    csvFormat(options.csv),
    jsonFormat(),
    prometheusFormat(options.metrics),
    healthFormat(options.healthJson),
    htmlFormat(options.html)
  ]
}

/**
 * The built-in formats and those of the user: one with the name of a built-in format takes its place, the others follow.
 *
 * @throws ERR_INVALID_OPTION and whatever the formats throw at their options
 */
export function allFormats (options: FormatsOptions, own: readonly Format[]): readonly Format[] {
  const formats = new Map(builtInFormats(options).map((format) => [format.name, format]))
  for (const [index, format] of own.entries()) {
    checkFormat(format)
    if (own.findIndex(({ name }) => name === format.name) < index) {
      throw codedError('ERR_INVALID_OPTION', `the option "formats" has two formats with the name ${show(format.name)}`)
    }
    formats.set(format.name, format)
  }
  return [...formats.values()]
}

function checkFormat (format: Format): void {
  const what = 'an entry of the option "formats"'
  if (typeof format !== 'object' || format === null) throw invalid(what, 'an object', format)
  if (typeof format.name !== 'string' || !/^[a-z0-9_-]+$/i.test(format.name)) {
    throw invalid(`the name of ${what}`, 'letters, digits, _ and -', format.name)
  }
  if (format.name === liveName) throw invalid(`the name of ${what}`, 'another one: the page is followed at that address', format.name)
  if (!Array.isArray(format.contentTypes) || format.contentTypes.length === 0 || !format.contentTypes.every(isContentType)) {
    throw invalid(`contentTypes of the format "${format.name}"`, 'an array of content types such as "text/plain; charset=utf-8"', format.contentTypes)
  }
  ofKind(format.headers, 'object', `headers of the format "${format.name}"`)
  if (typeof format.render !== 'function') throw invalid(`render of the format "${format.name}"`, 'a function', format.render)
}

function isContentType (value: unknown): boolean {
  return typeof value === 'string' && /^[^\s/;]+\/[^\s/;]+(;.*)?$/.test(value)
}
