import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'

let read: number | undefined
const settled = Promise.resolve()
const forget = (): void => { read = undefined }

/**
 * The system's clock for readers: it is read once and then stands still until the code that runs has come to its end.
 * Reading it costs more than a registry takes for a synchronous handler, and a thousand are read in one go.
 */
export const turnClock: Clock = {
  now: systemClock.now,
  monotonic () {
    if (read === undefined) {
      read = systemClock.monotonic()
      settled.then(forget)
    }
    return read
  }
}
