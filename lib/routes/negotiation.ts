import Negotiator from 'negotiator'
import type { Format } from '../../types/format.js'

export interface Choice {
  readonly format: Format
  readonly contentType: string
}

/**
 * The format and the content type that an `Accept` header asks for, by its q-values; `undefined` where nothing
 * is acceptable. What comes first in the list wins among equals.
 */
export function negotiate (accept: string | undefined, formats: readonly Format[]): Choice | undefined {
  const choices = formats.flatMap((format) => format.contentTypes.map((contentType) => ({ format, contentType })))
  if (accept === undefined || accept === '*/*') return choices[0]
  const wanted = new Negotiator({ headers: { accept: knownParameters(accept) } })
  const best = wanted.mediaTypes(choices.map(({ contentType }) => contentType))[0]
  return choices.find(({ contentType }) => contentType === best)
}

/**
 * Readers send parameters that we have no variants for, such as Prometheus' `escaping=allow-utf-8`, or `charset`.
 * Only the weight says something, and the version of OpenMetrics; any version of the plain text format is served by ours.
 */
function knownParameters (accept: string): string {
  return accept.split(',').map((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim())
    const openMetrics = type.toLowerCase() === 'application/openmetrics-text'
    return [type, ...parameters.filter((parameter) => /^q\s*=/i.test(parameter) || (openMetrics && /^version\s*=/i.test(parameter)))].join(';')
  }).join(',')
}
