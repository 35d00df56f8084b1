import { InvalidArgumentError, Option } from 'commander'
import { longestTimer } from '../core/units.js'
import { writtenTime } from '../core/written-time.js'
import { UsageError } from './exit.js'
import { targetOf, type Target } from './target.js'

/** A time that a timer can hold, in milliseconds. */
export function timeOption (text: string): number {
  const time = writtenTime(text)
  if (time === undefined || time < 1 || time > longestTimer) {
    throw new InvalidArgumentError('It must be a whole number and a unit (ms, s, m, h or d), from 1ms to 24d, such as 60s or 5m.')
  }
  return time
}

/** The options of every command that asks services. */
export interface AskingOptions {
  readonly timeout: number
  readonly tokenFile?: string
  readonly tokenOverHttp: boolean
}

export function requestTimeout (): Option {
  return new Option('--timeout <time>', 'how long an answer may take').default(10_000, '10s').argParser(timeOption)
}

export function tokenOptions (): Option[] {
  return [
    new Option('--token-file <file>', 'a file that holds the token, closed to other users'),
    new Option('--token-over-http', 'let the token go to other machines without encryption').default(false, 'no')
  ]
}

/** @throws UsageError */
export function targetsOf (addresses: readonly string[]): Target[] {
  if (addresses.length === 0) throw new UsageError('which service? Give its address, such as localhost:8080')
  return addresses.map(targetOf)
}
