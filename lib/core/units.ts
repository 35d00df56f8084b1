import type { Count, Duration, Time } from '../../types/time.js'
import { codedError, show } from './errors.js'

/** setTimeout fires at once for anything longer: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const longestTimer = 2 ** 31 - 1

const units = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

class TimeSpan implements Duration {
  readonly milliseconds: number
  readonly #text: string

  constructor (amount: number, unit: keyof typeof units) {
    this.milliseconds = number(amount, `the argument of ${unit}()`, 0, Infinity) * units[unit]
    this.#text = `${amount} ${unit}${amount === 1 ? '' : 's'}`
  }

  toString (): string {
    return this.#text
  }
}

class ResultCount implements Count {
  readonly count: number

  constructor (amount: number) {
    this.count = whole(amount, 'the argument of count()', 1, Number.MAX_SAFE_INTEGER)
  }

  toString (): string {
    return `${this.count} result${this.count === 1 ? '' : 's'}`
  }
}

/** `amount` seconds, 0 or more. Wherever a time is asked for, a bare number is milliseconds. */
export function second (amount: number): Duration {
  return new TimeSpan(amount, 'second')
}

/** `amount` minutes, 0 or more. */
export function minute (amount: number): Duration {
  return new TimeSpan(amount, 'minute')
}

/** `amount` hours, 0 or more. */
export function hour (amount: number): Duration {
  return new TimeSpan(amount, 'hour')
}

/** `amount` days, 0 or more. */
export function day (amount: number): Duration {
  return new TimeSpan(amount, 'day')
}

/** `amount` results: a whole number of 1 or more. */
export function count (amount: number): Count {
  return new ResultCount(amount)
}

export function isCount (value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Count>).count === 'number'
}

export function isDuration (value: unknown): value is Duration {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Duration>).milliseconds === 'number'
}

function number (value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw codedError('ERR_INVALID_OPTION', `${what} must be a number, not ${show(value)}`)
  }
  if (value < least || value > most || !Number.isFinite(value)) {
    throw codedError('ERR_OPTION_OUT_OF_RANGE', `${what} must be ${range(least, most)}, not ${value}`)
  }
  return value
}

/** A whole number within limits, or an error that names it. */
export function whole (value: unknown, what: string, least: number, most: number): number {
  const amount = number(value, what, least, most)
  if (!Number.isInteger(amount)) {
    throw codedError('ERR_OPTION_OUT_OF_RANGE', `${what} must be a whole number, not ${amount}`)
  }
  return amount
}

function range (least: number, most: number): string {
  if (most === Infinity) return least === 0 ? 'a finite number of 0 or more' : `a finite number of ${least} or more`
  return `from ${least} to ${most}`
}

/**
 * The milliseconds of a time, or an error that names the parameter.
 *
 * @param least the shortest time in milliseconds that makes sense
 * @param most the longest; by default what a timer can hold
 */
export function milliseconds (time: Time, what: string, least: number, most = longestTimer): number {
  if (isDuration(time)) {
    return number(time.milliseconds, `${what} in milliseconds`, least, most)
  }
  if (typeof time !== 'number') {
    throw codedError('ERR_INVALID_OPTION', `${what} must be a number of milliseconds or a time such as second(5), not ${isCount(time) ? `count(${(time as Count).count})` : show(time)}`)
  }
  return number(time, `${what} in milliseconds`, least, most)
}
