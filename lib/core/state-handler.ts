import type { Logger } from '../../types/logger.js'
import type { State, Status } from '../../types/status.js'
import type { StatusProvider } from '../../types/handler.js'
import { codedError, show } from './errors.js'
import { invalid, knownOptions, withMethods } from './options.js'
import { isState, states, YELLOW } from './state.js'
import { makeStatus } from './status.js'

/** How a registry is told of a new status at once. Package-internal. */
export const observe = Symbol('fastify-svc-status.observe')

export interface Observable {
  /** Gives the function that ends it, or `undefined` where the status has to be asked for. */
  [observe] (listener: (status: Readonly<Status>) => void): (() => void) | undefined
}

/** What `StateHandlerMixin` adds to a class. */
export interface StateKeeper extends StatusProvider {
  /** Where changes of state are logged, one line each at `info`. */
  logger?: Logger
  /** The state that was set; `YELLOW` before the first. */
  readonly state: State
  /**
   * Sets the state, with a `detail` for people and further properties for JSON.
   *
   * @throws ERR_INVALID_STATE when it is none of `OK`, `YELLOW`, `RED`
   * @throws ERR_INVALID_OPTION when `properties` is not an object
   */
  setState (state: State, properties?: Omit<Partial<Status>, 'state'>): void
  getStatus (): Readonly<Status>
}

// A mixin's constructor takes whatever its base takes: https://www.typescriptlang.org/docs/handbook/mixins.html
type Constructor<T = object> = new (...args: any[]) => T

const unset: Readonly<Status> = Object.freeze({ state: YELLOW, detail: 'no state was set yet' })

/**
 * Makes any class a status handler that keeps its own state.
 *
 * @example
 * class Worker extends StateHandlerMixin(EventEmitter) {
 *   async run () {
 *     this.setState(OK)
 *     …
 *     this.setState(RED, { detail: 'stopped' })
 *   }
 * }
 * addStatusHandler('worker', new Worker())
 */
export function StateHandlerMixin<Base extends Constructor> (base: Base): Base & Constructor<StateKeeper> {
  class KeepsState extends base implements StateKeeper, Observable {
    declare logger?: Logger
    #status = unset
    readonly #listeners = new Set<(status: Readonly<Status>) => void>()

    get state (): State {
      return this.#status.state
    }

    setState (state: State, properties: Omit<Partial<Status>, 'state'> = {}): void {
      if (!isState(state)) throw codedError('ERR_INVALID_STATE', `a state must be ${states.join(', ')}, not ${show(state)}`)
      if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) {
        throw invalid('the properties of a state', 'an object such as { detail: "stopped" }', properties)
      }
      const last = this.#status
      this.#status = makeStatus(state, properties)
      for (const listener of this.#listeners) listener(this.#status)
      if (last.state === state) return
      // A log that has ended, say, is no reason for a worker to fail.
      try { this.logger?.info(changeLine(last.state, this.#status)) } catch {}
    }

    getStatus (): Readonly<Status> {
      return this.#status
    }

    [observe] (listener: (status: Readonly<Status>) => void): (() => void) | undefined {
      // A subclass that computes its status has to be asked for it.
      if (this.getStatus !== KeepsState.prototype.getStatus) return undefined
      this.#listeners.add(listener)
      listener(this.#status)
      return () => { this.#listeners.delete(listener) }
    }
  }
  return KeepsState
}

function changeLine (from: State, { state, detail }: Readonly<Status>): string {
  const line = `state change: ${from} -> ${state}`
  return detail === undefined ? line : `${line} ${JSON.stringify(detail)}`
}

export interface StateHandlerOptions {
  logger?: Logger
}

/**
 * A status handler that answers what was last set: `YELLOW` until `setState` was called once.
 *
 * @example
 * const worker = new StateHandler({ logger })
 * addStatusHandler('worker', worker)
 * worker.setState(RED, { detail: 'stopped' })
 */
export class StateHandler extends StateHandlerMixin(class {}) {
  constructor (options?: StateHandlerOptions) {
    super()
    const { logger } = knownOptions(options, ['logger'], 'StateHandler')
    withMethods(logger, ['info'], 'the option "logger"')
    if (logger !== undefined) this.logger = logger
  }
}
