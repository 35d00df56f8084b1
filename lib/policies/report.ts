import type { HandlerContext } from '../../types/handler.js'

/** Writes a line about a handler as an error, and disturbs nobody where the logger throws. */
export function report (context: Pick<HandlerContext, 'name' | 'log'>, about: object, message: string): void {
  try {
    context.log.error({ handler: context.name, ...about }, message)
  } catch {
    // A log that cannot write what came can perhaps write that something came.
    try { context.log.error(message) } catch {}
  }
}
