import type { Registry } from './registry.js'
import type { Decommission, DecommissionOptions } from './decommission.js'
import type { StatusHandler, StatusHandlerOptions } from './handler.js'
import type { Time } from './time.js'

export interface DrainOptions {
  /** How long the probe answers 503 before the app closes. Default `second(10)`; 0 is allowed. */
  delay?: Time
}

/** What the plugin puts on a Fastify instance. */
export interface SvcStatus {
  readonly registry: Registry
  /** The decommission that stands, if there is one. */
  readonly decommissioned: Decommission | undefined
  /** Whether `drain` was called. */
  readonly draining: boolean
  /** Adds a handler to the registry; it leaves it when the app closes. */
  addStatusHandler (name: string, handler: StatusHandler, options?: StatusHandlerOptions): void
  /** Takes the instance out of service: the probe answers 503 with `body`, by default `OFF`. Resolves when it is stored. */
  decommission (body?: string, options?: DecommissionOptions): Promise<void>
  /** Puts the instance back in service. Resolves when it is stored. */
  recommission (): Promise<void>
  /**
   * Answers the probe with 503, waits, and closes the app. Resolves when it is closed.
   * Does not touch the store: after a restart the instance is in service. A second call joins the first.
   */
  drain (options?: DrainOptions): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    svcStatus: SvcStatus
  }
  interface FastifyContextConfig {
    /** Set on the routes of `statusPlugin`: hooks that hold requests must let theirs through. */
    svcStatus?: boolean
  }
}
