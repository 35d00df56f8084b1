/** A length of time: milliseconds, or what `second`, `minute`, `hour` and `day` make. */
export type Time = number | Duration

/** A length of time, made by `second(10)`, `minute(3)`, `hour(1)` or `day(1)`. */
export interface Duration {
  readonly milliseconds: number
}

/** A number of results, made by `count(5)`. */
export interface Count {
  readonly count: number
}

/** Where the time comes from, so that tests can decide what it is. */
export interface Clock {
  /** Milliseconds since the epoch: the time of day, which may jump. */
  now (): number
  /** Milliseconds since some fixed moment, which never go backwards. */
  monotonic (): number
}
