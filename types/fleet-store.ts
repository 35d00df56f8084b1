import type { CheckRecord, HealthState, Notice, Outbox, Pause, Registration, RollUp } from './healthchecker.js'

/** How an app does: what the state machine needs, and nothing else. */
export interface AppHealth {
  readonly state: HealthState
  /** Where a success in DEGRADING leads back to: the state before it. */
  readonly before: HealthState
  readonly failures: number
  readonly successes: number
}

/** What a store keeps of an app, its history aside. */
export interface StoredApp {
  readonly registration: Registration
  readonly registeredAt: number
  readonly trusted: boolean
  /** Whether it was registered from another machine. */
  readonly remote: boolean
  readonly health: AppHealth
  readonly since: number
  readonly paused?: Pause
  readonly lastCheck?: CheckRecord
  /** The ring of last checks, packed; opaque to a store. */
  readonly recent?: Uint8Array
}

/** What is new in an hour of one app: it adds to what a store has of the same hour. */
export interface StoredHour extends RollUp {
  readonly name: string
}

/** What changes in a store. A change of an app that is not there any more is none. */
export type StoreChange =
  /** A registration, new or changed: of an app that is there, the registration and who registered alone are replaced. */
  | { readonly kind: 'put', readonly app: StoredApp }
  | { readonly kind: 'remove', readonly name: string }
  /** A transition: how the app does now, its registration aside, and who is owed a mail because of it. */
  | { readonly kind: 'notice', readonly notice: Notice, readonly app?: StoredApp, readonly receivers: readonly string[] }
  /** Counters and last checks of an app between transitions. */
  | { readonly kind: 'progress', readonly name: string, readonly health: AppHealth, readonly lastCheck?: CheckRecord, readonly recent?: Uint8Array }
  | { readonly kind: 'hour', readonly hour: StoredHour }

/** Where a fleet keeps what it knows. One fleet has it at a time. */
export interface FleetStore {
  /** For people and logs, such as `memory`. Never a secret. */
  readonly name: string
  /**
   * Locks it, and gives all that is stored, in batches. `id` is the largest id of a notice that was ever used, `suspected` what the last suspicion
   * says that was stored: one that ended with the process is still owed its end.
   *
   * @throws ERR_STORE_LOCKED where another process has it; ERR_STORE_NEWER where a newer version wrote it, and then nothing is touched; ERR_STORE_CORRUPT; ERR_STORE_FAILED; ERR_PACKAGE_MISSING
   */
  open (onApps: (apps: readonly StoredApp[]) => void): Promise<{ readonly id: number, readonly suspected: boolean }>
  /**
   * All of it or nothing, in this order, after what was written before. Resolves when it is stored durably.
   * Rejects with an error whose `code` is ERR_STORE_FAILED and whose `reason` is that of a `Trouble`.
   */
  write (changes: readonly StoreChange[]): Promise<void>
  /** The hours of an app, the oldest first, from `from` on, in milliseconds since the epoch. */
  hours (name: string, from: number): Promise<readonly RollUp[]>
  readonly outbox: Outbox
  close (): Promise<void>
}

/** When which app is checked. */
export interface Schedule {
  /**
   * Every `interval` milliseconds from now on, the first time at a moment of its own within the first `interval`
   * and the later ones jittered, so that all apps spread evenly. Takes the place of what was set before under the name.
   *
   * @param soon the first time as soon as can be, and not within the first `interval`
   */
  set (name: string, interval: number, soon?: boolean): void
  delete (name: string): void
  /** When it is the app's turn next, on the monotonic clock. */
  next (name: string): number | undefined
  /** @param due told of an app whose turn it is, and since when, on the monotonic clock */
  start (due: (name: string, since: number) => void): void
  stop (): void
}
