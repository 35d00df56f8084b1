import { isDeepStrictEqual } from 'node:util'
import type { Fault, State, Status } from '../../types/status.js'
import { show } from './errors.js'
import { bounded, plainCopy, setOwn } from './plain-copy.js'
import { isState, OK, RED, states, YELLOW } from './state.js'

/** A status as the registry keeps it: a frozen copy, with the reason where the handler did not mean it. */
export interface Outcome {
  readonly status: Readonly<Status>
  readonly fault?: Fault
  /** How many properties the status has. */
  readonly size: number
}

const most = { metrics: 100, nameLength: 100 }

const bare: Readonly<Record<State, Outcome>> = {
  OK: bareOutcome(OK),
  YELLOW: bareOutcome(YELLOW),
  RED: bareOutcome(RED)
}

function bareOutcome (state: State): Outcome {
  return outcomeOf(Object.freeze({ state }))
}

/**
 * Makes an outcome of whatever a handler returned. Never throws.
 *
 * @param last the outcome before, which is given again when nothing changed: formats keep the text of a status that is the same object
 */
export function toOutcome (result: unknown, last: Outcome | undefined): Outcome {
  if (typeof result === 'object' && result !== null) {
    try {
      return fromObject(result, last)
    } catch {
      return keep(last, faulty('invalid', 'returned an object whose state cannot be read'))
    }
  }
  const state = result === true ? OK : result === false ? RED : result
  return isState(state)
    ? keep(last, bare[state])
    : keep(last, faulty('invalid', `returned ${show(result)}, which is no status: expected a status, ${states.join(', ')}, true or false`))
}

export function outcomeOf (status: Readonly<Status>, fault?: Fault): Outcome {
  return { status, fault, size: Object.keys(status).length }
}

function fromObject (result: object, last: Outcome | undefined): Outcome {
  // A policy hands on the very object that it was given.
  if (last !== undefined && last.fault === undefined && (result === last.status || hasSameValues(result, last))) return last
  // One of ours needs no copy: a policy gives what it was given.
  if (Made.has(result)) return keep(last, outcomeOf(result as Readonly<Status>))
  const { state } = result as { state?: unknown }
  if (!isState(state)) {
    return keep(last, faulty('invalid', state === undefined
      ? 'returned an object without a state'
      : `returned the unknown state ${show(state)}: expected ${states.join(', ')}`))
  }
  const outcome = outcomeOf(makeStatus(state, result))
  return keep(last, outcome.size === 1 ? bare[state] : outcome)
}

/** A frozen, bounded status of a state and whatever properties belong to it. */
export function makeStatus (state: State, properties: object): Readonly<Status> {
  const { detail, ...further } = plainCopy(properties, 'metrics')
  const status: Status = { state }
  if (detail !== undefined && detail !== null) status.detail = typeof detail === 'string' ? detail : bounded(JSON.stringify(detail))
  const numbers = numbersOf(properties)
  if (numbers !== undefined) status.metrics = numbers
  for (const key of Object.keys(further)) {
    if (key !== 'state') setOwn(status, key, further[key])
  }
  return Object.freeze(Made.mark(status))
}

class Given {
  constructor (given: object) {
    return given
  }
}

/** Marks what `makeStatus` made, by a private field in an object that is otherwise plain: nobody can forge it, and unlike a WeakSet it costs next to nothing. */
class Made extends Given {
  #made = true

  static mark<T extends object> (given: T): T {
    return new Made(given) as unknown as T
  }

  static has (object: object): boolean {
    return #made in object
  }
}

/** The metrics that are numbers, from the source: a plain copy has lost what is not finite or is a BigInt. */
function numbersOf (properties: { metrics?: unknown }): Record<string, number> | undefined {
  try {
    const { metrics } = properties
    if (typeof metrics !== 'object' || metrics === null) return undefined
    const numbers: Record<string, number> = {}
    for (const key of Object.keys(metrics).slice(0, most.metrics)) {
      const value: unknown = (metrics as Record<string, unknown>)[key]
      if (typeof value === 'number' || typeof value === 'bigint') {
        setOwn(numbers, bounded(key, most.nameLength), Number(value))
      }
    }
    return Object.freeze(numbers)
  } catch {
    return undefined
  }
}

/** The quick look that spares a copy: own primitive values that are all the same. */
function hasSameValues (result: object, { status, size }: Outcome): boolean {
  let keys = 0
  try {
    if ((result as { state?: unknown }).state !== status.state) return false
    for (const key in result) {
      const value = (result as Record<string, unknown>)[key]
      // No copy holds what is undefined, and every status is undefined where it has no such key.
      if (value === undefined || value !== status[key]) return false
      keys++
    }
  } catch {
    return false
  }
  return keys === size
}

function keep (last: Outcome | undefined, outcome: Outcome): Outcome {
  if (last === undefined || last === outcome || last.fault !== outcome.fault) return outcome
  return isDeepStrictEqual(last.status, outcome.status) ? last : outcome
}

/** RED, because of the handler and not by its word. */
export function faulty (fault: Fault, detail: string): Outcome {
  return outcomeOf(Object.freeze({ state: RED, detail }), fault)
}

/** What a handler threw: only the error's name and code are shown, since messages carry passwords. */
export function thrown (error: unknown, last: Outcome | undefined): Outcome {
  return keep(last, faulty('threw', `threw ${nameOf(error)}`))
}

/** The name and the code of an error, which is all of it that may be shown; never throws. */
export function nameOf (error: unknown): string {
  try {
    if (!(error instanceof Error)) return `${kindOf(error)}, not an Error`
    const { code } = error as { code?: unknown }
    const name = bounded(String(error.name), most.nameLength)
    return typeof code === 'string' || typeof code === 'number' ? `${name} ${bounded(String(code), most.nameLength)}` : name
  } catch {
    return 'an error that cannot be read'
  }
}

function kindOf (value: unknown): string {
  if (value === undefined || value === null) return String(value)
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

/** A handler that was never asked: shown as YELLOW, for it is not known to be OK. */
export const notAsked: Readonly<Status> = Object.freeze({ state: YELLOW, detail: 'not asked yet' })
