import type { Logger } from '../../types/logger.js'

/** More would be no news. */
const most = 10

/** The log of work that begins before anybody has said where to log: its lines wait for the first reader. */
export class HeldLog implements Logger {
  #log: Logger | undefined
  #held: Array<(log: Logger) => void> = []

  /** What waits, and all that follows, goes there. */
  openTo (log: Logger): void {
    this.#log = log
    const held = this.#held
    this.#held = []
    for (const write of held) {
      // Who wrote it is not there any more to hear that it failed.
      try { write(log) } catch {}
    }
  }

  info (...line: unknown[]): void {
    this.#write((log) => log.info(...line as Line))
  }

  warn (...line: unknown[]): void {
    this.#write((log) => log.warn(...line as Line))
  }

  error (...line: unknown[]): void {
    this.#write((log) => log.error(...line as Line))
  }

  #write (write: (log: Logger) => void): void {
    if (this.#log !== undefined) write(this.#log)
    else if (this.#held.length < most) this.#held.push(write)
  }
}

/** pino's other form, with the text alone, passes through just the same. */
type Line = [details: object, message?: string]
