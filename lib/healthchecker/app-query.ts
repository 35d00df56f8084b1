import type { FleetQuery, HealthState } from '../../types/healthchecker.js'
import { codedError, show, type CodedError } from '../core/errors.js'

export const healthStates: readonly HealthState[] = ['UNKNOWN', 'HEALTHY', 'DEGRADING', 'UNHEALTHY']
export const listedStates = [...healthStates, 'PAUSED'] as const

const known = ['state', 'tag', 'search', 'offset', 'limit']
const longestWord = 200

export const usualLimit = 100
export const largestLimit = 1_000

/**
 * The apps that the query of an address asks for.
 *
 * @throws ERR_INVALID_OPTION, with status code 400
 */
export function readQuery (query: Readonly<Record<string, unknown>>): FleetQuery {
  for (const [key, value] of Object.entries(query)) {
    if (!known.includes(key)) throw refusal(`the query has no ${show(key)}; it has ${known.join(', ')}`)
    if (typeof value !== 'string') throw refusal(`the query must have "${key}" once`)
    if (value.length > longestWord) throw refusal(`"${key}" of the query must have ${longestWord} characters at most, not ${value.length}`)
  }
  // A form sends what was left empty too.
  const { state = '', tag = '', search = '', offset = '', limit = '' } = query as Readonly<Record<string, string>>
  return {
    ...state === '' ? {} : stateOf(state),
    ...tag === '' ? {} : { tag },
    ...search === '' ? {} : { search },
    offset: offset === '' ? 0 : whole('offset', offset, 0, 1e9),
    limit: limit === '' ? usualLimit : whole('limit', limit, 1, largestLimit)
  }
}

/** One that is paused is in no other state of the list. */
function stateOf (came: string): FleetQuery {
  if (came === 'PAUSED') return { paused: true }
  const state = healthStates.find((one) => one === came)
  if (state === undefined) throw refusal(`"state" of the query must be ${listedStates.join(', ')}, not ${show(came)}`)
  return { state, paused: false }
}

function whole (key: string, came: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(came) ? Number(came) : NaN
  if (!(number >= least && number <= most)) throw refusal(`"${key}" of the query must be a whole number from ${least} to ${most}, not ${show(came)}`)
  return number
}

function refusal (message: string): CodedError {
  return codedError('ERR_INVALID_OPTION', message, { statusCode: 400 })
}
