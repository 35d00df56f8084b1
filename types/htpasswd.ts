import type { Time } from './time.js'

export interface HtpasswdOptions {
  /**
   * How many requests may wait while the password of one is verified; one more gets 429. A whole number from 0 to 1,000.
   * Default 16.
   */
  queue?: number
  /** How long the file may take to be read, and a password to be verified. At least `second(1)`. Default `second(15)`. */
  timeout?: Time
}
