import type { HandlerContext, StatusHandler } from '../../types/handler.js'
import type { State, Status, StatusResult } from '../../types/status.js'
import { codedError, show } from '../core/errors.js'
import { invalid } from '../core/options.js'
import { bounded } from '../core/plain-copy.js'
import { isState, OK, RED } from '../core/state.js'
import { toOutcome } from '../core/status.js'

/** A status handler of either kind as the function that asks it. */
export type Ask = (context: HandlerContext) => StatusResult | Promise<StatusResult>

/**
 * @throws ERR_INVALID_HANDLER where it is none; it names the option
 */
export function askOf (task: StatusHandler, option: string): Ask {
  if (typeof task === 'function') return task
  if (typeof task === 'object' && task !== null && typeof task.getStatus === 'function') {
    return (context) => task.getStatus(context)
  }
  throw codedError('ERR_INVALID_HANDLER', `the option "${option}" must be a function or an object with a method getStatus; it is ${show(task)}`)
}

/** What a task answered, as a status. The task's own object where it gave one: whoever keeps it has to copy it. */
export function statusOf (result: unknown): Readonly<Status> {
  try {
    if (typeof result === 'object' && result !== null && isState((result as Status).state)) return result as Status
  } catch {}
  return toOutcome(result, undefined).status
}

/** A function that is written where the option is given has the option's name. */
const namesOfNone = ['', 'task', 'toFail', 'toOk']

/** A task in a few words, for the description of what is around it. */
export function describe (task: StatusHandler): string {
  if (typeof task === 'function') return namesOfNone.includes(task.name) ? 'a function' : task.name
  try {
    const text = String(task)
    return text === '[object Object]' ? 'an object' : bounded(text, 200)
  } catch {
    return 'an object'
  }
}

/** Ends the background work of tasks that have a `stop()`. */
export async function stopAll (tasks: readonly StatusHandler[]): Promise<void> {
  await allEnded([...new Set(tasks)].map(stop))
}

/** Waits for all, also where one fails, and then fails with the first that did. */
export async function allEnded (ends: ReadonlyArray<Promise<void> | undefined>): Promise<void> {
  const failed = (await Promise.allSettled(ends)).find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function stop (task: StatusHandler): Promise<void> {
  const { stop } = task as { stop?: unknown }
  if (typeof stop === 'function') await stop.call(task)
}

/** The state that an option names, or an error. */
export function stateOption (value: unknown, option: string, states: readonly State[]): State {
  const state = value === true ? OK : value === false ? RED : value
  if (isState(state) && states.includes(state)) return state
  throw invalid(`the option "${option}"`, `${states.join(', ')}, true or false`, value)
}

/** A name that was given, or an error. */
export function nameOption (name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '')) return name
  throw invalid('the option "name"', 'a string with a character or more', name)
}
