import type { RollUp } from '../../types/healthchecker.js'
import { hour } from '../core/units.js'

/** How long a store keeps the hours of an app after the last one, in milliseconds: 30 days. */
export const keepHours = 30 * 86_400_000

/** Two parts of the same stretch of time as one. */
export function addUp (a: RollUp | undefined, b: RollUp): RollUp {
  if (a === undefined) return b
  const alive = [a.checks - a.failures, b.checks - b.failures]
  return {
    at: a.at,
    checks: a.checks + b.checks,
    failures: a.failures + b.failures,
    meanDuration: (a.meanDuration * alive[0] + b.meanDuration * alive[1]) / Math.max(1, alive[0] + alive[1]),
    maxDuration: Math.max(a.maxDuration, b.maxDuration)
  }
}

/** The hours of a store and what is not stored of the present one. */
export function withPresent (past: readonly RollUp[], present: RollUp | undefined): RollUp[] {
  if (present === undefined) return [...past]
  const same = past.find(({ at }) => at === present.at)
  return [...past.filter((hour) => hour !== same), addUp(same, present)].sort((a, b) => a.at - b.at)
}

/** The part of the checks since `from` that did not fail; hours are not divided. */
export function uptimeOf (hours: readonly RollUp[], from: number): number | undefined {
  const counted = hours.filter(({ at }) => at + hour(1).milliseconds > from)
  const checks = counted.reduce((sum, { checks }) => sum + checks, 0)
  const failures = counted.reduce((sum, { failures }) => sum + failures, 0)
  return checks === 0 ? undefined : 1 - failures / checks
}
