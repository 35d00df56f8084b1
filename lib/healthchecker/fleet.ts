import type {
  AppHistory, CheckRecord, Fleet, FleetCounts, FleetEvents, FleetOptions, FleetPage, FleetQuery, FleetStore, Outbox, Registrant, Registration, Schedule, Trouble, WatchedApp
} from '../../types/healthchecker.js'
import type { Registry } from '../../types/registry.js'
import type { State } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { codedError } from '../core/errors.js'
import { inSlices } from '../core/in-slices.js'
import { day } from '../core/units.js'
import type { App } from './app.js'
import { Checker } from './checker.js'
import { Checking } from './checking.js'
import { FleetListeners } from './fleet-listeners.js'
import { settingsOf } from './fleet-settings.js'
import { History } from './history.js'
import { keepHours, uptimeOf, withPresent } from './hours.js'
import { Journal } from './journal.js'
import { Keeping } from './keeping.js'
import { Notices } from './notices.js'
import { OwnStatus, refuseOwnName } from './own-status.js'
import { Registrar } from './registrar.js'
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
  readonly #registrar: Registrar
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
  #state: 'new' | 'open' | 'closed' = 'new'
  #opening: Promise<void> | undefined
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor (options?: FleetOptions) {
    const { ca, clock, guard, logger, maxApps, maxConcurrent, owe, pauseAfter, registry, schedule, store } = settingsOf(options)
    this.registry = registry
    this.#store = store
    this.#schedule = schedule
    this.#clock = clock
    this.#guard = guard
    this.#listeners = new FleetListeners(logger)
    const emit = this.#listeners.emit.bind(this.#listeners)
    this.#troubles = new Troubles(clock, (troubles) => emit('trouble', troubles))
    this.#journal = new Journal(store, logger, (trouble) => this.#troubles.store(trouble))
    this.#notices = new Notices({ clock, log: logger, journal: this.#journal, history: this.#history, owe, view: (app) => this.#view(app), apps: this, emit })
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
    this.#registrar = new Registrar({
      clock,
      registry,
      schedule,
      guard,
      maxApps,
      roster: this.#roster,
      history: this.#history,
      journal: this.#journal,
      checking: this.#checking,
      emit
    })
    this.#ownStatus = new OwnStatus(registry, this.#troubles, this.#journal, this.#checking)
  }

  async start (): Promise<void> {
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = undefined
      throw error
    })
    await this.#starting
  }

  async checkOnce (): Promise<void> {
    await this.#open()
    await Promise.all(this.#roster.all.map(async (app) => await this.#checking.once(app)))
  }

  async register (registration: Registration, registrant: Registrant = {}): Promise<'created' | 'changed' | 'unchanged'> {
    const { remote = false, trusted = false } = registrant
    refuseOwnName(registration.name)
    this.#guard.check(registration.host, remote)
    return await this.#inTurn(registration.name, async () => await this.#registrar.register(registration, remote, trusted))
  }

  async deregister (name: string): Promise<boolean> {
    return await this.#inTurn(name, async () => await this.#registrar.remove(name))
  }

  async pause (name: string, { by, why }: { by?: string, why?: string } = {}): Promise<boolean> {
    return await this.#inTurn(name, async () => {
      const app = this.#roster.get(name)
      if (app === undefined) return false
      if (app.paused !== undefined) return true
      try {
        await this.#checking.pause(app, { at: this.#clock.now(), by, why })
      } catch (error) {
        this.#registrar.plan(app)
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
        this.#registrar.plan(app, true)
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
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #start (): Promise<void> {
    await this.#open()
    await inSlices(this.#roster.all, (apps) => apps.forEach((app) => this.#registrar.plan(app)))
    this.#refuseClosed()
    this.#keeping.start()
    this.#schedule.start((name) => this.#checking.due(name))
  }

  async #open (): Promise<void> {
    this.#refuseClosed()
    this.#opening ??= this.#read().catch((error) => {
      this.#opening = undefined
      throw error
    })
    await this.#opening
    this.#refuseClosed()
    this.#state = 'open'
  }

  async #read (): Promise<void> {
    const { id, suspected } = await this.#registrar.load(this.#store)
    this.#ownStatus.show()
    this.#notices.startAfter(id, suspected)
    if (suspected) this.#troubles.begin('SUSPECTS_ITSELF', 'more than half of all targets failed at once before it was restarted')
  }

  async #close (): Promise<void> {
    this.#state = 'closed'
    this.#schedule.stop()
    this.#checking.close()
    // A store that is being read is let go of when it is.
    await this.#opening?.catch(() => {})
    if (this.#opening === undefined) return
    await this.#turns.settled()
    await this.#keeping.close()
    await this.#journal.close()
    for (const app of this.#roster.all) this.registry.removeStatusHandler(app.name)
    this.#ownStatus.hide()
    await this.#store.close()
  }

  #refuseClosed (): void {
    if (this.#state === 'closed') throw closed()
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
