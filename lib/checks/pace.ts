import type { PaceOptions } from '../../types/checks.js'
import { OK, RED, YELLOW } from '../core/state.js'
import { milliseconds } from '../core/units.js'
import type { Verdict } from './verdict.js'

const fine: Verdict = { state: OK }

/** How slow is too slow. */
export class Pace {
  readonly #yellow: number
  readonly #red: number

  /** @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE where a threshold can never be passed */
  constructor ({ yellowAfter, redAfter }: PaceOptions, timeout: number) {
    this.#red = redAfter === undefined ? Infinity : milliseconds(redAfter, 'the option "redAfter"', 0, timeout)
    this.#yellow = yellowAfter === undefined ? Infinity : milliseconds(yellowAfter, 'the option "yellowAfter"', 0, Math.min(this.#red, timeout))
  }

  /** @param what what took so many milliseconds, such as "the answer" */
  judge (what: string, took: number): Verdict {
    if (took > this.#red) return { state: RED, detail: `${what} took ${Math.round(took)} ms, more than ${this.#red} ms` }
    if (took > this.#yellow) return { state: YELLOW, detail: `${what} took ${Math.round(took)} ms, more than ${this.#yellow} ms` }
    return fine
  }
}

/** Milliseconds as seconds, to the microsecond. */
export function seconds (took: number): number {
  return Math.round(took * 1000) / 1e6
}
