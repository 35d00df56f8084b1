const full = 'one of very many errors'

/** Numbers in place of texts: a hundred thousand apps fail with the same few. 0 is none. */
export class Texts {
  readonly #texts: Array<string | undefined> = [undefined, full]
  readonly #numbers = new Map<string, number>([[full, 1]])
  readonly #most: number

  /** @param most the largest number */
  constructor (most: number) {
    this.#most = most
  }

  number (text: string | undefined): number {
    if (text === undefined) return 0
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    // Whoever answers with an error of its own each time shall not fill the memory.
    if (this.#texts.length > this.#most) return 1
    this.#texts.push(text)
    this.#numbers.set(text, this.#texts.length - 1)
    return this.#texts.length - 1
  }

  text (number: number): string | undefined {
    return this.#texts[number]
  }
}
