import type { Clock } from '../../../types/time.js'
import type { Part } from '../../formats/live-parts.js'
import { soon, type Feed } from '../../routes/followers.js'
import { LiveView } from '../../routes/live-view.js'

/** A page is made anew once in so many milliseconds at most, whatever changes. */
const leastBetween = 1_000

/** Of the time in which it is made, it is left alone for so many times as long: to look through 100,000 apps takes a while. */
const rest = 4

/** A page that cannot be made in so many milliseconds cannot be followed. */
const patience = 10_000

export interface FollowedPageOptions {
  readonly clock: Clock
  /** How often it is made anew where nothing is known to have changed, in milliseconds. */
  readonly refresh: number
  readonly make: () => Promise<Iterable<Part>>
  /** Sets a timer that keeps nothing: neither the process nor the request in whose course it is set. */
  readonly later: (wait: number, call: () => void) => NodeJS.Timeout
  /** It was made anew. */
  readonly made: () => void
  /** It could not be made: nothing comes after that. */
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
    const { clock, later, make, made } = this.#options
    const began = clock.monotonic()
    this.#making = true
    this.#stale = false
    this.#timer = later(patience, () => this.#fail(new Error(`it was not made in ${patience} ms`)))
    try {
      const parts = await make()
      if (this.#ended) return
      this.#view.set(parts)
    } catch (error) {
      return this.#fail(error)
    }
    clearTimeout(this.#timer)
    this.#making = false
    const now = clock.monotonic()
    this.#notBefore = now + Math.max(leastBetween, (now - began) * rest)
    this.#plan()
    made()
  }

  #fail (error: unknown): void {
    if (this.#ended) return
    this.end()
    this.#options.failed(error)
  }
}
