import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { StatusRegistry } from '../../../lib/core/registry.js'
import { worst } from '../../../lib/core/state.js'
import type { AppHistory, CheckRecord, Fleet, FleetCounts, FleetEvents, FleetPage, FleetQuery, HealthState, Outbox, Registrant, Registration, Trouble, WatchedApp } from '../../../types/healthchecker.js'
import type { State } from '../../../types/status.js'

const worstFirst = ['UNHEALTHY', 'DEGRADING', 'UNKNOWN', 'PAUSED', 'HEALTHY']
const stateOf: Record<HealthState, State> = { UNKNOWN: 'YELLOW', HEALTHY: 'OK', DEGRADING: 'YELLOW', UNHEALTHY: 'RED' }

export const outbox: Outbox = {
  due: async () => [],
  owed: async () => ({ count: 0 }),
  assign: async () => true,
  postpone: async () => {},
  remove: async () => {},
  fail: async () => {},
  failed: async () => []
}

/** A fleet in memory that checks nobody: a test says how its apps are. */
export class FakeFleet implements Fleet {
  readonly registry = new StatusRegistry()
  readonly outbox = outbox
  trouble: readonly Trouble[] = []
  /** Who registered, the last at the end. */
  readonly registrants: Registrant[] = []
  readonly histories = new Map<string, AppHistory>()
  /** What the next call that changes something rejects with. */
  failure: Error | undefined
  maxApps = Infinity
  started = 0
  closed = 0
  checkedOnce = 0
  /** How often all apps were looked through. */
  selected = 0
  now = Date.UTC(2026, 0, 2, 3, 4, 5)
  readonly #apps = new Map<string, WatchedApp>()
  readonly #events = new EventEmitter()

  async register (registration: Registration, registrant: Registrant = {}): Promise<'created' | 'changed' | 'unchanged'> {
    await this.#stored()
    this.registrants.push(registrant)
    const { name } = registration
    const present = this.#apps.get(name)
    if (present === undefined && this.#apps.size >= this.maxApps) throw Object.assign(new Error(`there are ${this.maxApps} apps already, as many as there may be`), { code: 'ERR_TOO_MANY_APPS' })
    if (JSON.stringify(present?.registration) === JSON.stringify(registration)) return 'unchanged'
    const trusted = registrant.trusted ?? false
    if (present === undefined) {
      this.#apps.set(name, { registration, registeredAt: this.now, trusted, state: 'UNKNOWN', status: { state: 'YELLOW', detail: 'not checked yet' }, since: this.now, failures: 0, successes: 0, nextCheck: this.now + 1_000 })
      this.registry.addStatusHandler(name, () => this.get(name)?.status ?? { state: 'YELLOW' }, { tags: registration.tags })
    } else {
      this.#apps.set(name, { ...present, registration, trusted })
    }
    this.emit('registered', name, present === undefined ? 'created' : 'changed')
    return present === undefined ? 'created' : 'changed'
  }

  async deregister (name: string): Promise<boolean> {
    await this.#stored()
    this.registry.removeStatusHandler(name)
    if (!this.#apps.delete(name)) return false
    this.emit('deregistered', name)
    return true
  }

  async pause (name: string, { by, why }: { by?: string, why?: string } = {}): Promise<boolean> {
    await this.#stored()
    const app = this.#apps.get(name)
    if (app === undefined) return false
    this.set(name, { paused: { at: this.now, by, why }, nextCheck: undefined })
    this.emit('transition', { id: 1, kind: 'paused', app: name, from: app.state, to: app.state, at: this.now })
    return true
  }

  async resume (name: string): Promise<boolean> {
    await this.#stored()
    if (!this.#apps.has(name)) return false
    this.set(name, { paused: undefined, state: 'UNKNOWN', nextCheck: this.now })
    return true
  }

  get (name: string): WatchedApp | undefined {
    return this.#apps.get(name)
  }

  list ({ state, paused, tag, search = '', order = 'name', offset = 0, limit = 100 }: FleetQuery = {}): FleetPage {
    const wanted = search.toLowerCase()
    const apps = [...this].filter((app) => (state === undefined || app.state === state) &&
      (paused === undefined || (app.paused !== undefined) === paused) &&
      (tag === undefined || app.registration.tags.includes(tag)) &&
      `${app.registration.name}\n${app.registration.host}`.toLowerCase().includes(wanted))
    const place = (app: WatchedApp): number => worstFirst.indexOf(app.paused === undefined ? app.state : 'PAUSED')
    if (order === 'worst') apps.sort((a, b) => place(a) - place(b))
    return { total: apps.length, apps: apps.slice(offset, offset + limit) }
  }

  async select (query?: FleetQuery): Promise<FleetPage> {
    this.selected++
    await setImmediate()
    return this.list(query)
  }

  * [Symbol.iterator] (): Iterator<WatchedApp> {
    yield * [...this.#apps.values()].sort((a, b) => a.registration.name < b.registration.name ? -1 : 1)
  }

  recent (name: string): readonly CheckRecord[] {
    return this.histories.get(name)?.checks ?? []
  }

  async history (name: string): Promise<AppHistory | undefined> {
    return this.#apps.has(name) ? this.histories.get(name) ?? { checks: [], hours: [], uptime: {} } : undefined
  }

  get state (): State {
    return [...this].map(({ status: { state }, registration: { critical } }) => state === 'RED' && !critical ? 'YELLOW' : state).reduce(worst, 'OK' as State)
  }

  get size (): number {
    return this.#apps.size
  }

  get counts (): FleetCounts {
    const counts = { UNKNOWN: 0, HEALTHY: 0, DEGRADING: 0, UNHEALTHY: 0, PAUSED: 0 }
    for (const { state, paused } of this) counts[paused === undefined ? state : 'PAUSED']++
    return counts
  }

  on<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): this {
    this.#events.on(event, listener as () => void)
    return this
  }

  off<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): this {
    this.#events.off(event, listener as () => void)
    return this
  }

  emit<E extends keyof FleetEvents> (event: E, ...args: FleetEvents[E]): void {
    this.#events.emit(event, ...args)
  }

  listeners (event: keyof FleetEvents): number {
    return this.#events.listenerCount(event)
  }

  async start (): Promise<void> {
    await this.#stored()
    this.started++
  }

  async checkOnce (): Promise<void> {
    this.checkedOnce++
  }

  async close (): Promise<void> {
    this.closed++
  }

  /** Says how an app is. */
  set (name: string, change: Partial<WatchedApp>): void {
    const app = this.#apps.get(name)
    if (app === undefined) throw new Error(`there is no app ${name}`)
    const state = change.state ?? app.state
    const next = { ...app, ...change }
    this.#apps.set(name, { ...next, status: change.status ?? { state: stateOf[state], detail: next.lastCheck?.error ?? state } })
    if (state !== app.state) this.emit('transition', { id: 1, kind: 'state', app: name, from: app.state, to: state, at: this.now })
  }

  async #stored (): Promise<void> {
    await setImmediate()
    if (this.failure !== undefined) throw this.failure
  }
}
