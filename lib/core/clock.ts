import type { Clock } from '../../types/time.js'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now()
}
