/** A part of a page: an element that carries its key as `data-k`, or what stands between such elements. */
export interface Part {
  readonly key?: string
  readonly html: string
}

/** What brings a reader to a version. */
export interface Update {
  readonly version: number
  /** Elements that take the place of those with the same `data-k`. */
  readonly elements: readonly string[]
}

interface Kept extends Part {
  /** The version that brought this text. */
  readonly version: number
}

/**
 * A page in parts, and which of them are new to a reader who has an older version. Nothing is queued for anybody:
 * a reader who was away for ten versions is told the difference to the newest.
 */
export class LiveParts {
  #parts: readonly Kept[] = []
  /** 0 as long as there is nothing to tell. */
  #version = 0
  /** The version since which the parts are those of today, in today's order. */
  #layout = 0
  /** What readers of a version are told: mostly they all have the same one. */
  readonly #updates = new Map<number, Update>()

  get version (): number {
    return this.#version
  }

  /** Takes the page as it is now. Where no part is new it stays the same version. */
  set (parts: readonly Part[]): void {
    const version = this.#version + 1
    const sameLayout = parts.length === this.#parts.length && parts.every(({ key, html }, index) => {
      const last = this.#parts[index]
      return key === last.key && (key !== undefined || html === last.html)
    })
    if (sameLayout && parts.every(({ html }, index) => html === this.#parts[index].html)) return
    this.#parts = parts.map((part, index) => {
      const last = this.#parts[index]
      return sameLayout && part.html === last.html ? last : { ...part, version }
    })
    if (!sameLayout) this.#layout = version
    this.#version = version
    this.#updates.clear()
  }

  /**
   * What a reader who has a version, 0 being none, does not know yet.
   *
   * @returns nothing where there is nothing new
   */
  since (version: number): Update | undefined {
    if (version >= this.#version) return undefined
    let update = this.#updates.get(version)
    if (update === undefined) {
      update = {
        version: this.#version,
        elements: version < this.#layout
          ? [this.#parts.map(({ html }) => html).join('')]
          : this.#parts.filter((part) => part.version > version).map(({ html }) => html)
      }
      this.#updates.set(version, update)
    }
    return update
  }
}
