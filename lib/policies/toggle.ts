import type { ToggleOptions } from '../../types/policies.js'
import type { State, Status } from '../../types/status.js'
import { knownOptions } from '../core/options.js'
import { OK, RED } from '../core/state.js'
import { makeStatus } from '../core/status.js'
import { AskingPolicy } from './asking-policy.js'
import { askOf, describe, nameOption, stateOption, type Ask } from './task.js'

/** What becomes of a toggle when the side that was asked says `result`; YELLOW never switches. */
export function toggled (state: 'OK' | 'RED', result: State): 'OK' | 'RED' {
  return result === 'YELLOW' ? state : result
}

/**
 * A switch with a task for each direction: while it is OK it asks `toFail` and becomes RED when that says RED; while it is RED
 * it asks `toOk` and becomes OK when that says OK. The other one is not asked, and never both at once.
 *
 * While it is OK, a YELLOW of `toFail` is shown and does not switch. While it is RED, a YELLOW of `toOk` is shown as RED; where
 * `toOk` has no detail to show, the status is the one that `toFail` failed with. A task that throws is
 * logged each time, and the state stays.
 *
 * A `Hysteresis` as `toFail` is not asked while the toggle is RED and still has its own state when the toggle is OK again: leave
 * its `okAfter` at one result, or the toggle is back at RED with the next answer.
 *
 * @example
 * new Toggle({ toFail: new Hysteresis({ task, initialState: ok, failAfter: count(10) }), toOk: reset })
 */
export class Toggle extends AskingPolicy {
  readonly #toFail: Ask
  readonly #toOk: Ask
  #state: 'OK' | 'RED'
  /** Shown while it is RED and `toOk` has nothing to say. */
  #failed: Readonly<Status>

  /**
   * @throws ERR_INVALID_HANDLER, ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION
   */
  constructor (options: ToggleOptions) {
    const { toFail, toOk, initialState = OK, name } = knownOptions(options, ['toFail', 'toOk', 'initialState', 'name'], 'Toggle')
    const [askToFail, askToOk] = [askOf(toFail, 'toFail'), askOf(toOk, 'toOk')]
    super(nameOption(name) ?? `Toggle: RED by ${describe(toFail)}, OK by ${describe(toOk)}`, [toFail, toOk])
    this.#toFail = askToFail
    this.#toOk = askToOk
    this.#state = stateOption(initialState, 'initialState', [OK, RED]) as 'OK' | 'RED'
    this.#failed = Object.freeze({ state: RED, detail: `waits for ${describe(toOk)}` })
  }

  get state (): 'OK' | 'RED' {
    return this.#state
  }

  protected get ask (): Ask {
    return this.#state === OK ? this.#toFail : this.#toOk
  }

  protected answered (status: Readonly<Status>): Readonly<Status> {
    const { state } = status
    const before = this.#state
    this.#state = toggled(before, state)
    if (before === OK) {
      if (state === RED) this.#failed = makeStatus(RED, status)
      return status
    }
    if (state === OK) return status
    if (status.detail === undefined) return this.#failed
    return state === RED ? status : makeStatus(RED, status)
  }

  protected threw (how: string): Readonly<Status> {
    return Object.freeze({ state: this.#state, detail: `the task ${how}` })
  }
}
