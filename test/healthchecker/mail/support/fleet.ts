import { EventEmitter } from 'node:events'
import type { FleetEvents, Owe, WatchedApp } from '../../../../types/healthchecker.js'
import type { Mailer, MailedFleet } from '../../../../lib/healthchecker/mail/mailer.js'
import { MemoryOutbox, suspicion, transition } from './outbox.js'

/** A fleet whose apps change when the test says so; as the real one it stores what is owed before it speaks of it. */
export class ScriptedFleet implements MailedFleet {
  readonly outbox = new MemoryOutbox()
  readonly #apps = new Map<string, WatchedApp>()
  readonly #events = new EventEmitter()
  readonly #owe: Owe
  #notices = 0
  suspected = false

  constructor ({ owe }: Pick<Mailer, 'owe'>) {
    this.#owe = owe
  }

  register (app: WatchedApp): void {
    this.#apps.set(app.registration.name, app)
    this.#events.emit('registered', app.registration.name, 'created')
  }

  deregister (name: string): void {
    this.#apps.delete(name)
    this.#events.emit('deregistered', name)
  }

  becomes (name: string, to: WatchedApp['state'], error?: string): void {
    const before = this.#apps.get(name) as WatchedApp
    const at = Date.now()
    const result = to === 'HEALTHY' ? 'OK' : 'RED'
    const app = { ...before, state: to, since: at, lastCheck: { at, result, duration: 1, ...error !== undefined && { error } } } as const
    this.#apps.set(name, app)
    const notice = transition(++this.#notices, { app: name, from: before.state, to, at, reason: error })
    for (const receiver of this.#owe(notice, app, this.suspected, this)) this.outbox.owe(receiver, notice)
    this.#events.emit('transition', notice)
  }

  suspects (suspected: boolean, failing: number): void {
    this.suspected = suspected
    const notice = suspicion(++this.#notices, { suspected, failing, of: this.#apps.size, at: Date.now() })
    for (const receiver of this.#owe(notice, undefined, suspected, this)) this.outbox.owe(receiver, notice)
    this.#events.emit('suspicion', notice)
  }

  get (name: string): WatchedApp | undefined {
    return this.#apps.get(name)
  }

  [Symbol.iterator] (): Iterator<WatchedApp> {
    return this.#apps.values()
  }

  on<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): void {
    this.#events.on(event, listener as () => void)
  }

  off<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): void {
    this.#events.off(event, listener as () => void)
  }

  /** How many listen. */
  get listeners (): number {
    return this.#events.eventNames().reduce((sum, name) => sum + this.#events.listenerCount(name), 0)
  }
}
