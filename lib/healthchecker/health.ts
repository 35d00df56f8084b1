import type { AppHealth, HealthState, Registration } from '../../types/healthchecker.js'

/** How many results in a row it takes. */
export type Thresholds = Pick<Registration, 'unhealthyThreshold' | 'healthyThreshold'>

/** Nothing is known yet. */
const unknown: AppHealth = Object.freeze({ state: 'UNKNOWN', before: 'UNKNOWN', failures: 0, successes: 0 })

/** How an app does after one more check. Gives the same object where nothing changed: counters stop at their thresholds. */
function after (health: AppHealth, success: boolean, thresholds: Thresholds): AppHealth {
  return success ? afterSuccess(health, thresholds) : afterFailure(health, thresholds)
}

function afterSuccess (health: AppHealth, { healthyThreshold }: Thresholds): AppHealth {
  const successes = Math.min(health.successes + 1, healthyThreshold)
  const back = health.state === 'DEGRADING' ? health.before : health.state
  const state = successes === healthyThreshold ? 'HEALTHY' : back
  return changed(health, state, state, 0, successes)
}

function afterFailure (health: AppHealth, { unhealthyThreshold }: Thresholds): AppHealth {
  const failures = Math.min(health.failures + 1, unhealthyThreshold)
  const state = health.state === 'UNHEALTHY' || failures === unhealthyThreshold ? 'UNHEALTHY' : 'DEGRADING'
  return changed(health, state, health.before, failures, 0)
}

function changed (health: AppHealth, state: HealthState, before: HealthState, failures: number, successes: number): AppHealth {
  return health.state === state && health.before === before && health.failures === failures && health.successes === successes
    ? health
    : { state, before, failures, successes }
}

/**
 * The state machine of a watched app, without timers and without I/O.
 *
 * From HEALTHY or UNKNOWN the first failure leads to DEGRADING, and `unhealthyThreshold` failures in a row to UNHEALTHY.
 * A success in DEGRADING leads back to where it came from; `healthyThreshold` successes in a row lead to HEALTHY.
 *
 * @example
 * let health = Health.unknown
 * health = Health.after(health, false, { unhealthyThreshold: 2, healthyThreshold: 4 })
 * health.state // 'DEGRADING'
 */
export const Health = Object.freeze({ unknown, after })
