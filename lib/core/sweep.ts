import type { Clock } from '../../types/time.js'

const settled = Promise.resolve()

interface Late {
  timeOut (deadline: Deadline): void
}

/**
 * The monotonic clock, read once for up to 16 runs that begin or end in the same turn of the microtask queue: reading it
 * costs as much as starting an async function (50 ns of 250 for a whole run on a virtual machine).
 */
export class SharedClock {
  readonly #clock: Clock
  readonly #expire = (): void => {
    this.#uses = 0
    this.#expires = false
  }

  #last = 0
  #uses = 0
  #expires = false

  constructor (clock: Clock) {
    this.#clock = clock
  }

  now (): number {
    return this.#clock.now()
  }

  /** What it says at this moment. */
  read (): number {
    this.#last = this.#clock.monotonic()
    this.#uses = 16
    if (!this.#expires) {
      this.#expires = true
      // Not queueMicrotask(), which makes an AsyncResource of each callback and costs three times as much.
      settled.then(this.#expire)
    }
    return this.#last
  }

  /** What it said a moment ago. */
  recent (): number {
    return --this.#uses > 0 ? this.#last : this.read()
  }
}

/**
 * The end of the time of all runs that one sweep started with the same timeout: one timer for them all
 * (a timer each costs 300 ns a run, an `AbortSignal.timeout` ten times as much).
 * The timer keeps the process alive, for somebody awaits these runs.
 */
export class Deadline {
  readonly timeout: number
  readonly clock: SharedClock
  readonly #runs: readonly Late[]
  #open = 0
  #timer: NodeJS.Timeout | undefined

  /** @param runs all that may be late: they know whether they wait for this one */
  constructor (timeout: number, clock: SharedClock, runs: readonly Late[]) {
    this.#runs = runs
    this.timeout = timeout
    this.clock = clock
  }

  add (): void {
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
  readonly clock: SharedClock
  /** When the question was asked. */
  readonly at: number
  readonly #timeout: number
  readonly #runs: readonly Late[]
  readonly #deadlines: Deadline[] = []
  #waitingFor = 0
  #done: (() => void) | undefined

  constructor (clock: SharedClock, timeout: number, runs: readonly Late[]) {
    this.#runs = runs
    this.clock = clock
    this.at = clock.now()
    this.#timeout = timeout
  }

  /** For a run with this timeout. */
  deadline (timeout = this.#timeout): Deadline {
    let deadline = this.#deadlines[0]?.timeout === timeout ? this.#deadlines[0] : this.#deadlines.find((candidate) => candidate.timeout === timeout)
    if (deadline === undefined) {
      deadline = new Deadline(timeout, this.clock, this.#runs)
      this.#deadlines.push(deadline)
    }
    deadline.add()
    return deadline
  }

  /** One more run to wait for. */
  waitFor (): void {
    this.#waitingFor++
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
