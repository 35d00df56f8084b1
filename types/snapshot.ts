import type { Fault, State, Status } from './status.js'

/** What is known of one handler. Never changes once it was handed out. */
export interface SnapshotEntry {
  readonly name: string
  /** Absent when the handler was never asked, which is never OK. */
  readonly status?: Readonly<Status>
  /** Why the status is RED where the handler did not say so itself. */
  readonly fault?: Fault
  /** When the handler came into its state, in milliseconds since the epoch. */
  readonly since?: number
  /** When the status was taken, in milliseconds since the epoch. Absent where it was read for this very snapshot: then the snapshot's `at` holds. */
  readonly at?: number
  /**
   * How long the last measured run took, in milliseconds. A handler that answers
   * synchronously is measured in its first run and in every 16th after it; runs
   * under a millisecond are not told apart.
   */
  readonly duration?: number
  /** How long its last run could take before it was RED, in milliseconds. Absent for a handler that answers synchronously: nothing can stop one. */
  readonly timeout?: number
  readonly critical: boolean
  readonly description?: string
  readonly tags: readonly string[]
}

/** The statuses of all handlers, or of those with a tag, sorted by name. Never changes. */
export interface Snapshot {
  /** The worst state of all; a handler that is not critical counts as YELLOW at worst. */
  readonly state: State
  /** When the snapshot was finished, in milliseconds since the epoch. */
  readonly at: number
  readonly entries: readonly SnapshotEntry[]
}

/** A handler went from one state into another. Its first status is no change. */
export interface StatusChange {
  readonly name: string
  readonly from: State
  readonly to: State
  readonly status: Readonly<Status>
  /** Milliseconds since the epoch. */
  readonly at: number
}
