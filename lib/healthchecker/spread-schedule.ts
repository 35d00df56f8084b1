import type { Schedule } from '../../types/healthchecker.js'
import type { Clock } from '../../types/time.js'

interface Turn {
  readonly name: string
  readonly interval: number
  /** Where in its interval it has its turn, so that all spread evenly whenever they came. */
  readonly phase: number
  /** The moment that the next turn is jittered around. */
  base: number
  due: number
  /** Where it is in the heap. */
  index: number
}

/** The jitter to either side: the part of an interval, and at most so many milliseconds, since a check that takes all its time ends a second before the next. */
const jitter = { part: 0.01, most: 400 }

/** A thousand apps that answer to "soon" have their turns within so many milliseconds. */
const soonWithin = 2_000

/**
 * How much is done in one go, and how long it waits at least before the next: a timer for each turn would cost a tenth of a check.
 * A check takes 0.15 ms, the first of a process 0.4 ms, and five times as long where a core is shared with the garbage collector's threads.
 */
const batch = { turns: 8, delay: 5 }

/** Fractions of it spread evenly however many there are: https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence */
const golden = (Math.sqrt(5) - 1) / 2

/** One heap and one timer for all apps of this process. */
export class SpreadSchedule implements Schedule {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #turns = new Map<string, Turn>()
  /** The turn that is due first is the first; a parent is never due after its children, 2i + 1 and 2i + 2. */
  readonly #heap: Turn[] = []
  #due: ((name: string, since: number) => void) | undefined
  #sets = 0
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Infinity
  #more: NodeJS.Immediate | undefined

  /** @param random from 0 to less than 1 */
  constructor (clock: Clock, random: () => number = Math.random) {
    this.#clock = clock
    this.#random = random
  }

  set (name: string, interval: number, soon = false): void {
    this.delete(name)
    const now = this.#clock.monotonic()
    const phase = (this.#sets++ * golden % 1) * interval
    const base = nextAfter(now, phase, interval)
    const turn = { name, interval, phase, base, due: base, index: this.#heap.length }
    if (soon) {
      turn.due = now + this.#random() * soonWithin
      // Half an interval to one and a half, until it is back where it spreads evenly.
      turn.base = nextAfter(turn.due + interval / 2, phase, interval) - interval
    }
    this.#turns.set(name, turn)
    this.#heap.push(turn)
    this.#up(turn)
    this.#arm()
  }

  delete (name: string): void {
    const turn = this.#turns.get(name)
    if (turn === undefined) return
    this.#turns.delete(name)
    const last = this.#heap.pop() as Turn
    if (last === turn) return
    this.#put(last, turn.index)
    this.#up(last)
    this.#down(last)
  }

  next (name: string): number | undefined {
    return this.#turns.get(name)?.due
  }

  start (due: (name: string, since: number) => void): void {
    this.#due = due
    this.#arm()
  }

  stop (): void {
    this.#due = undefined
    clearTimeout(this.#timer)
    clearImmediate(this.#more)
    this.#wakesAt = Infinity
    this.#more = undefined
  }

  #arm (): void {
    if (this.#due === undefined || this.#more !== undefined || this.#heap.length === 0) return
    const now = this.#clock.monotonic()
    const delay = Math.max(batch.delay, Math.ceil(this.#heap[0].due - now))
    if (now + delay >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = now + delay
    this.#timer = setTimeout(() => {
      this.#wakesAt = Infinity
      this.#wake()
    }, delay).unref()
  }

  /** Others have their turn between two batches. */
  #wake (): void {
    this.#more = undefined
    const now = this.#clock.monotonic()
    for (let count = 0; this.#heap.length > 0 && this.#heap[0].due <= now; count++) {
      if (count === batch.turns) {
        this.#more = setImmediate(() => this.#wake())
        return
      }
      const turn = this.#heap[0]
      const since = turn.due
      this.#schedule(turn, now)
      this.#due?.(turn.name, since)
      if (this.#due === undefined) return
    }
    this.#arm()
  }

  /** Where a process slept through turns, they are not made up for. */
  #schedule (turn: Turn, now: number): void {
    const { interval, phase } = turn
    turn.base = Math.max(turn.base + interval, nextAfter(now, phase, interval))
    turn.due = turn.base + (2 * this.#random() - 1) * Math.min(interval * jitter.part, jitter.most)
    this.#down(turn)
  }

  #put (turn: Turn, index: number): void {
    this.#heap[index] = turn
    turn.index = index
  }

  #up (turn: Turn): void {
    let { index } = turn
    while (index > 0) {
      const parent = this.#heap[(index - 1) >> 1]
      if (parent.due <= turn.due) break
      const { index: above } = parent
      this.#put(parent, index)
      index = above
    }
    this.#put(turn, index)
  }

  #down (turn: Turn): void {
    let { index } = turn
    for (;;) {
      let child: Turn | undefined = this.#heap[2 * index + 1]
      const right: Turn | undefined = this.#heap[2 * index + 2]
      if (right !== undefined && right.due < child.due) child = right
      if (child === undefined || child.due >= turn.due) break
      const { index: below } = child
      this.#put(child, index)
      index = below
    }
    this.#put(turn, index)
  }
}

/** The first moment after `now` that is `phase` into an interval. */
function nextAfter (now: number, phase: number, interval: number): number {
  return (Math.floor((now - phase) / interval) + 1) * interval + phase
}
