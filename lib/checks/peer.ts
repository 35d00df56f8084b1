import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { PeerCheckOptions } from '../../types/checks.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { invalid, ofKind, withMethods } from '../core/options.js'
import { milliseconds, second } from '../core/units.js'
import { Names, systemNames } from './names.js'
import { Pace } from './pace.js'

/** The options of every check that asks another machine. */
export const peerOptions = ['timeout', 'yellowAfter', 'redAfter', 'name', 'lookup', 'clock'] as const

export interface Peer {
  readonly timeout: number
  readonly pace: Pace
  readonly clock: Clock
  readonly names: Names
}

/** @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE */
export function peerOf (options: PeerCheckOptions): Peer {
  const { lookup, clock = systemClock, timeout: limit = second(4) } = options
  ofKind(lookup, 'function', 'the option "lookup"')
  withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
  const timeout = milliseconds(limit, 'the option "timeout"', 1)
  return {
    timeout,
    pace: new Pace(options, timeout),
    clock,
    names: lookup === undefined ? systemNames : new Names(lookup)
  }
}

/**
 * How long to try one of several addresses of a name before the next. Node's 250 ms would give up a distant peer
 * that answers in 300 ms: https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
 */
export function attemptTimeout (timeout: number): number {
  return Math.max(250, Math.ceil(timeout / 4))
}

/** The names that the DNS takes, and underscores, which people use: https://www.rfc-editor.org/rfc/rfc1123#page-13 */
const hostName = /^[\w.-]{1,253}$/

/**
 * An IP address, or a host name in the letters that the DNS has.
 *
 * @throws ERR_INVALID_OPTION
 */
export function hostOf (value: unknown, what: string): string {
  if (typeof value === 'string' && !/[\s\p{Cc}]/u.test(value)) {
    const host = /^\p{ASCII}*$/u.test(value) ? value : domainToASCII(value)
    if (isIP(host) !== 0 || hostName.test(host)) return host
  }
  throw invalid(what, 'a host name or an IP address, without brackets or a port', value)
}

/** Host and port as people write them. */
export function hostAndPort (host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

/** What went wrong, as a code or an error's name: messages may carry what nobody should see. */
export function reasonOf (error: unknown): string {
  const { code, name } = error as { code?: unknown, name?: unknown }
  return String(code ?? name)
}
