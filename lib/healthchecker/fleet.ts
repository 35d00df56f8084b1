import { isDeepStrictEqual } from 'node:util'
import type {
  AppHistory, CheckRecord, Fleet, FleetCounts, FleetEvents, FleetOptions, FleetPage, FleetQuery, FleetStore, Outbox, Registrant, Registration, Schedule, Trouble, WatchedApp
} from '../../types/healthchecker.js'
import type { Registry } from '../../types/registry.js'
import type { State } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { codedError } from '../core/errors.js'
import { inSlices } from '../core/in-slices.js'
import { day } from '../core/units.js'
import { App } from './app.js'
import { Checker } from './checker.js'
import { Checking } from './checking.js'
import { FleetListeners } from './fleet-listeners.js'
import { settingsOf } from './fleet-settings.js'
import { Health } from './health.js'
import { History } from './history.js'
import { keepHours, uptimeOf, withPresent } from './hours.js'
import { Journal } from './journal.js'
import { Keeping } from './keeping.js'
import { Notices } from './notices.js'
import { OwnStatus, refuseOwnName } from './own-status.js'
import { Roster } from './roster.js'
import type { TargetGuard } from './target-guard.js'
import { Troubles } from './troubles.js'
import { Turns } from './turns.js'

/**
 * The apps that are watched, each a status handler: checks them when it is their turn, and keeps what it finds out.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * const fleet = new WatchedFleet({ store: sqliteFleetStore('fleet.db') })
 * await fleet.start()
 */
export class WatchedFleet implements Fleet {
  readonly registry: Registry
  readonly #store: FleetStore
  readonly #schedule: Schedule
  readonly #clock: Clock
  readonly #guard: TargetGuard
  readonly #maxApps: number
  readonly #listeners: FleetListeners
  readonly #roster = new Roster()
  readonly #history = new History()
  readonly #troubles: Troubles
  readonly #journal: Journal
  readonly #notices: Notices
  readonly #checking: Checking
  readonly #keeping: Keeping
  readonly #ownStatus: OwnStatus
  readonly #turns = new Turns()
  /** How many are being registered for the first time. */
  #coming = 0
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor (options?: FleetOptions) {
    const settings = settingsOf(options)
    const { ca, clock, guard, logger, maxConcurrent, owe, pauseAfter, registry, schedule, store } = settings
    this.registry = registry
    this.#store = store
    this.#schedule = schedule
    this.#clock = clock
    this.#guard = guard
    this.#maxApps = settings.maxApps
    this.#listeners = new FleetListeners(logger)
    const emit = this.#listeners.emit.bind(this.#listeners)
    this.#troubles = new Troubles(clock, (troubles) => emit('trouble', troubles))
    this.#journal = new Journal(store, logger, (trouble) => this.#troubles.store(trouble))
    this.#notices = new Notices({ clock, log: logger, journal: this.#journal, history: this.#history, owe, view: (app) => this.#view(app), emit })
    this.#keeping = new Keeping(this.#journal, this.#roster, this.#history)
    this.#checking = new Checking({
      clock,
      checker: new Checker(guard, ca),
      most: maxConcurrent,
      pauseAfter,
      history: this.#history,
      roster: this.#roster,
      notices: this.#notices,
      troubles: this.#troubles,
      schedule: this.#schedule,
      keeping: this.#keeping,
      onCheck: (app, check) => { if (this.#listeners.hears('check')) emit('check', app.name, check) }
    })
    this.#ownStatus = new OwnStatus(registry, this.#troubles, this.#journal, this.#checking)
  }

  async start (): Promise<void> {
    await this.#open()
    await inSlices(this.#roster.all, (apps) => apps.forEach((app) => this.#plan(app)))
    this.#keeping.start()
    this.#schedule.start((name) => this.#checking.due(name))
  }

  async checkOnce (): Promise<void> {
    await this.#open()
    await Promise.all(this.#roster.all.map(async (app) => await this.#checking.once(app)))
  }

  async register (registration: Registration, registrant: Registrant = {}): Promise<'created' | 'changed' | 'unchanged'> {
    const { remote = false, trusted = false } = registrant
    refuseOwnName(registration.name)
    this.#guard.check(registration.host, remote)
    return await this.#inTurn(registration.name, async () => {
      const app = this.#roster.get(registration.name)
      if (app === undefined) return await this.#create(registration, remote, trusted)
      if (isDeepStrictEqual(app.registration, registration) && app.remote === remote && app.trusted === trusted) return 'unchanged'
      await this.#journal.ask([{ kind: 'put', app: { ...app.stored(), registration, remote, trusted } }])
      this.#change(app, registration, remote, trusted)
      return 'changed'
    })
  }

  async deregister (name: string): Promise<boolean> {
    return await this.#inTurn(name, async () => {
      const app = this.#roster.get(name)
      if (app === undefined) return false
      await this.#journal.ask([{ kind: 'remove', name }])
      app.gone = true
      this.#schedule.delete(name)
      this.registry.removeStatusHandler(name)
      this.#roster.remove(app)
      this.#checking.forget(app)
      this.#history.give(app.slot)
      this.#listeners.emit('deregistered', name)
      return true
    })
  }

  async pause (name: string, { by, why }: { by?: string, why?: string } = {}): Promise<boolean> {
    return await this.#inTurn(name, async () => {
      const app = this.#roster.get(name)
      if (app === undefined) return false
      if (app.paused !== undefined) return true
      try {
        await this.#checking.pause(app, { at: this.#clock.now(), by, why })
      } catch (error) {
        this.#plan(app)
        throw error
      }
      return true
    })
  }

  async resume (name: string, by?: string): Promise<boolean> {
    return await this.#inTurn(name, async () => {
      const app = this.#roster.get(name)
      if (app === undefined) return false
      if (app.paused !== undefined) {
        await this.#checking.resume(app, by)
        this.#plan(app, true)
      }
      return true
    })
  }

  get (name: string): WatchedApp | undefined {
    const app = this.#roster.get(name)
    return app === undefined ? undefined : this.#view(app)
  }

  list (query?: FleetQuery): FleetPage {
    return this.#roster.list(query, (app) => this.#view(app))
  }

  async select (query?: FleetQuery): Promise<FleetPage> {
    return await this.#roster.select(query, (app) => this.#view(app))
  }

  * [Symbol.iterator] (): Iterator<WatchedApp> {
    // Others may come and go between two of them.
    for (const app of [...this.#roster.all]) if (!app.gone) yield this.#view(app)
  }

  recent (name: string): readonly CheckRecord[] {
    const app = this.#roster.get(name)
    return app === undefined ? [] : this.#history.checks(app.slot)
  }

  async history (name: string): Promise<AppHistory | undefined> {
    const now = this.#clock.now()
    // What lies ahead was written by a clock that was.
    const past = (await this.#store.hours(name, now - keepHours)).filter(({ at }) => at <= now)
    const app = this.#roster.get(name)
    if (app === undefined) return undefined
    const hours = withPresent(past, this.#history.hour(app.slot))
    const uptime = { day: uptimeOf(hours, now - day(1).milliseconds), week: uptimeOf(hours, now - day(7).milliseconds), month: uptimeOf(hours, now - keepHours) }
    return { checks: this.#history.checks(app.slot), hours, uptime }
  }

  get size (): number {
    return this.#roster.size
  }

  get counts (): FleetCounts {
    return this.#roster.counts
  }

  get state (): State {
    return this.#roster.state
  }

  get trouble (): readonly Trouble[] {
    return this.#troubles.all
  }

  get outbox (): Outbox {
    return this.#store.outbox
  }

  on<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): this {
    this.#listeners.on(event, listener)
    return this
  }

  off<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): this {
    this.#listeners.off(event, listener)
    return this
  }

  async close (): Promise<void> {
    if (this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    this.#schedule.stop()
    this.#checking.close()
    if (!wasOpen) return
    await this.#turns.settled()
    await this.#keeping.close()
    await this.#journal.close()
    for (const app of this.#roster.all) this.registry.removeStatusHandler(app.name)
    this.#ownStatus.hide()
    await this.#store.close()
  }

  async #open (): Promise<void> {
    if (this.#state !== 'new') {
      if (this.#state === 'closed') throw closed()
      return
    }
    const apps: App[] = []
    const { id, suspected } = await this.#store.open((batch) => {
      for (const stored of batch) {
        const app = new App(stored, this.#history.take())
        if (stored.recent !== undefined) this.#history.unpack(app.slot, stored.recent)
        apps.push(app)
      }
    })
    this.#roster.load(apps)
    // In the order of the names, which is that of the registry too.
    await inSlices(this.#roster.all, (apps) => apps.forEach((app) => this.#admit(app)))
    this.#ownStatus.show()
    this.#notices.startAfter(id, suspected)
    if (suspected) this.#troubles.begin('SUSPECTS_ITSELF', 'more than half of all targets failed at once before it was restarted')
    this.#state = 'open'
  }

  async #create (registration: Registration, remote: boolean, trusted: boolean): Promise<'created'> {
    if (this.#roster.size + this.#coming >= this.#maxApps) {
      throw codedError('ERR_TOO_MANY_APPS', `there are ${this.#maxApps} apps, and no more may be watched`, { statusCode: 507 })
    }
    const now = this.#clock.now()
    const app = new App({ registration, registeredAt: now, trusted, remote, health: Health.unknown, since: now }, this.#history.take())
    this.#coming++
    try {
      await this.#journal.ask([{ kind: 'put', app: app.stored() }])
    } catch (error) {
      this.#history.give(app.slot)
      throw error
    } finally {
      this.#coming--
    }
    this.#admit(app)
    this.#roster.add(app)
    this.#plan(app)
    this.#listeners.emit('registered', app.name, 'created')
    return 'created'
  }

  #change (app: App, registration: Registration, remote: boolean, trusted: boolean): void {
    const { interval, tags, critical } = app.registration
    Object.assign(app, { registration, remote, trusted })
    app.refused = this.#guard.whyNot(app.registration.host, app.remote)
    app.tell()
    this.#roster.count(app)
    if (critical !== registration.critical || !isDeepStrictEqual(tags, registration.tags)) this.#show(app)
    if (interval !== registration.interval) this.#plan(app)
    this.#listeners.emit('registered', app.name, 'changed')
  }

  /** What is done with every app, whether it comes from the store or has just been registered. */
  #admit (app: App): void {
    app.refused = this.#guard.whyNot(app.registration.host, app.remote)
    this.#checking.admit(app)
    this.#show(app)
  }

  #show (app: App): void {
    const { critical, tags } = app.registration
    this.registry.addStatusHandler(app.name, app, { critical, tags, replace: true })
  }

  #plan (app: App, soon = false): void {
    if (app.paused === undefined) this.#schedule.set(app.name, app.registration.interval * 1000, soon)
  }

  #view (app: App): WatchedApp {
    const next = this.#schedule.next(app.name)
    return app.view(next === undefined ? undefined : Math.round(this.#clock.now() + next - this.#clock.monotonic()))
  }

  async #inTurn<T> (name: string, work: () => Promise<T>): Promise<T> {
    if (this.#state !== 'open') throw closed()
    return await this.#turns.take(name, work)
  }
}

function closed (): Error {
  return codedError('ERR_FLEET_CLOSED', 'the healthchecker is closed, or not started yet', { statusCode: 503 })
}
