import type { FailoverLogger } from '../../types/failover.js'
import { ofKind } from '../core/options.js'

const ignore = (): void => {}
const silent: FailoverLogger = { info: ignore, warn: ignore, error: ignore, fatal: ignore }

/** Where a monitor writes. */
export class MonitorLog {
  #logger = silent
  #speaking = false

  /** @throws ERR_INVALID_OPTION */
  constructor (logger: FailoverLogger | undefined) {
    this.logger = logger
  }

  get logger (): FailoverLogger | undefined {
    return this.#logger === silent ? undefined : this.#logger
  }

  set logger (logger: FailoverLogger | undefined) {
    ofKind(logger, 'object', 'the option "logger"')
    if (logger !== undefined) {
      for (const level of ['info', 'warn', 'error', 'fatal'] as const) ofKind(logger[level] ?? null, 'function', `${level}() of the option "logger"`)
    }
    this.#logger = logger ?? silent
  }

  /** For those who write to it themselves. */
  get current (): FailoverLogger {
    return this.#logger
  }

  /** Whether a line is being written: an error in it is no news. */
  get speaking (): boolean {
    return this.#speaking
  }

  /** Never throws. */
  report (level: 'info' | 'error' | 'fatal', details: object, message: string): void {
    this.#speaking = true
    try {
      this.#logger[level](details, message)
    } catch {
      // A log that cannot write what came can perhaps write that something came.
      try { this.#logger[level](message) } catch {}
    } finally {
      this.#speaking = false
    }
  }
}
