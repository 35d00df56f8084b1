import { monitorEventLoopDelay } from 'node:perf_hooks'
import { OK, RED, YELLOW, type StatusProvider, type StatusResult } from 'fastify-svc-status'

/** The histogram is about a timer that fires so often, and counts that time too. */
const resolution = 10

/** How late the slowest of a hundred timers fired since it was last asked: YELLOW from 100 ms, RED from 1 s. */
export class EventLoop implements StatusProvider {
  readonly #histogram = monitorEventLoopDelay({ resolution })

  constructor () {
    this.#histogram.enable()
  }

  getStatus (): StatusResult {
    const delay = Math.max(0, Math.round(this.#histogram.percentile(99) / 1e6 - resolution))
    this.#histogram.reset()
    return {
      state: delay < 100 ? OK : delay < 1000 ? YELLOW : RED,
      detail: `${delay} ms late`,
      metrics: { delay_seconds: delay / 1000 }
    }
  }

  /** The plugin calls it when the app closes. */
  stop (): void {
    this.#histogram.disable()
  }
}
