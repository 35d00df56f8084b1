/** What is asked for under a name is done one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T> (name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const turn = (before ?? Promise.resolve()).then(work, work)
    this.#last.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
  }

  /** Resolves when all that was begun is done, however it ended. */
  async settled (): Promise<void> {
    await Promise.allSettled(this.#last.values())
  }
}
