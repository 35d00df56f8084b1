import { EventEmitter } from 'node:events'
import type { FleetEvents } from '../../types/healthchecker.js'
import type { Logger } from '../../types/logger.js'
import { invalid } from '../core/options.js'

/** Who hears of a fleet. One that throws is logged, and disturbs nobody. */
export class FleetListeners {
  readonly #log: Logger
  readonly #events = new EventEmitter().setMaxListeners(0)

  constructor (log: Logger) {
    this.#log = log
  }

  /** @throws ERR_INVALID_OPTION */
  on<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): void {
    if (typeof listener !== 'function') throw invalid('the listener', 'a function', listener)
    this.#events.on(event, listener as (...args: unknown[]) => void)
  }

  off<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): void {
    this.#events.off(event, listener as (...args: unknown[]) => void)
  }

  hears (event: keyof FleetEvents): boolean {
    return this.#events.listenerCount(event) > 0
  }

  emit<E extends keyof FleetEvents> (event: E, ...args: FleetEvents[E]): void {
    for (const listener of this.#events.listeners(event)) {
      try {
        listener(...args)
      } catch (err) {
        this.#log.error({ err, event }, 'a listener of the healthchecker threw')
      }
    }
  }
}
