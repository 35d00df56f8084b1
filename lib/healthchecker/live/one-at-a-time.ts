import type { Clock } from '../../../types/time.js'

/** For so many times as long as something took, nothing else is begun: all together take a fifth of the time at most. */
const rest = 4

/** Does what costs much one after the other, with rests between. */
export class OneAtATime {
  readonly #clock: Clock
  readonly #later: (wait: number, call: () => void) => unknown
  #turn: Promise<unknown> = Promise.resolve()
  /** On the monotonic clock. */
  #restsUntil = -Infinity

  /** @param later sets a timer */
  constructor (clock: Clock, later: (wait: number, call: () => void) => unknown) {
    this.#clock = clock
    this.#later = later
  }

  async take<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => await this.#begin(work))
    this.#turn = turn.catch(() => {})
    return await turn
  }

  async #begin<T> (work: () => Promise<T>): Promise<T> {
    const wait = this.#restsUntil - this.#clock.monotonic()
    if (wait > 0) await new Promise<void>((resolve) => this.#later(wait, resolve))
    const began = this.#clock.monotonic()
    try {
      return await work()
    } finally {
      const now = this.#clock.monotonic()
      this.#restsUntil = now + (now - began) * rest
    }
  }
}
