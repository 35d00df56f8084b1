import type { FailoverLogger } from '../../types/failover.js'
import { ofKind } from '../core/options.js'

const ignore = (): void => {}
const silent: FailoverLogger = { info: ignore, warn: ignore, error: ignore, fatal: ignore }

/** Where a monitor writes. */
export class MonitorLog {
  /** For services, which write to it themselves: what they say of an outage is no news either. */
  readonly lent: FailoverLogger = { info: this.#lend('info'), warn: this.#lend('warn'), error: this.#lend('error'), fatal: this.#lend('fatal') }
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

  /** Whether a line is being written: an error in it is no news. */
  get speaking (): boolean {
    return this.#speaking
  }

  /** Never throws. */
  report (level: 'info' | 'error' | 'fatal', details: object, message: string): void {
    try {
      this.lent[level](details, message)
    } catch {
      // A log that cannot write what came can perhaps write that something came.
      try { this.lent[level](message) } catch {}
    }
  }

  #lend (level: keyof FailoverLogger) {
    return (...line: [object, string?] | [string]): void => {
      this.#speaking = true
      try {
        Reflect.apply(this.#logger[level], this.#logger, line)
      } finally {
        this.#speaking = false
      }
    }
  }
}
