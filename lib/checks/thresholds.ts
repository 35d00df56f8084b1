import { codedError, show } from '../core/errors.js'
import { OK, RED, YELLOW } from '../core/state.js'
import type { State } from '../../types/status.js'

/** From where on a number is YELLOW and RED; `undefined`: never. */
export interface Thresholds {
  readonly yellow: number | undefined
  readonly red: number | undefined
}

/** Where more is worse. */
export function above (value: number, { yellow = Infinity, red = Infinity }: Thresholds): State {
  return value > red ? RED : value > yellow ? YELLOW : OK
}

/** Where less is worse. */
export function below (value: number, { yellow = -Infinity, red = -Infinity }: Thresholds): State {
  return value < red ? RED : value < yellow ? YELLOW : OK
}

/**
 * The thresholds of two options, or those to have where neither is given.
 *
 * @param worse whether the first number is worse than the second: RED must not be passed before YELLOW
 * @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function thresholdsOf<Name extends string> (options: { readonly [name in Name]?: number }, yellow: Name, red: Name, most: number, worse: (a: number, b: number) => boolean): Thresholds {
  const found = { yellow: numberOf(options[yellow], yellow, most), red: numberOf(options[red], red, most) }
  if (found.yellow !== undefined && found.red !== undefined && worse(found.yellow, found.red)) {
    throw codedError('ERR_OPTION_OUT_OF_RANGE', `the option "${yellow}" must be passed before the option "${red}", which is ${found.red}: ${found.yellow} is past it`)
  }
  return found
}

export const more = (a: number, b: number): boolean => a > b
export const less = (a: number, b: number): boolean => a < b

function numberOf (value: unknown, name: string, most: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw codedError('ERR_INVALID_OPTION', `the option "${name}" must be a number, not ${show(value)}`)
  }
  if (value < 0 || value > most) throw codedError('ERR_OPTION_OUT_OF_RANGE', `the option "${name}" must be from 0 to ${most}, not ${value}`)
  return value
}

/** The larger unit that fits, with one decimal, such as `4.3 GB`. */
export function bytes (amount: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, amount)) / 3))
  return power === 0 ? `${amount} bytes` : `${(amount / 1000 ** power).toFixed(1)} ${units[power]}`
}

export function percent (ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}
