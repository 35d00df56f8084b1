import { AsyncResource } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import type { Fleet, FleetEvents } from '../../../types/healthchecker.js'
import type { Clock } from '../../../types/time.js'
import { beatEvery } from '../../formats/html-script.js'
import type { Part } from '../../formats/live-parts.js'
import { Followers } from '../../routes/followers.js'
import { FollowedPage } from './followed-page.js'
import { OneAtATime } from './one-at-a-time.js'

/** How many may follow at once, and how many pages there may be that differ: each is kept whole, which is some 600 KB at most. */
export const most = { followers: 100, pages: 40 }

/** A page that cannot be made in so many milliseconds cannot be followed. */
const patience = 10_000

/** A page that can be followed. */
export interface LiveSource {
  /** Whether it shows many apps, or one. */
  readonly of: 'list' | 'app'
  /** What it shows: the query, or the name. Who asks for the same follows the same page. */
  readonly key: string
  make (): Promise<Iterable<Part>>
}

export interface LivePagesOptions {
  readonly fleet: Fleet
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** How often a page is made anew where nothing changed, in milliseconds. */
  readonly refresh: number
}

/** The pages that somebody follows. While nobody does, nothing is listened to and no timer runs. */
export class LivePages {
  readonly #options: LivePagesOptions
  readonly #followers = new Followers({ most: most.followers, beatEvery })
  readonly #pages = { list: new Map<string, FollowedPage>(), app: new Map<string, FollowedPage>() }
  /** Timers belong to no request: one that is set in the course of one must not keep it, nor log in its name. */
  readonly #later = AsyncResource.bind((wait: number, call: () => void) => setTimeout(call, wait).unref())
  /** Pages of many apps: each looks through all. */
  readonly #oneAtATime: OneAtATime

  constructor (options: LivePagesOptions) {
    this.#options = options
    this.#oneAtATime = new OneAtATime(options.clock, this.#later)
  }

  /** Why nobody more may follow this page, or nothing. */
  refusal ({ of, key }: LiveSource): string | undefined {
    if (!this.#followers.open) return 'all connections for readers who follow a page are taken'
    if (this.#size >= most.pages && !this.#pages[of].has(key)) return 'as many different pages are followed as can be'
  }

  /** A stream for a reply. Ask before for a refusal. */
  follow (source: LiveSource, response: ServerResponse): Readable {
    const present = this.#pages[source.of].get(source.key)
    const page = present ?? this.#begin(source)
    // Who comes later has a page that is newer than what the others were told last.
    const stream = this.#followers.add(page, response, page.version)
    present?.changed()
    response.once('close', () => {
      if (!this.#followers.hears(page)) this.#end(source, page)
    })
    return stream
  }

  /** Resolves when nobody follows any more. */
  async close (): Promise<void> {
    await this.#followers.close()
  }

  get #size (): number {
    return this.#pages.list.size + this.#pages.app.size
  }

  #begin (source: LiveSource): FollowedPage {
    const { of, key } = source
    const { clock, log, refresh } = this.#options
    if (this.#size === 0) this.#listen('on')
    const page: FollowedPage = new FollowedPage({
      clock,
      refresh,
      later: this.#later,
      make: async () => of === 'app' ? await this.#make(source) : await this.#oneAtATime.take(async () => this.#pages.list.get(key) === page ? await this.#make(source) : []),
      made: () => this.#followers.tell(),
      failed: (err) => {
        log.error({ err, [of]: key }, 'a page that is followed could not be made')
        // Their pages ask for themselves then, and say what they find.
        this.#followers.end(page)
        this.#end(source, page)
      }
    })
    this.#pages[of].set(key, page)
    page.start()
    return page
  }

  #end ({ of, key }: LiveSource, page: FollowedPage): void {
    page.end()
    // One that failed has made room for another before its readers are gone.
    if (this.#pages[of].get(key) !== page) return
    this.#pages[of].delete(key)
    if (this.#size === 0) this.#listen('off')
  }

  async #make (source: LiveSource): Promise<Iterable<Part>> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#later(patience, () => reject(new Error(`it was not made in ${patience} ms`)))
    })
    try {
      return await Promise.race([source.make(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #listen (how: 'on' | 'off'): void {
    const { fleet } = this.#options
    fleet[how]('check', this.#onCheck)
    fleet[how]('transition', this.#onTransition)
    fleet[how]('registered', this.#onApp)
    fleet[how]('deregistered', this.#onApp)
    fleet[how]('trouble', this.#onTrouble)
    // What an app says of itself is no transition.
    fleet.registry[how]('change', this.#onLists)
  }

  readonly #onCheck = (name: FleetEvents['check'][0]): void => this.#pages.app.get(name)?.changed()
  readonly #onTransition = ({ app }: FleetEvents['transition'][0]): void => this.#onApp(app)
  readonly #onApp = (name: string): void => {
    this.#pages.app.get(name)?.changed()
    this.#onLists()
  }

  readonly #onLists = (): void => {
    for (const page of this.#pages.list.values()) page.changed()
  }

  readonly #onTrouble = (): void => {
    for (const page of this.#pages.app.values()) page.changed()
    this.#onLists()
  }
}
