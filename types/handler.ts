import type { Logger } from './logger.js'
import type { StatusResult } from './status.js'
import type { Time } from './time.js'

/** What a status handler is given when it is asked. */
export interface HandlerContext {
  /** The name the handler is registered under. */
  readonly name: string
  /** Aborts when the handler runs past its timeout. Made only when it is read. */
  readonly signal: AbortSignal
  readonly log: Logger
}

/** An object that can be asked for its status. */
export interface StatusProvider {
  getStatus (context: HandlerContext): StatusResult | Promise<StatusResult>
}

/**
 * Anything that answers "how are you?".
 *
 * An async function that is nothing but `async () => 'OK'` is a `Promise<string>` to TypeScript: return the constant `OK`.
 */
export type StatusHandler =
  | ((context: HandlerContext) => StatusResult | Promise<StatusResult>)
  | StatusProvider

export interface StatusHandlerOptions {
  /** How long a run may take before the handler is RED. Default: the registry's, `second(5)`; more than 0, at most 2,147,483,647 ms. */
  timeout?: Time
  /** How long a result is given again without another run. Default 0: every reader that finds no run under way starts one. */
  cache?: Time
  /** Whether RED makes the overall state RED; otherwise it counts there as YELLOW. Default true. */
  critical?: boolean
  /** One line for people: what this handler looks at. */
  description?: string
  /** Words to select handlers by, such as `['database']`. */
  tags?: readonly string[]
  /** Take the place of a handler that has the name already. Default false: a second handler is an error. */
  replace?: boolean
}
