import type { RenderContext } from '../../types/format.js'
import type { MetricsRegistry } from '../../types/options.js'
import { within } from '../core/within.js'

/**
 * What other registries print, one after the other. One that fails or hangs is left out and logged: the rest of
 * the scrape is more use without it than nothing.
 */
export async function foreignMetrics (registries: readonly MetricsRegistry[], timeout: number, { contentType, warn }: RenderContext): Promise<string> {
  const texts = await Promise.all(registries.map(async (registry, index) => {
    try {
      const lines = wholeLines(await within(timeout, registry.metrics()))
      return isOpenMetrics(registry.contentType) && !isOpenMetrics(contentType) ? plainText(lines) : lines
    } catch (err) {
      warn({ err, registry: index }, 'a metrics registry failed; its metrics are left out')
      return ''
    }
  }))
  return texts.join('')
}

export function isOpenMetrics (contentType: string): boolean {
  return contentType.startsWith('application/openmetrics-text')
}

/** A sample: name, labels, value. What OpenMetrics puts behind them is a timestamp in seconds and an exemplar. */
const sample = /^([^#\s{]+(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})? [^\s#]+).*$/

/** A reader of the plain text format loses the whole scrape over what only OpenMetrics has. */
function plainText (lines: string): string {
  return lines.split('\n').flatMap((line) => {
    if (/^# HELP /.test(line) || /^# TYPE \S+ (counter|gauge|histogram|summary)$/.test(line)) return [line]
    return line.startsWith('#') ? [] : [line.replace(sample, '$1')]
  }).join('\n')
}

/** Without an end mark, of which a reply has one, and with a line feed at the end. */
function wholeLines (text: string): string {
  const lines = text.replace(/(^|\n)# EOF\n*$/, '$1').trimEnd()
  return lines === '' ? '' : `${lines}\n`
}
