import type { Logger } from './logger.js'
import type { Registry } from './registry.js'
import type { State, Status } from './status.js'
import type { Clock, Time } from './time.js'
import type { FleetCounts, FleetPage, FleetQuery } from './fleet-query.js'
import type { FleetStore, Schedule } from './fleet-store.js'
import type { Outbox } from './outbox.js'

export type * from './fleet-query.js'
export type * from './fleet-store.js'
export type * from './outbox.js'

/** How an app is asked: connect; ask over HTTP; the same over TLS; shake hands over TLS. */
export type Protocol = 'TCP' | 'HTTP' | 'HTTPS' | 'SSL'

/** `UNKNOWN` and `DEGRADING` are YELLOW, `HEALTHY` is OK, or YELLOW where the app says so itself, `UNHEALTHY` is RED. */
export type HealthState = 'UNKNOWN' | 'HEALTHY' | 'DEGRADING' | 'UNHEALTHY'

/** What an app is watched with: validated, and every default filled in. On the wire and in files it has this very form. */
export interface Registration {
  /** 1 to 100 characters: the name of its status handler. */
  readonly name: string
  /** Default `HTTP`. */
  readonly protocol: Protocol
  /** A host name or an IP address, without brackets. */
  readonly host: string
  /** 1 to 65535. Default 80; 443 for `HTTPS` and `SSL`. */
  readonly port: number
  /** Path and query that are asked for, beginning with `/`. Default `/healthcheck`; `''` for `TCP` and `SSL`. */
  readonly path: string
  /** Seconds that a check may take. Whole, 2 to 60, below `interval`. Default 5. */
  readonly timeout: number
  /** Seconds from check to check. Whole, 5 to 300. Default 30. */
  readonly interval: number
  /** So many failures in a row make it UNHEALTHY. 2 to 10, default 2. */
  readonly unhealthyThreshold: number
  /** So many successes in a row make it HEALTHY. 2 to 10, default 10. */
  readonly healthyThreshold: number
  /** The status codes of HTTP that are healthy. Default `[200]`; `[]` for `TCP` and `SSL`. */
  readonly expectStatus: readonly number[]
  /** Who is told of transitions. At most 10 addresses, default none. */
  readonly email: readonly string[]
  /** Words to select by. At most 20, default none. */
  readonly tags: readonly string[]
  /** Whether UNHEALTHY makes the whole fleet RED; otherwise it counts there as YELLOW. Default true. */
  readonly critical: boolean
}

/** What is known of who registers. */
export interface Registrant {
  /** Who it is, for people: a name or an address, never a secret. */
  readonly by?: string
  /** Whether the registration came from another machine: then it cannot make this one ask itself. Default false. */
  readonly remote?: boolean
  /** Whether it carried the token, which lets it name receivers that nobody allowed. Default false. */
  readonly trusted?: boolean
}

/** One check and how it ended. */
export interface CheckRecord {
  /** When it began, in milliseconds since the epoch. */
  readonly at: number
  /** `YELLOW` is alive: it counts as a success. */
  readonly result: State
  /** How long it took, in milliseconds. */
  readonly duration: number
  /** What was wrong, for people: no secrets, at most 200 characters. */
  readonly error?: string
}

/** Why an app is not checked at present. */
export interface Pause {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Who did it; `'healthchecker'` where it did so itself. */
  readonly by?: string
  /** Why, for people. */
  readonly why?: string
}

/** What is known of one app now: a plain object that does not change any more. */
export interface WatchedApp {
  readonly registration: Registration
  /** When it was registered first, in milliseconds since the epoch. */
  readonly registeredAt: number
  /** Whether its last registration carried the token. */
  readonly trusted: boolean
  readonly state: HealthState
  /** What its status handler answers. */
  readonly status: Readonly<Status>
  /** When it came into `state`, in milliseconds since the epoch. */
  readonly since: number
  /** Failures in a row, counted up to `unhealthyThreshold`. */
  readonly failures: number
  /** Successes in a row, counted up to `healthyThreshold`. */
  readonly successes: number
  readonly paused?: Pause
  readonly lastCheck?: CheckRecord
  /** When it is checked next, in milliseconds since the epoch. Absent while it is paused. */
  readonly nextCheck?: number
}

/** The checks of one hour, or of any other stretch of time, added up. */
export interface RollUp {
  /** When it begins, in milliseconds since the epoch. */
  readonly at: number
  readonly checks: number
  /** How many of them failed. */
  readonly failures: number
  /** The mean time of those that did not fail, in milliseconds; 0 where all did. */
  readonly meanDuration: number
  /** The longest time of those that did not fail, in milliseconds. */
  readonly maxDuration: number
}

/** What is kept of the past of one app. */
export interface AppHistory {
  /** The last checks, at most 60, the oldest first; their times are kept to the second. */
  readonly checks: readonly CheckRecord[]
  /** The hours of the last 30 days in which there was a check, the oldest first. */
  readonly hours: readonly RollUp[]
  /** The part of all checks that did not fail, 0 to 1; absent where there was none. */
  readonly uptime: { readonly day?: number, readonly week?: number, readonly month?: number }
}

/** A change that people may want to hear of. */
export interface Transition {
  /** Unique in a store, ascending, never used again: what is made of it can be recognised. */
  readonly id: number
  /** `paused` by itself or by somebody, `resumed` by somebody; else the state changed. */
  readonly kind: 'state' | 'paused' | 'resumed'
  /** The name of the app. */
  readonly app: string
  readonly from: HealthState
  /** The same as `from` where it was paused, and UNKNOWN where it was resumed. */
  readonly to: HealthState
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The check's error, or why it was paused. */
  readonly reason?: string
  /** Who paused or resumed it. */
  readonly by?: string
}

/** More than half of all targets fail together: rather this machine has lost its network than all of them are down. */
export interface Suspicion {
  /** Unique among transitions too. */
  readonly id: number
  readonly kind: 'suspicion'
  /** Whether it begins or ends. */
  readonly suspected: boolean
  /** How many fail, of how many that are checked. */
  readonly failing: number
  readonly of: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

export type Notice = Transition | Suspicion

/**
 * Who is owed a mail because of a notice: the fleet stores an entry of the outbox for each, in the same transaction as the notice.
 * Must be quick, synchronous, and not throw.
 *
 * @param app what is known of the app; absent for a suspicion
 * @param suspected whether the fleet suspects itself at this moment
 * @param apps all that are watched; to go through a hundred thousand of them is not quick
 */
export type Owe = (notice: Notice, app: WatchedApp | undefined, suspected: boolean, apps: Iterable<WatchedApp>) => readonly string[]

/** What goes wrong with the healthchecker itself. */
export interface Trouble {
  readonly code: 'STORE_FULL' | 'STORE_READ_ONLY' | 'STORE_FAILED' | 'SUSPECTS_ITSELF' | 'BEHIND'
  /** A line for people. */
  readonly detail: string
  /** Since when, in milliseconds since the epoch. */
  readonly since: number
}

export interface FleetEvents {
  /** The state of an app changed, or it was paused or resumed. Comes when it is stored, or cannot be. */
  transition: [Transition]
  suspicion: [Suspicion]
  /** A check ended. The object is made only where somebody listens. */
  check: [name: string, check: CheckRecord]
  registered: [name: string, how: 'created' | 'changed']
  deregistered: [name: string]
  /** The list of troubles is another. */
  trouble: [readonly Trouble[]]
}

/** The apps that are watched. */
export interface Fleet {
  /**
   * Resolves only when it is stored durably. The same again changes nothing; a changed one keeps state and history, and is checked anew.
   *
   * @throws ERR_INVALID_REGISTRATION where the name is one of the healthchecker's own; ERR_TARGET_REFUSED, ERR_TOO_MANY_APPS, ERR_STORE_FAILED, ERR_FLEET_CLOSED
   */
  register (registration: Registration, registrant?: Registrant): Promise<'created' | 'changed' | 'unchanged'>
  /** Gives whether there was one. */
  deregister (name: string): Promise<boolean>
  /** No checks from now on. Gives whether there is such an app; one that is paused stays as it is. */
  pause (name: string, pause?: { by?: string, why?: string }): Promise<boolean>
  /** Checks again, soon; what went before counts no longer, and the app is UNKNOWN. Gives whether there is such an app. */
  resume (name: string, by?: string): Promise<boolean>
  get (name: string): WatchedApp | undefined
  /** Looks through all at once, which takes some 10 ms for 100,000. */
  list (query?: FleetQuery): FleetPage
  /** The same, in slices between which others have their turn. */
  select (query?: FleetQuery): Promise<FleetPage>
  /** All, in the order of the names. Each is made when it is asked for, so that a caller can pause between two. */
  [Symbol.iterator] (): Iterator<WatchedApp>
  /** The last checks from memory, at most 60, the oldest first; without I/O. */
  recent (name: string): readonly CheckRecord[]
  /** Reads the store for what is older. */
  history (name: string): Promise<AppHistory | undefined>
  readonly size: number
  readonly counts: FleetCounts
  /** The worst state of all apps; one that is not critical counts as YELLOW at worst, as in the overall state of a registry. */
  readonly state: State
  /** What goes wrong with the healthchecker itself; empty where nothing does. */
  readonly trouble: readonly Trouble[]
  readonly outbox: Outbox
  /** Each app is a status handler here, under its name, and so is how the fleet does itself: `healthchecker store` and `healthchecker checks`. */
  readonly registry: Registry
  on<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): this
  off<E extends keyof FleetEvents> (event: E, listener: (...args: FleetEvents[E]) => void): this
  /** Reads the store, and begins to check. @throws ERR_STORE_LOCKED, ERR_STORE_NEWER, ERR_STORE_CORRUPT, ERR_STORE_FAILED, ERR_PACKAGE_MISSING */
  start (): Promise<void>
  /** Instead of the schedule: checks all that are not paused once, and resolves when that is done. */
  checkOnce (): Promise<void>
  /** Ends checks under way, stores what is known, and lets go of the store. */
  close (): Promise<void>
}

export interface FleetOptions {
  /** Where it keeps what it knows. Default: memory, which a restart empties. */
  store?: FleetStore
  /** When which app is checked. Default: one of its own, in this process. */
  schedule?: Schedule
  /** Where each app becomes a handler. Default: a registry of its own. */
  registry?: Registry
  logger?: Logger
  /** Who is owed a mail. Default: nobody. */
  owe?: Owe
  /** How long an app may be UNHEALTHY before it is paused. Default `day(1)`; 0: for ever. */
  pauseAfter?: Time
  /** Networks that targets have to be in, such as `10.0.0.0/8`. What is refused anyway stays refused. Default: any. */
  allowTargets?: readonly string[]
  /** How many apps there may be. Default 100,000. */
  maxApps?: number
  /** How many checks may be under way at once. Default 1,000. */
  maxConcurrent?: number
  /** Certificates of issuers to trust, in PEM, in place of those that Node trusts. */
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
  clock?: Clock
}
