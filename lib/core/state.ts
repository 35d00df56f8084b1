import type { State } from '../../types/status.js'

// With their types written out: `async () => OK` would be a Promise<string> otherwise.

/** It works. */
export const OK: 'OK' = 'OK'
/** Another word for `OK`. */
export const GREEN: 'OK' = OK
/** It works, but somebody should have a look. */
export const YELLOW: 'YELLOW' = 'YELLOW'
/** It does not work. */
export const RED: 'RED' = 'RED'

/** What a check returns when it found what it looked for: the same as `OK`. */
export const ok = true
/** What a check returns when it did not: the same as `RED`. */
export const fail = false

/** All states, the better ones first: the index is the severity, and Prometheus' value. */
export const states: readonly State[] = [OK, YELLOW, RED]

export function isState (value: unknown): value is State {
  return value === OK || value === YELLOW || value === RED
}

/** 0 for `OK`, 1 for `YELLOW`, 2 for `RED`. */
export function severity (state: State): 0 | 1 | 2 {
  return state === OK ? 0 : state === YELLOW ? 1 : 2
}

export function worst (a: State, b: State): State {
  return severity(a) >= severity(b) ? a : b
}
