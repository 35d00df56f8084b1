/** A check that takes longer, in milliseconds, is a slow one. */
export const patience = 1_000

/** How often is looked for those that became slow. */
const lookEvery = 200

/** So many times the bound may be under way in all: those that became slow meanwhile, of which nobody knew. */
const overflow = 4

/** First in, first out; `shift()` of a large array moves all of it. */
class Queue<T> {
  #items: T[] = []
  #head = 0

  get length (): number {
    return this.#items.length - this.#head
  }

  push (item: T): void {
    this.#items.push(item)
  }

  take (): T {
    const item = this.#items[this.#head++]
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** All that wait. */
  takeAll (): T[] {
    const items = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    return items
  }
}

interface Run {
  readonly started: number
  slow: boolean
}

/**
 * Bounds how many checks are under way. Slow ones have a lane of their own, so that they delay each other and no others:
 * who was slow begins there, and who becomes slow is moved there.
 */
export class Lanes<T> {
  readonly #most: number
  readonly #run: (item: T) => Promise<void>
  readonly #now: () => number
  readonly #waiting = { fast: new Queue<T>(), slow: new Queue<T>() }
  /** In the order in which they began. */
  readonly #fast = new Set<Run>()
  #slow = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param most how many may be under way in each lane
   * @param run must not reject
   * @param now a monotonic clock
   */
  constructor (most: number, run: (item: T) => Promise<void>, now: () => number) {
    this.#most = most
    this.#run = run
    this.#now = now
  }

  /** How many are under way. */
  get running (): number {
    return this.#fast.size + this.#slow
  }

  /** How many wait for a place. */
  get waiting (): number {
    return this.#waiting.fast.length + this.#waiting.slow.length
  }

  add (item: T, slow: boolean): void {
    if (this.#closed) return
    this.#waiting[slow ? 'slow' : 'fast'].push(item)
    this.#fill()
  }

  /** Nothing begins any more. Gives what waited. */
  close (): T[] {
    this.#closed = true
    clearTimeout(this.#timer)
    return [...this.#waiting.fast.takeAll(), ...this.#waiting.slow.takeAll()]
  }

  #fill (): void {
    const { fast, slow } = this.#waiting
    while (fast.length > 0 && this.#fast.size < this.#most && this.running < this.#most * overflow) this.#begin(fast.take(), false)
    while (slow.length > 0 && this.#slow < this.#most) this.#begin(slow.take(), true)
  }

  #begin (item: T, slow: boolean): void {
    const run = { started: this.#now(), slow }
    if (slow) this.#slow++
    else this.#fast.add(run)
    this.#look()
    this.#run(item).finally(() => {
      if (run.slow) this.#slow--
      else this.#fast.delete(run)
      this.#fill()
    })
  }

  /** One timer for all, and none where nothing is under way. */
  #look (): void {
    if (this.#timer !== undefined || this.#fast.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const before = this.#now() - patience
      for (const run of this.#fast) {
        if (run.started > before) break
        this.#fast.delete(run)
        run.slow = true
        this.#slow++
      }
      this.#look()
      this.#fill()
    }, lookEvery).unref()
  }
}
