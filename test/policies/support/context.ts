import type { HandlerContext } from '../../../types/handler.js'
import type { Logger } from '../../../types/logger.js'

export interface Line {
  readonly level: string
  readonly about: Record<string, unknown>
  readonly message: string
}

/** A logger that keeps what was written. */
export function recorder (): { lines: Line[], logger: Logger } {
  const lines: Line[] = []
  const record = (level: string) => (about: unknown, message?: string): void => { lines.push({ level, about: about as Record<string, unknown>, message: message as string }) }
  return { lines, logger: { info: record('info'), warn: record('warn'), error: record('error') } }
}

/** What a reader brings along. */
export function contextOf (log: Logger = recorder().logger, name = 'reader'): HandlerContext {
  return { name, log, signal: new AbortController().signal }
}

/** Answers in turn, and what is an Error is thrown. */
export function answers<T> (...list: Array<T | Error>): () => T {
  let next = 0
  return () => {
    const answer = list[next++]
    if (answer instanceof Error) throw answer
    return answer as T
  }
}
