import type { StatusHandler, StatusHandlerOptions } from './handler.js'
import type { Logger } from './logger.js'
import type { Snapshot, StatusChange } from './snapshot.js'
import type { State, Status } from './status.js'
import type { Clock, Time } from './time.js'

export interface RegistryOptions {
  /** Hears of handlers that throw or hang. Default: none. */
  logger?: Logger
  /** How long a handler without a timeout of its own may take. Default `second(5)`. */
  timeout?: Time
  /** Where the time comes from. Default: the system. */
  clock?: Clock
}

export interface AskOptions {
  /** How long a handler without a timeout of its own may take. Default: the registry's. */
  timeout?: Time
}

export interface SnapshotOptions extends AskOptions {
  /** Ask only handlers that have one of these tags. Default: all. */
  tags?: readonly string[]
}

export interface WaitOptions {
  /** How long between two questions. Default `second(1)`. */
  interval?: Time
  /** After how long to give up, with `false`. Default: never. */
  timeout?: Time
  /** Whether an unknown name is an error. Default false: it may still be added. */
  throwOnUnknown?: boolean
  /** Ends the waiting: the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** What formats, routes and plugins use of a `StatusRegistry`. */
export interface Registry {
  addStatusHandler (name: string, handler: StatusHandler, options?: StatusHandlerOptions): void
  removeStatusHandler (name: string): boolean
  /** How many handlers there are. */
  readonly size: number
  has (name: string): boolean
  /** The handler under a name. */
  handler (name: string): StatusHandler | undefined
  /** Hears of handlers that throw or hang; the plugin sets the app's log while there is none. */
  logger: Logger | undefined
  getStatus (name: string, options?: AskOptions): Promise<Readonly<Status>>
  isInState (name: string, state: State): Promise<boolean>
  waitForStatus (name: string, state: State, options?: WaitOptions): Promise<boolean>
  snapshot (options?: SnapshotOptions): Promise<Snapshot>
  latest (): Snapshot
  on (event: 'change', listener: (change: StatusChange) => void): this
  off (event: 'change', listener: (change: StatusChange) => void): this
}
