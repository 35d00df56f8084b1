import { AsyncResource } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import type { Snapshot } from '../../types/snapshot.js'
import { mostInOneGo } from '../core/in-slices.js'
import { beatEvery } from '../formats/html-script.js'
import type { LiveFormat } from '../formats/live-format.js'
import { Followers, soon } from './followers.js'
import { LiveView } from './live-view.js'
import { contextOf, type Pipeline } from './pipeline.js'

/**
 * A page that is followed. As long as somebody does, the handlers are asked once in `refresh` for all followers together; what changes
 * between is passed on without asking anybody.
 */
export class LivePage {
  readonly #format: LiveFormat
  readonly #pipeline: Pipeline
  readonly #log: FastifyBaseLogger
  readonly #followers: Followers
  /** By whether they show details. */
  readonly #views = new Map<boolean, LiveView>()
  /** Timers belong to no request: one that is set in the course of one must not keep it, nor log in its name. */
  readonly #later = AsyncResource.bind((wait: number, call: () => void) => setTimeout(call, wait).unref())
  #running = false
  #asking = false
  #nextAsk: NodeJS.Timeout | undefined
  #nextTell: NodeJS.Timeout | undefined
  /** Until when what is shown was taken. */
  #at = 0

  constructor (format: LiveFormat, pipeline: Pipeline, log: FastifyBaseLogger) {
    this.#format = format
    this.#pipeline = pipeline
    this.#log = log
    this.#followers = new Followers({ most: format.listeners, beatEvery })
  }

  /** Why nobody more may follow, or nothing. */
  get refusal (): string | undefined {
    if (!this.#followers.open) return 'all connections for readers who follow the page are taken'
    if (isTooLarge(this.#pipeline.registry.size)) return `a page with more than ${mostInOneGo} status handlers cannot be followed`
  }

  /** A stream for a reply. Ask before for a refusal. */
  follow (details: boolean, response: ServerResponse): Readable {
    let view = this.#views.get(details)
    if (view === undefined) this.#views.set(details, view = new LiveView())
    const stream = this.#followers.add(view, response)
    // Who comes later must not hear what is older than the page it has.
    if (this.#running) this.#showLatest()
    else this.#start()
    return stream
  }

  /** Something else than a measured state changed that the page shows. */
  readonly changed = (): void => {
    if (!this.#running) return
    this.#nextTell ??= this.#later(soon, () => this.#showLatest())
  }

  /** Resolves when nobody follows any more. */
  async close (): Promise<void> {
    await this.#followers.close()
    this.#stop()
  }

  #start (): void {
    this.#running = true
    this.#at = 0
    this.#pipeline.registry.on('change', this.changed)
    this.#ask()
  }

  #stop (): void {
    this.#running = false
    this.#pipeline.registry.off('change', this.changed)
    clearTimeout(this.#nextAsk)
    clearTimeout(this.#nextTell)
    this.#nextTell = undefined
    this.#views.clear()
  }

  /** Never twice at once: the next time is set when all have answered. */
  #ask (): void {
    if (this.#followers.size === 0) return this.#stop()
    const { registry, timeout } = this.#pipeline
    clearTimeout(this.#nextAsk)
    this.#asking = true
    // Never rejects: a handler that fails is RED.
    registry.snapshot({ timeout }).then((snapshot) => {
      this.#asking = false
      if (!this.#running) return
      this.#show(snapshot)
      this.#nextAsk = this.#later(this.#format.refresh, () => this.#ask())
    })
  }

  /** What is known, without asking anybody but one who was never asked: of the time of its newest answer. */
  #showLatest (): void {
    const latest = this.#pipeline.registry.latest()
    if (!this.#asking && latest.entries.some(({ status }) => status === undefined)) return this.#ask()
    this.#show({ ...latest, at: latest.entries.reduce((newest, { at = 0 }) => Math.max(newest, at), this.#at) || latest.at })
  }

  #show (snapshot: Snapshot): void {
    clearTimeout(this.#nextTell)
    this.#nextTell = undefined
    this.#at = snapshot.at
    if (isTooLarge(snapshot.entries.length)) return this.#followers.end()
    try {
      for (const [details, view] of this.#views) {
        if (this.#followers.hears(view)) view.set(this.#format.parts(snapshot, contextOf(this.#pipeline, this.#format.contentTypes[0], details, this.#log)))
        else this.#views.delete(details)
      }
    } catch (err) {
      this.#log.error({ err, format: this.#format.name }, 'a page that is followed could not be rendered')
    }
    this.#followers.tell()
  }
}

function isTooLarge (handlers: number): boolean {
  return handlers > mostInOneGo
}
