import { Option } from 'commander'
import { longestTimer } from '../core/units.js'
import { writtenTime } from '../core/written-time.js'
import { UsageError } from './exit.js'
import { plain } from './plain.js'
import { targetOf, type Target } from './target.js'

const expected = 'must be a whole number and a unit (ms, s, m, h or d), from 1ms to 24d, such as 60s or 5m'

/**
 * A time that a timer can hold, in milliseconds.
 *
 * @throws UsageError
 */
export function timeOf (text: string, what: string): number {
  const time = writtenTime(text)
  if (time !== undefined && time >= 1 && time <= longestTimer) return time
  throw new UsageError(`${what} ${expected}; it is ${plain(JSON.stringify(text), 60)}`)
}

export function timeOption (flags: string, description: string): Option {
  return new Option(`${flags} <time>`, description).argParser((text) => timeOf(text, flags))
}

/** The options of every command that asks services. */
export interface AskingOptions {
  readonly timeout: number
  readonly tokenFile?: string
  readonly tokenOverHttp?: true
}

export function requestTimeout (): Option {
  return timeOption('--timeout', 'how long an answer may take').default(10_000, '10s')
}

export function tokenOptions (): Option[] {
  return [
    new Option('--token-file <file>', 'a file that holds the token, closed to other users'),
    new Option('--token-over-http', 'let the token go to other machines without encryption')
  ]
}

/** @throws UsageError */
export function targetsOf (addresses: readonly string[]): Target[] {
  if (addresses.length === 0) throw new UsageError('which service? Give its address, such as localhost:8080')
  return addresses.map(targetOf)
}
