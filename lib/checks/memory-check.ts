import { getHeapStatistics } from 'node:v8'
import type { MemoryCheckOptions } from '../../types/checks.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import { knownOptions } from '../core/options.js'
import { worst } from '../core/state.js'
import { Label } from './label.js'
import { above, bytes, more, percent, thresholdsOf, type Thresholds } from './thresholds.js'

const thresholdNames = ['yellowHeapRatio', 'redHeapRatio', 'yellowRssBytes', 'redRssBytes'] as const

/**
 * The memory of this process: how much of V8's heap limit is in use, garbage that was not collected yet included, and the
 * resident set size. The metrics are `heap_used_bytes`, `heap_limit_bytes` and `rss_bytes`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * addStatusHandler('memory', new MemoryCheck({ redHeapRatio: 0.9, yellowRssBytes: 512e6 }))
 */
export class MemoryCheck implements StatusProvider {
  readonly name: string
  readonly #label: Label
  readonly #heap: Thresholds
  readonly #rss: Thresholds

  constructor (options?: MemoryCheckOptions) {
    const known = knownOptions(options, [...thresholdNames, 'name'], 'MemoryCheck')
    const given: MemoryCheckOptions = thresholdNames.some((name) => known[name] !== undefined) ? known : { yellowHeapRatio: 0.85, redHeapRatio: 0.95 }
    this.#heap = thresholdsOf(given, 'yellowHeapRatio', 'redHeapRatio', 1, more)
    this.#rss = thresholdsOf(given, 'yellowRssBytes', 'redRssBytes', Number.MAX_SAFE_INTEGER, more)
    this.#label = new Label('MemoryCheck', 'heap and RSS', known.name)
    this.name = this.#label.name
  }

  getStatus (): Status {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    const rss = process.memoryUsage.rss()
    return {
      state: worst(above(used / limit, this.#heap), above(rss, this.#rss)),
      detail: `heap at ${percent(used / limit)} of ${bytes(limit)}, RSS ${bytes(rss)}`,
      metrics: { heap_used_bytes: used, heap_limit_bytes: limit, rss_bytes: rss }
    }
  }

  toString (): string {
    return this.#label.text
  }
}
