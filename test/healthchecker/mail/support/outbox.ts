import type { FailedEntry, Outbox, OutboxEntry, Suspicion, Transition, WatchedApp } from '../../../../types/healthchecker.js'

const start = Date.UTC(2030, 0, 1)

export function transition (id: number, about: Partial<Transition> = {}): Transition {
  return { id, kind: 'state', app: 'shop', from: 'HEALTHY', to: 'DEGRADING', at: start, ...about }
}

export function suspicion (id: number, about: Partial<Suspicion> = {}): Suspicion {
  return { id, kind: 'suspicion', suspected: true, failing: 60, of: 100, at: start, ...about }
}

export function entry (id: number, about: Partial<OutboxEntry> = {}): OutboxEntry {
  return { id, receiver: 'alice@example.org', notice: transition(id), attempts: 0, notBefore: 0, ...about }
}

export function app (name: string, about: Partial<WatchedApp> & { readonly email?: readonly string[] } = {}): WatchedApp {
  const { email = [], ...rest } = about
  return {
    registration: { name, protocol: 'HTTP', host: 'localhost', port: 80, path: '/healthcheck', timeout: 5, interval: 30, unhealthyThreshold: 2, healthyThreshold: 10, expectStatus: [200], email, tags: [], critical: true },
    registeredAt: start,
    trusted: false,
    state: 'HEALTHY',
    status: { state: 'OK' },
    since: start,
    failures: 0,
    successes: 10,
    ...rest
  }
}

/** An outbox in memory, each of whose methods can be made to fail. */
export class MemoryOutbox implements Outbox {
  readonly entries = new Map<number, OutboxEntry>()
  readonly given: FailedEntry[] = []
  /** The methods that fail now. */
  readonly broken = new Set<keyof Outbox>()
  /** How often each was called. */
  readonly calls: string[] = []
  /** How many it says were dropped. */
  dropped: number | undefined
  #last = 0

  owe (receiver: string, notice: OutboxEntry['notice']): void {
    const id = ++this.#last
    this.entries.set(id, { id, receiver, notice, attempts: 0, notBefore: 0 })
  }

  async due (now: number, limit: number): Promise<readonly OutboxEntry[]> {
    this.#called('due')
    return [...this.entries.values()].filter(({ notBefore }) => notBefore <= now).slice(0, limit)
  }

  async owed (): Promise<{ count: number, next?: number, oldest?: number, dropped?: number }> {
    this.#called('owed')
    const waiting = [...this.entries.values()].map(({ notBefore }) => notBefore).filter((notBefore) => notBefore > 0)
    const [first] = this.entries.values()
    return { count: this.entries.size, ...waiting.length > 0 && { next: Math.min(...waiting) }, oldest: first?.notice.at, dropped: this.dropped }
  }

  async assign (ids: readonly number[], mail: string): Promise<boolean> {
    this.#called('assign')
    if (!ids.every((id) => this.entries.has(id))) return false
    this.#change(ids, () => ({ mail }))
    return true
  }

  async postpone (ids: readonly number[], notBefore: number): Promise<void> {
    this.#called('postpone')
    this.#change(ids, ({ attempts }) => ({ attempts: attempts + 1, notBefore }))
  }

  async remove (ids: readonly number[]): Promise<void> {
    this.#called('remove')
    for (const id of ids) this.entries.delete(id)
  }

  async fail (ids: readonly number[], why: string, failedAt: number): Promise<void> {
    this.#called('fail')
    for (const id of ids) {
      this.given.unshift({ ...this.entries.get(id) as OutboxEntry, why, failedAt })
      this.entries.delete(id)
    }
  }

  async failed (limit: number): Promise<readonly FailedEntry[]> {
    return this.given.slice(0, limit)
  }

  #change (ids: readonly number[], change: (entry: OutboxEntry) => Partial<OutboxEntry>): void {
    for (const id of ids) {
      const entry = this.entries.get(id) as OutboxEntry
      this.entries.set(id, { ...entry, ...change(entry) })
    }
  }

  #called (method: keyof Outbox): void {
    this.calls.push(method)
    if (this.broken.has(method)) throw Object.assign(new Error('the disk is full'), { code: 'ERR_STORE_FAILED' })
  }
}
