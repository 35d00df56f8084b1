import type { WaitOptions } from '../../types/registry.js'
import { invalid } from './options.js'
import { milliseconds, second } from './units.js'

/**
 * Asks until the answer is true. Its timers keep the process alive: somebody awaits them.
 *
 * @returns false when the time was over first
 * @throws the signal's reason when it aborts, and what `condition` throws
 */
export function waitUntil (condition: () => Promise<boolean>, options: Omit<WaitOptions, 'throwOnUnknown'>): Promise<boolean> {
  const interval = milliseconds(options.interval ?? second(1), 'the option "interval"', 1)
  const timeout = options.timeout === undefined ? undefined : milliseconds(options.timeout, 'the option "timeout"', 0)
  const { signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid('the option "signal"', 'an AbortSignal', signal)
  if (signal?.aborted === true) return Promise.reject(signal.reason)

  return new Promise((resolve, reject) => {
    let pause: NodeJS.Timeout | undefined
    let ended = false
    const limit = timeout === undefined ? undefined : setTimeout(() => end(() => resolve(false)), timeout)
    const abort = (): void => end(() => reject(signal?.reason))
    const end = (settle: () => void): void => {
      ended = true
      clearTimeout(pause)
      clearTimeout(limit)
      signal?.removeEventListener('abort', abort)
      settle()
    }
    const askAgain = (): void => {
      condition().then((met) => {
        if (ended) return
        if (met) end(() => resolve(true))
        else pause = setTimeout(askAgain, interval)
      }, (error) => end(() => reject(error)))
    }
    signal?.addEventListener('abort', abort)
    askAgain()
  })
}
