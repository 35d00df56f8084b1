import type { HysteresisOptions } from '../../types/policies.js'
import type { State, Status } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { knownOptions, withMethods } from '../core/options.js'
import { states } from '../core/state.js'
import { makeStatus } from '../core/status.js'
import { count } from '../core/units.js'
import { AskingPolicy } from './asking-policy.js'
import { lengthOption, nextState, standing, type HysteresisState, type Lengths } from './hysteresis-state.js'
import { askOf, describe, nameOption, stateOption, type Ask } from './task.js'

/**
 * A task whose state changes only after a run of results that are all better, or all worse, than it: `okAfter` and
 * `failAfter` say how long the run has to be. A result that agrees with the state ends the run, so that of F S F S F no three
 * failures are made.
 *
 * The state becomes the last result of the run. YELLOW stands between OK and RED:
 *
 * | state | OK comes | YELLOW comes | RED comes |
 * | --- | --- | --- | --- |
 * | OK | agrees | worse: `failAfter` | worse: `failAfter` |
 * | YELLOW | better: `okAfter` | agrees | worse: `failAfter` |
 * | RED | better: `okAfter` | better: `okAfter` | agrees |
 *
 * So from OK a run of YELLOW and RED in any order counts as one, and from YELLOW a better result ends a run of worse ones.
 * A run of a time begins with its first result, and ends with the first of its results that comes at least so long after it:
 * the task is asked when the hysteresis is, so put a `Background` around it where nobody else asks often enough.
 *
 * A task that throws is logged each time, and changes nothing: neither the state nor the run. It says
 * nothing of what it was to look at, so it is no failure, and no agreement that would let a fault hide behind it either.
 *
 * The status is the task's while no run is under way. During a run it is the task's with the state that stands and a detail
 * that says where the run stands: `RED, 2 of 3 failures`.
 *
 * @example
 * new Hysteresis({ task: new TCPCheck({ host: 'db', port: 5432 }), initialState: fail, okAfter: count(5), failAfter: minute(2) })
 */
export class Hysteresis extends AskingPolicy {
  protected readonly ask: Ask
  readonly #lengths: Lengths
  readonly #clock: Clock
  #current: HysteresisState
  /** The state that stands, while no run is under way. */
  #steady: State | undefined

  /**
   * @throws ERR_INVALID_HANDLER, ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options: HysteresisOptions) {
    const { task, initialState = 'YELLOW', okAfter = count(1), failAfter = count(1), name, clock = systemClock } =
      knownOptions(options, ['task', 'initialState', 'okAfter', 'failAfter', 'name', 'clock'], 'Hysteresis')
    const ask = askOf(task, 'task')
    const lengths = { okAfter: lengthOption(okAfter, 'okAfter'), failAfter: lengthOption(failAfter, 'failAfter') }
    withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
    super(nameOption(name) ?? `Hysteresis of ${describe(task)}: better after ${inWords(okAfter)}, worse after ${inWords(failAfter)}`, [task])
    this.ask = ask
    this.#lengths = lengths
    this.#clock = clock
    this.#steady = stateOption(initialState, 'initialState', states)
    this.#current = { state: this.#steady }
  }

  /** The state that stands. */
  get state (): State {
    return this.#current.state
  }

  protected answered (status: Readonly<Status>): Readonly<Status> {
    const { state } = status
    // Agreement without a run is the rule, and has no need of the time.
    if (state === this.#steady) return status
    const now = this.#clock.monotonic()
    this.#current = nextState(this.#current, state, now, this.#lengths)
    const { run } = this.#current
    this.#steady = run === undefined ? state : undefined
    if (run === undefined) return status
    const { detail, ...further } = makeStatus(state, status)
    const stands = standing(run, now, this.#lengths)
    return Object.freeze({ ...further, state: this.#current.state, detail: detail === undefined ? stands : `${stands}: ${detail}` })
  }

  protected threw (how: string): Readonly<Status> {
    const { state, run } = this.#current
    const detail = run === undefined ? `the task ${how}` : `the task ${how}; before that ${standing(run, this.#clock.monotonic(), this.#lengths)}`
    return Object.freeze({ state, detail })
  }
}

/** A bare number is a count. */
function inWords (length: unknown): string {
  return String(typeof length === 'number' ? count(length) : length)
}
