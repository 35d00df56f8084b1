import type { State } from '../../types/status.js'
import { RED } from '../core/state.js'
import { exitCodes, Failure, worstCode, type ExitCode } from './exit.js'
import type { Line } from './lines.js'
import { read, type Reading } from './reading.js'
import type { Asking } from './request.js'
import { tableOf } from './table.js'
import type { Target } from './target.js'

/** What came of asking one service: a reading, or why there is none. */
export type Outcome = { readonly target: Target } & ({ readonly reading: Reading } | { readonly failure: Failure })

/**
 * Asks all of them at once; one that cannot be reached takes nothing away from the others.
 *
 * @throws Interrupted
 */
export async function readAll (targets: readonly Target[], asking: Asking): Promise<Outcome[]> {
  return await Promise.all(targets.map((target) => readOne(target, asking)))
}

export async function readOne (target: Target, asking: Asking): Promise<Outcome> {
  try {
    return { target, reading: await read(target, asking) }
  } catch (error) {
    if (error instanceof Failure) return { target, failure: error }
    throw error
  }
}

export function codeOf (outcomes: readonly Outcome[]): ExitCode {
  return worstCode(outcomes.map((outcome) => 'failure' in outcome ? outcome.failure.code : exitCodes[outcome.reading.state]))
}

/** The tables of those that answered, with an empty line between two, and a line for each of the others. */
export function linesOf (outcomes: readonly Outcome[]): Line[] {
  return outcomes.flatMap((outcome, index) => {
    const lines = 'failure' in outcome ? [unreachable(outcome.target, outcome.failure)] : tableOf(outcome.target, outcome.reading)
    return index === 0 ? lines : [[], ...lines]
  })
}

function unreachable ({ base }: Target, { message }: Failure): Line {
  return [{ text: `${base} is ` }, { text: unknown, color: RED }, { text: `: ${message}` }]
}

const unknown = 'UNREACHABLE'

/** One document for programs, whatever came of it. */
export function documentOf (outcomes: readonly Outcome[], now: number): object {
  const code = codeOf(outcomes)
  const states: ReadonlyArray<State | typeof unknown> = ['OK', 'YELLOW', 'RED', unknown]
  return {
    state: states[code],
    at: new Date(now).toISOString(),
    services: outcomes.map((outcome) => {
      const url = outcome.target.base
      if ('failure' in outcome) return { url, state: unknown, error: outcome.failure.message }
      const { state, probe = null, decommission = null, handlers } = outcome.reading
      return { url, state, probe, decommission, handlers }
    })
  }
}
