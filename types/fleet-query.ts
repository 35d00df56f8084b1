import type { HealthState, WatchedApp } from './healthchecker.js'

/** The apps to list; each filter that is given narrows. */
export interface FleetQuery {
  readonly state?: HealthState
  readonly paused?: boolean
  readonly tag?: string
  /** A part of the name or of the host, in any case. */
  readonly search?: string
  /** `worst`: UNHEALTHY first, then DEGRADING, UNKNOWN, those that are paused, and HEALTHY; by name within. Default `name`. */
  readonly order?: 'name' | 'worst'
  /** How many to leave out, in this order. Default 0. */
  readonly offset?: number
  /** How many to give. Default 100, at most 1,000. */
  readonly limit?: number
}

export interface FleetPage {
  /** How many there are, whatever the limit. */
  readonly total: number
  readonly apps: readonly WatchedApp[]
}

/** How many apps are in which state. One that is paused counts as `PAUSED` alone. */
export type FleetCounts = Readonly<Record<HealthState | 'PAUSED', number>>
