/** What a status handler says: `OK` works, `YELLOW` works but needs a look, `RED` does not work. */
export type State = 'OK' | 'YELLOW' | 'RED'

/** The answer of a status handler. Further properties are shown in JSON as they are given. */
export interface Status {
  state: State
  /** A line for people, such as `3 of 5 replicas`. At most 4,096 characters are kept. */
  detail?: string
  /** Numbers for Prometheus, shown as `svc_status_metric{name, metric}`. At most 100 are kept. */
  metrics?: Record<string, number>
  [property: string]: unknown
}

/** What a status handler may return: a status, a bare state, or `true` for `OK` and `false` for `RED`. */
export type StatusResult = Status | State | boolean

/** Why a status is RED although its handler did not say so. */
export type Fault = 'threw' | 'timed out' | 'still running' | 'invalid'
