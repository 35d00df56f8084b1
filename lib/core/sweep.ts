import type { Clock } from '../../types/time.js'
import { Alarm } from './alarm.js'

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

  /** What it said is of no use any more. */
  forget (): void {
    this.#uses = 0
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
  #alarm: Alarm | undefined

  /** @param runs all that may be late: they know whether they wait for this one */
  constructor (timeout: number, clock: SharedClock, runs: readonly Late[]) {
    this.#runs = runs
    this.timeout = timeout
    this.clock = clock
  }

  add (): void {
    this.#open++
  }

  /** From when the time counts: not before all have begun, for one that holds up the others must not use up their time. */
  start (): void {
    this.#alarm = Alarm.start(this.timeout, () => {
      for (const late of this.#runs) late.timeOut(this)
    })
  }

  met (): void {
    if (--this.#open === 0) this.#alarm?.stop()
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

  /** All have been asked. */
  startDeadlines (): void {
    for (const deadline of this.#deadlines) deadline.start()
  }

  /** One more run to wait for. */
  waitFor (): void {
    this.#waitingFor++
  }

  settled (): void {
    if (--this.#waitingFor === 0) this.#done?.()
  }

  /** Whether some have not answered yet. */
  get waits (): boolean {
    return this.#waitingFor > 0
  }

  /** Where some have not answered yet: what is made at the moment when all have. */
  whenDone<T> (make: () => T): Promise<T> {
    return new Promise((resolve) => { this.#done = () => resolve(make()) })
  }
}
