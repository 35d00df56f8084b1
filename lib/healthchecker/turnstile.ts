/** Lets so many pass in one turn of the event loop. The others wait for theirs, in the order in which they came. */
export class Turnstile {
  readonly #most: number
  readonly #waiting: Array<() => void> = []
  #passed = 0
  #next: NodeJS.Immediate | undefined

  constructor (most: number) {
    this.#most = most
  }

  async pass (): Promise<void> {
    this.#next ??= setImmediate(() => this.#turn())
    if (this.#passed++ >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #turn (): void {
    const passing = this.#waiting.splice(0, this.#most)
    this.#passed = passing.length
    this.#next = passing.length === 0 ? undefined : setImmediate(() => this.#turn())
    for (const pass of passing) pass()
  }
}
