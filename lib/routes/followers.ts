import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/** What followers are told: events of a stream of server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface Feed {
  /** What a follower who has a version, 0 being none, does not know yet; nothing where there is nothing new. */
  since (version: number): { readonly version: number, readonly event: Buffer } | undefined
}

/** How long a change waits for others that come with it before followers are told, in milliseconds. */
export const soon = 250

export interface FollowersOptions {
  /** How many there may be. */
  readonly most: number
  /** How often a follower hears something, in milliseconds. */
  readonly beatEvery: number
}

/** How many beats a follower may be too slow to take anything: whoever reads nothing for a minute makes room for another. */
const patience = 4

/** After so many beats, some 15 minutes, a follower has to ask again, and so to pass the app's authentication again. */
const lifetime = 60

/** How long the streams have to end when the app closes, in milliseconds: one whose reader does not read never would. */
const grace = 1_000

/** An event and no comment, so that the page hears it as well as the proxies between. */
const beat = Buffer.from('event: beat\ndata:\n\n')

/**
 * One stream. What it gives is made when its reader has taken what went before: nothing is kept for a slow reader, who hears of the
 * newest only.
 */
class Follower extends Readable {
  readonly feed: Feed
  /** What is no newer than this is older than what the reader has already. */
  readonly #after: number
  #version = 0
  #wants = false
  #toldSinceBeat = true
  #slowFor = 0
  #age = 0

  constructor (feed: Feed, after: number) {
    super({ highWaterMark: 0 })
    this.feed = feed
    this.#after = after
    // Says nothing, but the head of the reply goes out with it.
    this.push('\n')
  }

  override _read (): void {
    this.#wants = true
    this.tell()
  }

  /** Passes on what is new, if the reader is ready for it. */
  tell (): void {
    const news = this.#wants ? this.feed.since(this.#version) : undefined
    if (news === undefined || news.version <= this.#after) return
    this.#version = news.version
    this.#give(news.event)
  }

  /** Keeps the connection open, or ends it when its time is over; gives whether its reader still reads. */
  beat (): boolean {
    this.#slowFor = this.#wants ? 0 : this.#slowFor + 1
    if (++this.#age >= lifetime) this.end()
    else if (this.#wants && !this.#toldSinceBeat) this.#give(beat)
    this.#toldSinceBeat = false
    return this.#slowFor < patience
  }

  end (): void {
    this.#wants = false
    this.push(null)
  }

  #give (bytes: Buffer): void {
    this.#wants = false
    this.#toldSinceBeat = true
    this.push(bytes)
  }
}

/** Those who follow something over a connection that stays open: a bounded number, and all of them gone before the server closes. */
export class Followers {
  readonly #most: number
  readonly #beatEvery: number
  readonly #all = new Map<Follower, ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor ({ most, beatEvery }: FollowersOptions) {
    this.#most = most
    this.#beatEvery = beatEvery
  }

  get size (): number {
    return this.#all.size
  }

  /** Whether one more is let in. */
  get open (): boolean {
    return !this.#closed && this.#all.size < this.#most
  }

  /** Whether anybody follows this. */
  hears (feed: Feed): boolean {
    for (const follower of this.#all.keys()) {
      if (follower.feed === feed) return true
    }
    return false
  }

  /**
   * A stream for a reply, which counts until the reply is over. Ask before whether it is open.
   *
   * @param after the version of the feed that tells this reader nothing: it hears of newer ones only
   */
  add (feed: Feed, response: ServerResponse, after = 0): Readable {
    const follower = new Follower(feed, after)
    this.#all.set(follower, response)
    response.once('close', () => {
      this.#all.delete(follower)
      follower.destroy()
      if (this.#all.size === 0) {
        clearTimeout(this.#timer)
        this.#timer = undefined
      }
    })
    this.#timer ??= this.#beatLater()
    return follower
  }

  /** There is news in a feed. */
  tell (): void {
    for (const follower of this.#all.keys()) follower.tell()
  }

  /** Ends all streams, or those of one feed. */
  end (feed?: Feed): void {
    for (const follower of this.#all.keys()) {
      if (feed === undefined || follower.feed === feed) follower.end()
    }
  }

  /** Ends all streams, and lets nobody in any more. Resolves when they are gone: that of a reader who does not read is cut off. */
  async close (): Promise<void> {
    this.#closed = true
    const gone = [...this.#all.values()].map(async (response) => await new Promise((resolve) => { response.once('close', resolve) }))
    this.end()
    const timer = setTimeout(() => {
      for (const response of this.#all.values()) response.destroy()
    }, grace)
    await Promise.all(gone)
    clearTimeout(timer)
  }

  #beatLater (): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = this.#beatLater()
      for (const [follower, response] of this.#all) {
        if (!follower.beat()) response.destroy()
      }
    }, this.#beatEvery).unref()
  }
}
