import type { Trouble } from '../../types/healthchecker.js'
import type { Registry } from '../../types/registry.js'
import type { Status } from '../../types/status.js'
import { OK, RED, YELLOW } from '../core/state.js'
import type { Checking } from './checking.js'
import type { Journal } from './journal.js'
import { refusal } from './registration-parameters.js'
import type { Troubles } from './troubles.js'

/** The status handlers by which a healthchecker says how it does itself: no app can have their names. */
export const ownNames = { store: 'healthchecker store', checks: 'healthchecker checks', mail: 'healthchecker mail' } as const

export const ownDescriptions = {
  store: 'whether what happens can be stored',
  checks: 'whether checks are in time, and can be believed',
  mail: 'whether people are told'
} as const

const reserved: readonly string[] = Object.values(ownNames)

/** @throws ERR_INVALID_REGISTRATION, with status code 400, where the name of an app is one of its own */
export function refuseOwnName (name: string): void {
  if (reserved.includes(name)) throw refusal(`the parameter "name" must not be ${JSON.stringify(name)}: by that name the healthchecker says how it does itself`)
}

const stateOf: Readonly<Record<Trouble['code'], Status['state']>> = {
  // Nothing can be registered, and what happened is in memory alone.
  STORE_FULL: RED,
  STORE_READ_ONLY: RED,
  STORE_FAILED: RED,
  // What it finds out is not to be believed.
  SUSPECTS_ITSELF: RED,
  BEHIND: YELLOW
}

const ofChecks: ReadonlyArray<Trouble['code']> = ['SUSPECTS_ITSELF', 'BEHIND']

/** @param metrics how many changes wait for the store, and how many of those were forgotten since the start */
function storeStatus (troubles: readonly Trouble[], metrics: { readonly waiting: number, readonly forgotten: number }): Status {
  return statusOf(troubles.filter(({ code }) => !ofChecks.includes(code)), metrics)
}

/** @param metrics how many targets fail, of how many that are checked, and how many turns were missed since the start */
function checksStatus (troubles: readonly Trouble[], metrics: { readonly failing: number, readonly checked: number, readonly missed: number }): Status {
  return statusOf(troubles.filter(({ code }) => ofChecks.includes(code)), metrics)
}

/** The handlers of a fleet; of the mails speaks who sends them. */
export class OwnStatus {
  readonly #registry: Registry
  readonly #handlers: Readonly<Record<'store' | 'checks', () => Status>>

  constructor (registry: Registry, troubles: Troubles, journal: Journal, checking: Checking) {
    this.#registry = registry
    this.#handlers = {
      store: () => storeStatus(troubles.all, journal.counts),
      checks: () => checksStatus(troubles.all, checking.counts)
    }
  }

  show (): void {
    for (const one of ['store', 'checks'] as const) {
      this.#registry.addStatusHandler(ownNames[one], this.#handlers[one], { description: ownDescriptions[one], replace: true })
    }
  }

  hide (): void {
    for (const one of ['store', 'checks'] as const) this.#registry.removeStatusHandler(ownNames[one])
  }
}

function statusOf (troubles: readonly Trouble[], metrics: Readonly<Record<string, number>>): Status {
  if (troubles.length === 0) return { state: OK, metrics: { ...metrics } }
  return {
    state: troubles.some(({ code }) => stateOf[code] === RED) ? RED : YELLOW,
    detail: troubles.map(({ code, detail, since }) => `${code} since ${new Date(since).toISOString()}: ${detail}`).join('; '),
    metrics: { ...metrics }
  }
}
