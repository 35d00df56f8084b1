import type { FleetPage, FleetQuery, HealthState, WatchedApp } from '../../types/healthchecker.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { whole } from '../core/units.js'
import type { App } from './app.js'

export type Group = HealthState | 'PAUSED'

/** The order of who looks for trouble. */
export const worstFirst: readonly Group[] = ['UNHEALTHY', 'DEGRADING', 'UNKNOWN', 'PAUSED', 'HEALTHY']

const optionNames = ['state', 'paused', 'tag', 'search', 'order', 'offset', 'limit'] as const
const mostListed = 1_000

/** The apps that a query asks for, of those that it is shown in the order of their names. */
export class Selection {
  readonly #query: FleetQuery
  readonly #search: RegExp | undefined
  readonly #from: number
  /** Where the page that is asked for ends. */
  readonly #to: number
  /** Those that were found, by name: no more than could be on the page. */
  readonly #found: readonly App[][]
  #total = 0

  /** @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE */
  constructor (query?: FleetQuery) {
    this.#query = knownOptions(query, optionNames, 'the query')
    const { search, order = 'name', offset = 0, limit = 100 } = this.#query
    if (order !== 'name' && order !== 'worst') throw invalid('the option "order"', '"name" or "worst"', order)
    ofKind(search, 'string', 'the option "search"')
    // To write 100,000 names in small letters takes three times as long.
    this.#search = search === undefined ? undefined : new RegExp(search.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu')
    this.#from = whole(offset, 'the option "offset"', 0, Number.MAX_SAFE_INTEGER)
    this.#to = this.#from + whole(limit, 'the option "limit"', 0, mostListed)
    this.#found = order === 'name' ? [[]] : worstFirst.map(() => [])
  }

  show (app: App): void {
    if (!this.#wants(app)) return
    this.#total++
    const found = this.#found.length === 1 ? this.#found[0] : this.#found[worstFirst.indexOf(app.group as Group)]
    if (found.length < this.#to) found.push(app)
  }

  /** @param view what is shown of an app */
  page (view: (app: App) => WatchedApp): FleetPage {
    // Others had their turn since some of them were found.
    const apps = this.#found.flat().slice(this.#from, this.#to).filter(({ gone }) => !gone)
    return { total: this.#total, apps: apps.map(view) }
  }

  #wants ({ name, health, paused: pause, registration: { tags, host } }: App): boolean {
    const { state, paused, tag } = this.#query
    return (state === undefined || health.state === state) &&
      (paused === undefined || (pause !== undefined) === paused) &&
      (tag === undefined || tags.includes(tag)) &&
      (this.#search === undefined || this.#search.test(name) || this.#search.test(host))
  }
}
