import { hour, OK, RED, StateHandler, type Logger } from 'fastify-svc-status'
import type { Visits } from './visits.js'

const interval = 5_000

/** A worker in the background that says itself how it is: `setState` after each of its jobs. */
export class Cleaner extends StateHandler {
  readonly #visits: Visits
  readonly #timer: NodeJS.Timeout
  #jobs = 0

  constructor (visits: Visits, logger: Logger) {
    super({ logger })
    this.#visits = visits
    this.#timer = setInterval(() => this.#job(), interval).unref()
    this.#job()
  }

  #job (): void {
    try {
      const forgotten = this.#visits.forgetBefore(Date.now() - hour(1).milliseconds)
      this.#jobs++
      this.setState(OK, { detail: `job ${this.#jobs} forgot ${forgotten} visits`, metrics: { jobs: this.#jobs } })
    } catch (err) {
      this.logger?.error({ err }, 'the cleaner failed')
      this.setState(RED, { detail: `job ${this.#jobs + 1} failed` })
    }
  }

  /** The plugin calls it when the app closes. */
  stop (): void {
    clearInterval(this.#timer)
  }
}
