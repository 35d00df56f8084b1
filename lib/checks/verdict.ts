import type { State, Status } from '../../types/status.js'
import { OK, worst } from '../core/state.js'

/** One reason for a state, as a line for people where it is not OK. */
export interface Verdict {
  readonly state: State
  readonly detail?: string
}

/** The worst of all verdicts, with the details of those that are not OK. */
export function statusOf (verdicts: readonly Verdict[], metrics: Record<string, number>): Status {
  const state = verdicts.reduce<State>((state, verdict) => worst(state, verdict.state), OK)
  const details = verdicts.filter((verdict) => verdict.state !== OK).map(({ detail }) => detail)
  return state === OK ? { state, metrics } : { state, detail: details.join('; '), metrics }
}
