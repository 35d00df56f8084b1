import type { StatusResult } from '../../types/status.js'

export function isThenable (result: unknown): result is PromiseLike<StatusResult> {
  return typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function'
}
