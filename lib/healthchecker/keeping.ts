import type { RollUp, StoreChange } from '../../types/healthchecker.js'
import type { App } from './app.js'
import type { History } from './history.js'
import type { Journal } from './journal.js'
import type { Roster } from './roster.js'

/** How often what is not a transition is stored, in milliseconds. */
const every = 1_000

/** In so many turns the last checks of all apps are stored once: what a process that is killed forgets of them. */
const turns = 300

/** So many apps are stored for their counters in a turn. */
const mostCounters = 500

/** So many apps are stored in one go: to hand 500 to the thread of a store takes 25 ms. */
const atOnce = 100

/** So many hours wait for a store that fails: the last one of as many apps as there may be. */
const mostHours = 100_000

/** Stores what may be a little late: counters within a second, last checks and hours within five minutes. */
export class Keeping {
  readonly #journal: Journal
  readonly #roster: Roster
  readonly #history: History
  readonly #dirty = new Set<App>()
  #hours: Array<{ app: App, hour: RollUp }> = []
  #next = 0
  /** How many apps should have been stored by now: with few of them, less than one a turn. */
  #due = 0
  #timer: NodeJS.Timeout | undefined
  #under: Promise<void> | undefined

  constructor (journal: Journal, roster: Roster, history: History) {
    this.#journal = journal
    this.#roster = roster
    this.#history = history
  }

  start (): void {
    this.#timer = setInterval(() => this.#tick(), every).unref()
  }

  /** Its counters changed. */
  progress (app: App): void {
    this.#dirty.add(app)
  }

  /** It is stored as it is, or is gone. */
  forget (app: App): void {
    this.#dirty.delete(app)
  }

  /** It is over. */
  hour (app: App, hour: RollUp): void {
    this.#hours.push({ app, hour })
    if (this.#hours.length > mostHours) this.#hours.shift()
  }

  /** Stores all that is known, in slices. */
  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.#under
    const { all } = this.#roster
    if (!this.#journal.fails) await this.#storeInParts(all, [])
    while (this.#hours.length > 0 && !this.#journal.fails) await this.#store([], [])
  }

  #tick (): void {
    // A store that is slow gets it later. One that fails is tried with one app at least: where nothing else happens, it is known from this that it works again.
    if (this.#under !== undefined) return
    const { all } = this.#roster
    this.#due += all.length / turns
    const count = Math.max(Math.floor(this.#due), Number(this.#journal.fails))
    this.#due = Math.max(0, this.#due - count)
    const whole = all.slice(this.#next, this.#next + count)
    this.#next = this.#next + count >= all.length ? 0 : this.#next + count
    const part = [...this.#dirty].slice(0, mostCounters)
    if (whole.length + part.length + this.#hours.length === 0) return
    this.#under = this.#storeInParts(whole, part).finally(() => { this.#under = undefined })
  }

  async #storeInParts (whole: readonly App[], part: readonly App[]): Promise<void> {
    const most = Math.max(whole.length, part.length, 1)
    for (let start = 0; start < most && (start === 0 || !this.#journal.fails); start += atOnce) {
      await this.#store(watched(whole.slice(start, start + atOnce)), watched(part.slice(start, start + atOnce)))
    }
  }

  /**
   * @param whole apps with their last checks and their present hour
   * @param part apps with their counters
   */
  async #store (whole: readonly App[], part: readonly App[]): Promise<void> {
    const ended = this.#hours.splice(0, 2 * atOnce).filter(({ app }) => !app.gone)
    const present = whole.flatMap((app) => {
      const hour = this.#history.takeHour(app.slot)
      return hour === undefined ? [] : [{ app, hour }]
    })
    for (const app of [...whole, ...part]) this.#dirty.delete(app)
    const changes: StoreChange[] = [
      ...part.map((app) => progressOf(app)),
      ...whole.map((app) => progressOf(app, this.#history.pack(app.slot))),
      ...[...ended, ...present].map(({ app, hour }) => ({ kind: 'hour', hour: { name: app.name, ...hour } } as const))
    ]
    try {
      await this.#journal.ask(changes)
    } catch {
      // The journal has logged why.
      for (const app of part) if (!app.gone) this.#dirty.add(app)
      for (const one of present) if (!one.app.gone && !this.#history.giveHour(one.app.slot, one.hour)) this.#hours.push(one)
      this.#hours.unshift(...ended)
    }
  }
}

/** Who went while those before were stored: the place of their history, and their name, may be somebody else's by now. */
function watched (apps: readonly App[]): App[] {
  return apps.filter(({ gone }) => !gone)
}

function progressOf ({ name, health, lastCheck }: App, recent?: Uint8Array): StoreChange {
  return { kind: 'progress', name, health, lastCheck, recent }
}
