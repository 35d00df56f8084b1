import type { Clock } from '../../../types/time.js'
import type { Part } from '../../formats/live-parts.js'
import { soon, type Feed } from '../../routes/followers.js'
import { LiveView } from '../../routes/live-view.js'

/** A page is made anew once in so many milliseconds at most, whatever changes. */
const leastBetween = 1_000

export interface FollowedPageOptions {
  readonly clock: Clock
  /** How often it is made anew where nothing is known to have changed, in milliseconds. */
  readonly refresh: number
  readonly make: () => Promise<Iterable<Part>>
  /** Sets a timer that keeps nothing: neither the process nor the request in whose course it is set. */
  readonly later: (wait: number, call: () => void) => NodeJS.Timeout
  /** It was made anew. */
  readonly made: () => void
  /** It could not be made. Nothing comes after that: it is to be ended. */
  readonly failed: (error: unknown) => void
}

/** A page that somebody follows: made soon after something changed on it, once for all who follow, and never twice at once. */
export class FollowedPage implements Feed {
  readonly #options: FollowedPageOptions
  readonly #view = new LiveView()
  #timer: NodeJS.Timeout | undefined
  #making = false
  /** Whether something changed since it was begun to be made. */
  #stale = false
  /** On the monotonic clock. */
  #notBefore = 0
  #ended = false

  constructor (options: FollowedPageOptions) {
    this.#options = options
  }

  start (): void {
    this.#make()
  }

  get version (): number {
    return this.#view.version
  }

  since (version: number): { version: number, event: Buffer } | undefined {
    return this.#view.since(version)
  }

  /** Something that it shows is another. */
  changed (): void {
    if (this.#stale) return
    this.#stale = true
    if (!this.#making) this.#plan()
  }

  /** Nobody follows any more. */
  end (): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  #plan (): void {
    clearTimeout(this.#timer)
    const { clock, later, refresh } = this.#options
    const wait = Math.max(this.#stale ? soon : refresh, this.#notBefore - clock.monotonic())
    this.#timer = later(wait, () => this.#make())
  }

  /** Never rejects. */
  async #make (): Promise<void> {
    const { clock, failed, make, made } = this.#options
    this.#making = true
    this.#stale = false
    try {
      const parts = await make()
      if (this.#ended) return
      this.#view.set(parts)
    } catch (error) {
      if (!this.#ended) failed(error)
      return
    }
    this.#making = false
    this.#notBefore = clock.monotonic() + leastBetween
    this.#plan()
    made()
  }
}
