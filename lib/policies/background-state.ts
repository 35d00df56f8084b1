import type { Status } from '../../types/status.js'
import { RED } from '../core/state.js'
import { makeStatus } from '../core/status.js'
import { inSeconds } from './in-seconds.js'

/** What is known of a task that runs in the background. */
export interface BackgroundState {
  /** What readers get before `until`. */
  readonly shown: Readonly<Status>
  /** When it is too old: `maxAge` after `since`. */
  readonly until: number
  /** When the last result came; before the first, since when it is waited for. */
  readonly since: number
  /** The last result; before the first, what stands in for it. */
  readonly status: Readonly<Status>
  readonly hasResult: boolean
  /** Why there is no newer one, as in `the last run threw Error`. */
  readonly trouble?: string
}

/** @param now of a clock that never goes back */
export function before (status: Readonly<Status>, now: number, maxAge: number): BackgroundState {
  return { shown: status, until: now + maxAge, since: now, status, hasResult: false }
}

export function withResult (status: Readonly<Status>, now: number, maxAge: number): BackgroundState {
  return { shown: status, until: now + maxAge, since: now, status, hasResult: true }
}

/** The last result stands. */
export function withTrouble (state: BackgroundState, trouble: string): BackgroundState {
  const detail = state.hasResult ? state.status.detail : undefined
  return { ...state, trouble, shown: makeStatus(state.status.state, { ...state.status, detail: detail === undefined ? trouble : `${detail}; ${trouble}` }) }
}

/** It runs again: a first result is waited for from now on. */
export function restarted (state: BackgroundState, now: number, maxAge: number): BackgroundState {
  const { status, hasResult } = state
  return hasResult ? { ...state, shown: status, trouble: undefined } : before(status, now, maxAge)
}

/** What readers get: RED where nothing has come for `maxAge`. */
export function statusAt (state: BackgroundState, now: number): Readonly<Status> {
  return now < state.until ? state.shown : tooOld(state, now)
}

function tooOld ({ hasResult, since, trouble }: BackgroundState, now: number): Readonly<Status> {
  const age = inSeconds(now - since)
  const detail = hasResult ? `last result ${age} ago` : `no result in ${age}`
  return Object.freeze({ state: RED, detail: trouble === undefined ? detail : `${detail}; ${trouble}` })
}
