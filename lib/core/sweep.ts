import type { Clock } from '../../types/time.js'

interface Late {
  timeOut (deadline: Deadline): void
}

/**
 * The end of the time of all runs that one sweep started with the same timeout: one timer for them all
 * (a timer each costs 300 ns a run, an `AbortSignal.timeout` ten times as much).
 * The timer keeps the process alive, for somebody awaits these runs.
 */
export class Deadline {
  readonly timeout: number
  readonly clock: Clock
  readonly #runs: Late[] = []
  #open = 0
  #timer: NodeJS.Timeout | undefined

  constructor (timeout: number, clock: Clock) {
    this.timeout = timeout
    this.clock = clock
  }

  add (run: Late): void {
    this.#runs.push(run)
    this.#open++
    this.#timer ??= setTimeout(() => {
      for (const late of this.#runs) late.timeOut(this)
    }, this.timeout)
  }

  met (): void {
    if (--this.#open === 0) clearTimeout(this.#timer)
  }
}

/** One question to many handlers. Synchronous ones answer at once; for the others it waits. */
export class Sweep {
  readonly clock: Clock
  /** When the question was asked. */
  readonly at: number
  /** What the monotonic clock said when it was last read. */
  clockRead: number
  readonly #timeout: number
  readonly #deadlines: Deadline[] = []
  #waitingFor = 0
  #done: (() => void) | undefined

  constructor (clock: Clock, timeout: number) {
    this.clock = clock
    this.at = clock.now()
    this.clockRead = clock.monotonic()
    this.#timeout = timeout
  }

  readClock (): number {
    this.clockRead = this.clock.monotonic()
    return this.clockRead
  }

  deadline (run: Late, timeout = this.#timeout): Deadline {
    let deadline = this.#deadlines.find((candidate) => candidate.timeout === timeout)
    if (deadline === undefined) {
      deadline = new Deadline(timeout, this.clock)
      this.#deadlines.push(deadline)
    }
    deadline.add(run)
    return deadline
  }

  /** One more run to wait for. */
  waitFor (): this {
    this.#waitingFor++
    return this
  }

  settled (): void {
    if (--this.#waitingFor === 0) this.#done?.()
  }

  /** Calls back once nothing is waited for any more; at once where nothing is. */
  whenDone (callback: () => void): void {
    if (this.#waitingFor === 0) callback()
    else this.#done = callback
  }
}
