import { setImmediate } from 'node:timers/promises'
import type { FleetCounts, FleetPage, FleetQuery, WatchedApp } from '../../types/healthchecker.js'
import type { State } from '../../types/status.js'
import { OK, RED, states, YELLOW } from '../core/state.js'
import type { App } from './app.js'
import { Selection, type Group } from './selection.js'

/** So long apps are looked through in one go, in milliseconds: with a turn of the event loop for each 1,000 a page takes seconds where the loop is busy. */
const longestTurn = 4

/** To look at the clock costs as much as to look at an app. */
const clockEvery = 100

/** All apps, by name and in the order of their names, how many are in which state, and what that makes of the whole. */
export class Roster {
  readonly #apps = new Map<string, App>()
  /** In the order of the names. */
  #sorted: App[] = []
  readonly #counts: Record<Group, number> = { UNKNOWN: 0, HEALTHY: 0, DEGRADING: 0, UNHEALTHY: 0, PAUSED: 0 }
  /** How many count as what in the overall state. */
  readonly #weights: Record<State, number> = { OK: 0, YELLOW: 0, RED: 0 }

  get size (): number {
    return this.#apps.size
  }

  get counts (): FleetCounts {
    return { ...this.#counts }
  }

  /** The worst of all: what a registry that has just these says of itself. */
  get state (): State {
    return states.findLast((state) => this.#weights[state] > 0) ?? OK
  }

  get all (): readonly App[] {
    return this.#sorted
  }

  get (name: string): App | undefined {
    return this.#apps.get(name)
  }

  /** Many at once: to put each in its place would take a hundred thousand of them two seconds. */
  load (apps: readonly App[]): void {
    for (const app of apps) this.#register(app)
    // By code unit: the same order everywhere, whatever the locale.
    this.#sorted = [...this.#apps.values()].sort((a, b) => a.name < b.name ? -1 : 1)
  }

  add (app: App): void {
    this.#register(app)
    this.#sorted.splice(this.#place(app.name), 0, app)
  }

  remove (app: App): void {
    this.#apps.delete(app.name)
    this.#sorted.splice(this.#place(app.name), 1)
    this.#counts[app.group as Group]--
    this.#weights[app.weight as State]--
  }

  /** To be called when its status changed, or whether it is paused. */
  count (app: App): void {
    const group = app.paused === undefined ? app.health.state : 'PAUSED'
    const { state } = app.getStatus()
    const weight = state === RED && !app.registration.critical ? YELLOW : state
    if (app.group !== undefined) this.#counts[app.group]--
    if (app.weight !== undefined) this.#weights[app.weight]--
    this.#counts[group]++
    this.#weights[weight]++
    app.group = group
    app.weight = weight
  }

  /**
   * @param view what is shown of an app
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  list (query: FleetQuery | undefined, view: (app: App) => WatchedApp): FleetPage {
    const selection = new Selection(query)
    for (const app of this.#sorted) selection.show(app)
    return selection.page(view)
  }

  /** The same; others have their turn in between. */
  async select (query: FleetQuery | undefined, view: (app: App) => WatchedApp): Promise<FleetPage> {
    const selection = new Selection(query)
    let began = performance.now()
    // Others may come and go meanwhile.
    for (const [index, app] of this.#sorted.slice().entries()) {
      selection.show(app)
      if ((index + 1) % clockEvery !== 0 || performance.now() - began < longestTurn) continue
      await setImmediate()
      began = performance.now()
    }
    return selection.page(view)
  }

  #register (app: App): void {
    this.#apps.set(app.name, app)
    this.count(app)
  }

  /** Where an app of this name is, or belongs. */
  #place (name: string): number {
    let from = 0
    let to = this.#sorted.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.#sorted[middle].name < name) from = middle + 1
      else to = middle
    }
    return from
  }
}
