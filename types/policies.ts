import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from './auth.js'
import type { StatusHandler } from './handler.js'
import type { Logger } from './logger.js'
import type { State } from './status.js'
import type { Clock, Count, Duration, Time } from './time.js'

/** How long a run has to be: `count(5)` results, or a time such as `minute(2)`. A bare whole number is a count. */
export type RunLength = Count | Duration | number

/** A state to begin with; `ok` (true) is `OK`, `fail` (false) is `RED`. */
export type InitialState = State | boolean

export interface HysteresisOptions {
  /** What is asked. */
  task: StatusHandler
  /** The state before the first change. Default `YELLOW`: nothing is known yet. */
  initialState?: InitialState
  /** How long a run of better results has to be. Default `count(1)`: the first one counts. 1 or more results, or 1 ms or more. */
  okAfter?: RunLength
  /** How long a run of worse results has to be. Default `count(1)`: the first one counts. 1 or more results, or 1 ms or more. */
  failAfter?: RunLength
  /** What it is called in `toString()`. Default: a description. */
  name?: string
  /** Where the time comes from. Default: the system. */
  clock?: Clock
}

export interface BackgroundOptions {
  /** What is asked. */
  task: StatusHandler
  /** How long to wait after the end of a run before the next one begins. 1 to 2,147,483,647 ms. */
  delay: Time
  /** How long a run may take before its signal aborts and its result is not waited for any more. Default `second(5)`; 1 to 2,147,483,647 ms. */
  timeout?: Time
  /** What readers get before the first result, for `maxAge` at most. Default: `YELLOW`, "not asked yet". */
  initialState?: InitialState
  /** Whether it begins at once. Default true; otherwise `start()` begins. */
  start?: boolean
  /** After how long without a result the status is `RED`. Default 3 x `delay` + `timeout`; 1 ms or more. */
  maxAge?: Time
  /** What it is called in `toString()`, and what the task finds in its context. Default: a description. */
  name?: string
  /** Where the time comes from. Default: the system. */
  clock?: Clock
}

export interface OneshotOptions {
  /** What it answers while it is not armed: `OK` or `RED`; `ok` (true) and `fail` (false) will do. Default `RED`. */
  defaultState?: 'OK' | 'RED' | boolean
  /** Who may arm it by a request. Default: nobody; `fire()` without a request arms it in any case. */
  auth?: Auth
  /** What it is called in `toString()`. Default: a description. */
  name?: string
}

export interface ToggleOptions {
  /** Asked while the state is `OK`: where it says `RED`, the state becomes `RED`. */
  toFail: StatusHandler
  /** Asked while the state is `RED`: where it says `OK`, the state becomes `OK`. */
  toOk: StatusHandler
  /** `OK` or `RED`; `ok` (true) and `fail` (false) will do. Default `OK`. */
  initialState?: 'OK' | 'RED' | boolean
  /** What it is called in `toString()`. Default: a description. */
  name?: string
}

/**
 * What a POST to a component does: `true` is answered with 200, `false` with 401, what it throws with 500 (or the error's own
 * `statusCode`). It may set headers and a code of its own, or send a reply itself.
 */
export interface OnPost {
  (request: FastifyRequest, reply: FastifyReply): boolean | FastifyReply | void | Promise<boolean | FastifyReply | void>
  /** The `WWW-Authenticate` header of the 401. */
  readonly challenge?: string
  /** What a refused request should have brought, for the reply. */
  readonly expects?: string
}

/** `Oneshot.fire`, which can be an `onPost` as it is. */
export interface Fire {
  (request?: FastifyRequest): Promise<boolean>
  /** The challenge of the `auth`. */
  readonly challenge?: string
  /** What the `auth` expects. */
  readonly expects?: string
}

export interface HealthCheckServerOptions {
  /** The TCP port: 0 to 65535, where 0 takes any free one. */
  port: number
  /** The address or name to listen on. Default `localhost`; `0.0.0.0` or `::` for all interfaces. */
  host?: string
  /** How long a task may take before its component is `RED`. Default `second(30)`; 1 to 2,147,483,647 ms. */
  timeout?: Time
  /** Hears of tasks that throw or hang and of what `onPost` throws. Default: warnings and errors go to stderr, a line of JSON each; `false`: nobody hears. */
  logger?: Logger | false
}

export interface ComponentOptions {
  /** What a POST does. Default: it is answered with 405. */
  onPost?: OnPost
}
