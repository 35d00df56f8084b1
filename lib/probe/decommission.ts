import type { Decommission, DecommissionOptions } from '../../types/decommission.js'
import { codedError, show } from '../core/errors.js'
import { knownOptions } from '../core/options.js'
import { OK } from '../core/state.js'
import { day, milliseconds, second } from '../core/units.js'

const longestText = 256

/** How long a decommission may be made for, in milliseconds. */
export const shortest = second(1).milliseconds
export const longest = day(365).milliseconds

/**
 * Refuses a body that no probe could answer.
 *
 * @throws ERR_INVALID_DECOMMISSION
 */
export function checkBody (body: unknown): asserts body is string {
  checkText(body, 'body')
}

function checkText (text: unknown, what: 'body' | 'reason' | 'by'): asserts text is string {
  const problem = typeof text !== 'string'
    ? 'be a string'
    : text.length === 0 || text.length > longestText
      ? `have 1 to ${longestText} characters`
      : /\p{Cc}/u.test(text) || !text.isWellFormed() ? 'have no control characters' : undefined
  if (problem !== undefined) throw refused(`${what === 'by' ? '"by"' : `the ${what}`} must ${problem}; it is ${show(text)}`)
}

/** The error for whoever asked for a decommission that cannot be. */
export function refused (problem: string): Error {
  return codedError('ERR_INVALID_DECOMMISSION', `${problem}; nothing was changed`, { statusCode: 400 })
}

export function isInService (body: string): boolean {
  return body.toUpperCase() === OK
}

/**
 * A decommission that begins now.
 *
 * @throws ERR_INVALID_DECOMMISSION, and for the options ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function newDecommission (body: string, options: DecommissionOptions | undefined, now: number): Decommission {
  checkBody(body)
  if (isInService(body)) {
    throw codedError('ERR_INVALID_DECOMMISSION', `the body ${show(body)} would say that the instance is in service: recommission it instead`, { statusCode: 400 })
  }
  const { for: time, reason, by } = knownOptions(options, ['for', 'reason', 'by'], 'decommission')
  if (reason !== undefined) checkText(reason, 'reason')
  if (by !== undefined) checkText(by, 'by')
  return {
    body,
    since: now,
    ...time !== undefined && { until: now + milliseconds(time, 'the option "for"', shortest, longest) },
    ...reason !== undefined && { reason },
    ...by !== undefined && { by }
  }
}

/** What a store keeps outside this process: JSON, `null` being "in service". */
export function toText (decommission: Decommission | undefined): string {
  return JSON.stringify(decommission ?? null)
}

/**
 * What a store kept. Properties that a later version may add are left out.
 *
 * @throws ERR_STORE_CORRUPT
 */
export function fromText (text: string): Decommission | undefined {
  try {
    const stored = JSON.parse(text) as Partial<Decommission> | null
    if (stored === null) return undefined
    const { body, since, until, reason, by } = stored
    checkBody(body)
    checkMoment(since)
    if (until !== undefined) checkMoment(until)
    for (const [what, value] of [['reason', reason], ['by', by]] as const) {
      if (value !== undefined) checkText(value, what)
    }
    if (isInService(body)) throw new TypeError('it is in service')
    return { body, since, ...until !== undefined && { until }, ...reason !== undefined && { reason }, ...by !== undefined && { by } }
  } catch {
    // What is there instead is not shown: it may be the file of somebody else.
    throw codedError('ERR_STORE_CORRUPT', 'what is stored is no decommission')
  }
}

function checkMoment (moment: unknown): asserts moment is number {
  // What is no Date cannot be shown: https://tc39.es/ecma262/#sec-timeclip
  if (typeof moment !== 'number' || Number.isNaN(new Date(moment).getTime())) throw new TypeError('it is no moment')
}
