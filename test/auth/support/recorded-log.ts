import type { Logger } from '../../../types/logger.js'

export interface Recorded {
  readonly level: string
  readonly message: string
  readonly details: Record<string, unknown>
}

/** A log that keeps what it is told. */
export function recordedLog (): { log: Logger, lines: Recorded[] } {
  const lines: Recorded[] = []
  const record = (level: string) => (details: object | string, message?: string): void => {
    if (typeof details === 'string') lines.push({ level, message: details, details: {} })
    else lines.push({ level, message: String(message), details: { ...details } })
  }
  return { log: { info: record('info'), warn: record('warn'), error: record('error') }, lines }
}
