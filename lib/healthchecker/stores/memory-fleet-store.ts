import type { FailedEntry, FleetStore, Outbox, OutboxEntry, RollUp, StoreChange, StoredApp } from '../../../types/healthchecker.js'
import { addUp, keepHours } from '../hours.js'
import { keepFailed } from './keep-failed.js'
import { cutsOf, mostOwed } from './outbox-bound.js'

/** Keeps a fleet in the memory of this process: a restart forgets it. */
export function memoryFleetStore (): FleetStore {
  return new MemoryFleetStore()
}

class MemoryFleetStore implements FleetStore {
  readonly name = 'memory'
  readonly outbox = new MemoryOutbox()
  readonly #apps = new Map<string, StoredApp>()
  readonly #hours = new Map<string, Map<number, RollUp>>()
  #id = 0
  #suspected = false

  async open (onApps: (apps: readonly StoredApp[]) => void): Promise<{ id: number, suspected: boolean }> {
    if (this.#apps.size > 0) onApps([...this.#apps.values()])
    return { id: this.#id, suspected: this.#suspected }
  }

  async write (changes: readonly StoreChange[]): Promise<void> {
    for (const change of changes) this.#apply(change)
    this.outbox.bound()
  }

  async hours (name: string, from: number): Promise<readonly RollUp[]> {
    return [...this.#hours.get(name)?.values() ?? []].filter(({ at }) => at >= from).sort((a, b) => a.at - b.at)
  }

  async close (): Promise<void> {}

  #apply (change: StoreChange): void {
    if (change.kind === 'put') {
      const { app } = change
      const present = this.#apps.get(app.registration.name)
      const { registration, trusted, remote } = app
      this.#apps.set(registration.name, present === undefined ? app : { ...present, registration, trusted, remote })
    } else if (change.kind === 'remove') {
      this.#apps.delete(change.name)
      this.#hours.delete(change.name)
    } else if (change.kind === 'notice') {
      const { app, notice, receivers } = change
      this.#id = Math.max(this.#id, notice.id)
      if (notice.kind === 'suspicion') this.#suspected = notice.suspected
      if (app !== undefined) this.#update(app.registration.name, ({ registration, registeredAt, trusted, remote }) => ({ ...app, registration, registeredAt, trusted, remote }))
      this.outbox.add(receivers, notice)
    } else if (change.kind === 'progress') {
      const { name, health, lastCheck, recent } = change
      this.#update(name, (app) => ({ ...app, health, lastCheck: lastCheck ?? app.lastCheck, recent: recent ?? app.recent }))
    } else if (this.#apps.has(change.hour.name)) {
      const { name, ...hour } = change.hour
      const hours = this.#hours.get(name) ?? new Map<number, RollUp>()
      this.#hours.set(name, hours.set(hour.at, addUp(hours.get(hour.at), hour)))
      for (const { at } of hours.values()) if (at < hour.at - keepHours) hours.delete(at)
    }
  }

  #update (name: string, change: (app: StoredApp) => StoredApp): void {
    const app = this.#apps.get(name)
    if (app !== undefined) this.#apps.set(name, change(app))
  }
}

class MemoryOutbox implements Outbox {
  readonly #entries = new Map<number, OutboxEntry>()
  #failed: FailedEntry[] = []
  #id = 0

  add (receivers: readonly string[], notice: OutboxEntry['notice']): void {
    for (const receiver of receivers) {
      const id = ++this.#id
      this.#entries.set(id, { id, receiver, notice, attempts: 0, notBefore: 0 })
    }
  }

  /** To be called when all of a write was added. */
  bound (): void {
    if (this.#entries.size <= mostOwed) return
    for (const { ids, receiver, notice } of cutsOf([...this.#entries.values()])) {
      for (const id of ids) this.#entries.delete(id)
      this.add([receiver], notice)
    }
  }

  async due (now: number, limit: number): Promise<readonly OutboxEntry[]> {
    return [...this.#entries.values()].filter(({ notBefore }) => notBefore <= now).slice(0, limit)
  }

  async owed (): Promise<{ count: number, next?: number, oldest?: number, dropped: number }> {
    let next: number | undefined
    let dropped = 0
    for (const { notBefore, notice } of this.#entries.values()) {
      if (notBefore > 0) next = Math.min(next ?? notBefore, notBefore)
      if (notice.kind === 'dropped') dropped += notice.count
    }
    const [oldest] = this.#entries.values()
    return { count: this.#entries.size, next, oldest: oldest?.notice.at, dropped }
  }

  async assign (ids: readonly number[], mail: string): Promise<boolean> {
    if (!ids.every((id) => this.#entries.has(id))) return false
    this.#update(ids, (entry) => ({ ...entry, mail }))
    return true
  }

  async postpone (ids: readonly number[], notBefore: number): Promise<void> {
    this.#update(ids, (entry) => ({ ...entry, notBefore, attempts: entry.attempts + 1 }))
  }

  async remove (ids: readonly number[]): Promise<void> {
    for (const id of ids) this.#entries.delete(id)
  }

  async fail (ids: readonly number[], why: string, failedAt: number): Promise<void> {
    for (const id of ids) {
      const entry = this.#entries.get(id)
      if (entry !== undefined) this.#failed.unshift({ ...entry, why, failedAt })
      this.#entries.delete(id)
    }
    this.#failed = this.#failed.slice(0, keepFailed)
  }

  async failed (limit: number): Promise<readonly FailedEntry[]> {
    return this.#failed.slice(0, limit)
  }

  #update (ids: readonly number[], change: (entry: OutboxEntry) => OutboxEntry): void {
    for (const id of ids) {
      const entry = this.#entries.get(id)
      if (entry !== undefined) this.#entries.set(id, change(entry))
    }
  }
}
