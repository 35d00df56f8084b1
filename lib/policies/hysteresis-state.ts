import type { Count, Duration } from '../../types/time.js'
import type { RunLength } from '../../types/policies.js'
import type { State } from '../../types/status.js'
import { invalid } from '../core/options.js'
import { severity } from '../core/state.js'
import { isCount, isDuration, milliseconds, whole } from '../core/units.js'
import { inSeconds } from './in-seconds.js'

/** How long a run has to be: so many results, or so many milliseconds. */
export type Length = { readonly results: number } | { readonly milliseconds: number }

/** Results in a row that are all better, or all worse, than the state. */
export interface Run {
  readonly better: boolean
  readonly results: number
  /** When the first of them came. */
  readonly since: number
  readonly last: State
}

export interface HysteresisState {
  readonly state: State
  readonly run?: Run
}

export interface Lengths {
  readonly okAfter: Length
  readonly failAfter: Length
}

/**
 * What becomes of a state when a result comes:
 *
 * | state | OK comes | YELLOW comes | RED comes |
 * | --- | --- | --- | --- |
 * | OK | agrees | worse | worse |
 * | YELLOW | better | agrees | worse |
 * | RED | better | better | agrees |
 *
 * One that agrees ends the run. One that is better goes on with a run of better results or ends a run of worse ones and
 * begins its own, and the other way round. A run of better results that is as long as `okAfter`, or of worse ones as long as
 * `failAfter`, changes the state to its last result. A run of a time lasts from its first result to its last.
 *
 * @param now of a clock that never goes back
 */
export function nextState (current: HysteresisState, result: State, now: number, { okAfter, failAfter }: Lengths): HysteresisState {
  const { state, run } = current
  if (result === state) return { state }
  const better = severity(result) < severity(state)
  const goesOn = run?.better === better
  const next = { better, results: goesOn ? run.results + 1 : 1, since: goesOn ? run.since : now, last: result }
  return isLongEnough(next, now, better ? okAfter : failAfter) ? { state: result } : { state, run: next }
}

function isLongEnough ({ results, since }: Run, now: number, length: Length): boolean {
  return 'results' in length ? results >= length.results : now - since >= length.milliseconds
}

/** Where a run stands: `RED, 2 of 3 failures` or `OK, passing for 40 s of 60 s`, the last result first. */
export function standing ({ better, results, since, last }: Run, now: number, { okAfter, failAfter }: Lengths): string {
  const length = better ? okAfter : failAfter
  if ('results' in length) return `${last}, ${results} of ${length.results} ${better ? 'successes' : 'failures'}`
  return `${last}, ${better ? 'passing' : 'failing'} for ${inSeconds(now - since)} of ${inSeconds(length.milliseconds)}`
}

/**
 * @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function lengthOption (value: RunLength, option: string): Length {
  const what = `the option "${option}"`
  if (isCount(value)) return { results: whole((value as Count).count, what, 1, Number.MAX_SAFE_INTEGER) }
  if (isDuration(value)) return { milliseconds: milliseconds(value as Duration, what, 1, Infinity) }
  if (typeof value !== 'number') throw invalid(what, 'count(…), a whole number of results or a time such as minute(2)', value)
  return { results: whole(value, `${what}, without a unit a number of results,`, 1, Number.MAX_SAFE_INTEGER) }
}
