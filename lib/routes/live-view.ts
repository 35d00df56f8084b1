import { LiveParts, type Part } from '../formats/live-parts.js'
import type { Feed } from './followers.js'

/** One page for all who see the same of it: followers are told what of it is new to them. */
export class LiveView implements Feed {
  readonly #parts = new LiveParts()
  /** The elements that were encoded last, and how: mostly all readers are told the same. */
  #encoded: { readonly elements: readonly string[], readonly event: Buffer } | undefined

  /** The version of the page as it is now; 0 as long as there is none. */
  get version (): number {
    return this.#parts.version
  }

  set (parts: Iterable<Part>): void {
    this.#parts.set([...parts])
  }

  since (version: number): { version: number, event: Buffer } | undefined {
    const update = this.#parts.since(version)
    if (update === undefined) return undefined
    const { elements } = update
    if (this.#encoded?.elements !== elements) {
      this.#encoded = { elements, event: Buffer.from(`data: ${JSON.stringify(elements)}\n\n`) }
    }
    return { version: update.version, event: this.#encoded.event }
  }
}
