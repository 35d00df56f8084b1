import type { Status } from '../../types/status.js'
import { codedError, errorCodes } from '../core/errors.js'
import { RED } from '../core/state.js'
import { thrown } from '../core/status.js'

/** What went wrong, for a page: our own words, but of errors of others the name and the code alone. Their messages carry passwords. */
export function reasonOf (error: unknown): string {
  try {
    const { code, message } = error as { code?: unknown, message?: unknown }
    if (error instanceof Error && (errorCodes as readonly unknown[]).includes(code)) return String(message)
  } catch {}
  return thrown(error, undefined).status.detail as string
}

/**
 * Refuses what a ping gave where that says "down".
 *
 * @throws ERR_SERVICE_DOWN
 */
export function mustBeUp (result: unknown): void {
  if (result === false || result === RED) throw codedError('ERR_SERVICE_DOWN', 'it said so itself')
  if (typeof result !== 'object' || result === null) return
  const { state, detail } = result as Partial<Status>
  if (state === RED) throw codedError('ERR_SERVICE_DOWN', typeof detail === 'string' ? detail : 'it said so itself')
}
