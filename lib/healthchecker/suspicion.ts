/** Targets that began to fail within so many milliseconds failed together: the longest interval, and the longest check. */
const together = 360_000

/** Of fewer than these, more than half is no sign of anything. */
const fewest = 3

export interface Failing {
  /** How many fail, and began to lately. */
  readonly lately: number
  readonly failing: number
  /** How many are checked. */
  readonly of: number
}

/** Whether a fleet suspects itself: from when more than half of all fail together, until no more than half fail. */
export function suspects (suspected: boolean, { lately, failing, of }: Failing): boolean {
  if (of < fewest) return false
  return (suspected ? failing : lately) * 2 > of
}

/** Who fails, and since when. */
export class FailingTargets<T> {
  /** In the order in which they began. */
  readonly #lately = new Map<T, number>()
  readonly #long = new Set<T>()

  failed (target: T, now: number): void {
    if (!this.#long.has(target) && !this.#lately.has(target)) this.#lately.set(target, now)
  }

  /** It does not fail, or is not checked, any more. */
  recovered (target: T): void {
    this.#lately.delete(target)
    this.#long.delete(target)
  }

  /** @param of how many are checked */
  count (now: number, of: number): Failing {
    for (const [target, since] of this.#lately) {
      if (now - since < together) break
      this.#lately.delete(target)
      this.#long.add(target)
    }
    return { lately: this.#lately.size, failing: this.#lately.size + this.#long.size, of }
  }
}
