import { isDeepStrictEqual } from 'node:util'
import type { FleetEvents, FleetStore, Registration, Schedule } from '../../types/healthchecker.js'
import type { Registry } from '../../types/registry.js'
import type { Clock } from '../../types/time.js'
import { codedError } from '../core/errors.js'
import { inSlices } from '../core/in-slices.js'
import { App } from './app.js'
import type { Checking } from './checking.js'
import { Health } from './health.js'
import type { History } from './history.js'
import type { Journal } from './journal.js'
import type { Roster } from './roster.js'
import type { TargetGuard } from './target-guard.js'

interface Parts {
  readonly clock: Clock
  readonly registry: Registry
  readonly schedule: Schedule
  readonly guard: TargetGuard
  readonly maxApps: number
  readonly roster: Roster
  readonly history: History
  readonly journal: Journal
  readonly checking: Checking
  readonly emit: <E extends keyof FleetEvents>(event: E, ...args: FleetEvents[E]) => void
}

/** Takes apps in, changes them and lets them go: in the store first, and then wherever an app is known. For one name, one after the other. */
export class Registrar {
  readonly #parts: Parts
  /** How many are being registered for the first time. */
  #coming = 0

  constructor (parts: Parts) {
    this.#parts = parts
  }

  /** Takes in all that a store has. */
  async load (store: FleetStore): Promise<{ readonly id: number, readonly suspected: boolean }> {
    const { history, roster } = this.#parts
    const apps: App[] = []
    const last = await store.open((batch) => {
      for (const stored of batch) {
        const app = new App(stored, history.take())
        if (stored.recent !== undefined) history.unpack(app.slot, stored.recent)
        apps.push(app)
      }
    })
    roster.load(apps)
    // In the order of the names, which is that of the registry too.
    await inSlices(roster.all, (apps) => apps.forEach((app) => this.#admit(app)))
    return last
  }

  async register (registration: Registration, remote: boolean, trusted: boolean): Promise<'created' | 'changed' | 'unchanged'> {
    const { journal, roster } = this.#parts
    const app = roster.get(registration.name)
    if (app === undefined) return await this.#create(registration, remote, trusted)
    if (isDeepStrictEqual(app.registration, registration) && app.remote === remote && app.trusted === trusted) return 'unchanged'
    await journal.ask([{ kind: 'put', app: { ...app.stored(), registration, remote, trusted } }])
    this.#change(app, registration, remote, trusted)
    return 'changed'
  }

  async remove (name: string): Promise<boolean> {
    const { checking, emit, history, journal, registry, roster, schedule } = this.#parts
    const app = roster.get(name)
    if (app === undefined) return false
    await journal.ask([{ kind: 'remove', name }])
    app.gone = true
    schedule.delete(name)
    registry.removeStatusHandler(name)
    roster.remove(app)
    checking.forget(app)
    history.give(app.slot)
    emit('deregistered', name)
    return true
  }

  /** It is checked from now on, unless it is paused. */
  plan (app: App, soon = false): void {
    if (app.paused === undefined) this.#parts.schedule.set(app.name, app.registration.interval * 1000, soon)
  }

  async #create (registration: Registration, remote: boolean, trusted: boolean): Promise<'created'> {
    const { clock, emit, history, journal, maxApps, roster } = this.#parts
    if (roster.size + this.#coming >= maxApps) {
      throw codedError('ERR_TOO_MANY_APPS', `there are ${maxApps} apps, and no more may be watched`, { statusCode: 507 })
    }
    const now = clock.now()
    const app = new App({ registration, registeredAt: now, trusted, remote, health: Health.unknown, since: now }, history.take())
    this.#coming++
    try {
      await journal.ask([{ kind: 'put', app: app.stored() }])
    } catch (error) {
      history.give(app.slot)
      throw error
    } finally {
      this.#coming--
    }
    this.#admit(app)
    roster.add(app)
    this.plan(app)
    emit('registered', app.name, 'created')
    return 'created'
  }

  #change (app: App, registration: Registration, remote: boolean, trusted: boolean): void {
    const { emit, guard, roster } = this.#parts
    const { interval, tags, critical } = app.registration
    Object.assign(app, { registration, remote, trusted })
    app.refused = guard.whyNot(app.registration.host, app.remote)
    app.tell()
    roster.count(app)
    if (critical !== registration.critical || !isDeepStrictEqual(tags, registration.tags)) this.#show(app)
    if (interval !== registration.interval) this.plan(app)
    emit('registered', app.name, 'changed')
  }

  /** What is done with every app, whether it comes from the store or has just been registered. */
  #admit (app: App): void {
    app.refused = this.#parts.guard.whyNot(app.registration.host, app.remote)
    this.#parts.checking.admit(app)
    this.#show(app)
  }

  #show (app: App): void {
    const { critical, tags } = app.registration
    this.#parts.registry.addStatusHandler(app.name, app, { critical, tags, replace: true })
  }
}
