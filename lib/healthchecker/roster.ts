import type { FleetCounts, FleetPage, FleetQuery, HealthState, WatchedApp } from '../../types/healthchecker.js'
import { knownOptions, ofKind } from '../core/options.js'
import { whole } from '../core/units.js'
import type { App } from './app.js'

const mostListed = 1_000

type Group = HealthState | 'PAUSED'

/** All apps, by name and in the order of their names, and how many are in which state. */
export class Roster {
  readonly #apps = new Map<string, App>()
  /** In the order of the names. */
  #sorted: App[] = []
  readonly #counts: Record<Group, number> = { UNKNOWN: 0, HEALTHY: 0, DEGRADING: 0, UNHEALTHY: 0, PAUSED: 0 }

  get size (): number {
    return this.#apps.size
  }

  get counts (): FleetCounts {
    return { ...this.#counts }
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
  }

  /** To be called when its state changed, or whether it is paused. */
  count (app: App): void {
    const group = app.paused === undefined ? app.health.state : 'PAUSED'
    if (app.group !== undefined) this.#counts[app.group]--
    this.#counts[group]++
    app.group = group
  }

  /**
   * @param view what is shown of an app
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  list (query: FleetQuery | undefined, view: (app: App) => WatchedApp): FleetPage {
    const { state, paused, tag, search, offset = 0, limit = 100 } = knownOptions(query, ['state', 'paused', 'tag', 'search', 'offset', 'limit'], 'the query')
    whole(offset, 'the option "offset"', 0, Number.MAX_SAFE_INTEGER)
    whole(limit, 'the option "limit"', 0, mostListed)
    ofKind(search, 'string', 'the option "search"')
    const words = search?.toLowerCase()
    const found = this.#sorted.filter((app) =>
      (state === undefined || app.health.state === state) &&
      (paused === undefined || (app.paused !== undefined) === paused) &&
      (tag === undefined || app.registration.tags.includes(tag)) &&
      (words === undefined || app.name.toLowerCase().includes(words) || app.registration.host.toLowerCase().includes(words)))
    return { total: found.length, apps: found.slice(offset, offset + limit).map(view) }
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
