import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { EventLoopDelayCheckOptions } from '../../types/checks.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { codedError, show } from '../core/errors.js'
import { knownOptions, withMethods } from '../core/options.js'
import { YELLOW } from '../core/state.js'
import { milliseconds, second, whole } from '../core/units.js'
import { Label } from './label.js'
import { seconds } from './pace.js'
import { above, type Thresholds } from './thresholds.js'

interface Delay {
  readonly percentile: number
  readonly max: number
}

const none: Delay = { percentile: 0, max: 0 }

/**
 * How late this process is with its work: the delay of its timers. Measured from the construction on, without keeping the
 * process alive, until `stop()`. The metrics are `delay_seconds`, of the percentile, and `delay_max_seconds`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * addStatusHandler('event_loop', new EventLoopDelayCheck({ percentile: 99, yellowAfter: 50, redAfter: second(1) }))
 */
export class EventLoopDelayCheck implements StatusProvider {
  readonly name: string
  readonly #label: Label
  readonly #percentile: number
  readonly #thresholds: Thresholds
  readonly #window: number
  readonly #resolution: number
  readonly #clock: Clock
  readonly #histogram: IntervalHistogram
  #before = none
  #since: number
  #stopped = false

  constructor (options?: EventLoopDelayCheckOptions) {
    const known = knownOptions(options, ['percentile', 'yellowAfter', 'redAfter', 'window', 'resolution', 'name', 'clock'], 'EventLoopDelayCheck')
    const { percentile = 99, yellowAfter = 100, redAfter = second(1), window = second(10), resolution = 20, clock = systemClock } = known
    withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
    this.#percentile = percentileOf(percentile)
    const red = milliseconds(redAfter, 'the option "redAfter"', 0)
    this.#thresholds = { red, yellow: milliseconds(yellowAfter, 'the option "yellowAfter"', 0, red) }
    this.#window = milliseconds(window, 'the option "window"', 1)
    this.#resolution = whole(milliseconds(resolution, 'the option "resolution"', 1, 1000), 'the option "resolution" in milliseconds', 1, 1000)
    this.#clock = clock
    this.#label = new Label('EventLoopDelayCheck', `${percentile} %`, known.name)
    this.name = this.#label.name
    this.#since = clock.monotonic()
    this.#histogram = monitorEventLoopDelay({ resolution: this.#resolution })
    this.#histogram.enable()
  }

  getStatus (): Status {
    if (this.#stopped) return { state: YELLOW, detail: 'no longer measured, after stop()' }
    const now = this.#clock.monotonic()
    const current: Delay = { percentile: this.#late(this.#histogram.percentile(this.#percentile)), max: this.#late(this.#histogram.max) }
    const before = this.#before
    const full = now - this.#since >= this.#window
    if (full) {
      this.#before = current
      this.#since = now
      this.#histogram.reset()
    }
    // A window that has just begun says little: the one before it counts too.
    const delay = full ? current.percentile : Math.max(current.percentile, before.percentile)
    const max = full ? current.max : Math.max(current.max, before.max)
    return {
      state: above(delay, this.#thresholds),
      detail: `${this.#percentile} % of timers at most ${Math.round(delay)} ms late, all at most ${Math.round(max)} ms`,
      metrics: { delay_seconds: seconds(delay), delay_max_seconds: seconds(max) }
    }
  }

  /** Ends the measuring. A check that is asked afterwards is YELLOW. */
  stop (): void {
    this.#stopped = true
    this.#histogram.disable()
  }

  toString (): string {
    return this.#label.text
  }

  /** The histogram holds the times between two ticks in nanoseconds, the waiting that was asked for included. */
  #late (between: number): number {
    return Math.max(0, between / 1e6 - this.#resolution)
  }
}

function percentileOf (value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw codedError('ERR_INVALID_OPTION', `the option "percentile" must be a number, not ${show(value)}`)
  if (value <= 0 || value > 100) throw codedError('ERR_OPTION_OUT_OF_RANGE', `the option "percentile" must be more than 0 and at most 100, not ${value}`)
  return value
}
