import type { Time } from './time.js'

/** An instance that was taken out of service on purpose. */
export interface Decommission {
  /** What the probe answers, 1 to 256 characters without control characters, not `OK`. */
  readonly body: string
  /** When it was taken out, in milliseconds since the epoch. */
  readonly since: number
  /** When it ends by itself, in milliseconds since the epoch. Absent: when somebody recommissions. */
  readonly until?: number
  /** Why, for people: 1 to 256 characters without control characters. */
  readonly reason?: string
  /** Who did it, as the auth knows them. Never a secret. */
  readonly by?: string
}

export interface DecommissionOptions {
  /** After how long it ends by itself: `second(1)` to `day(365)`. Default: when somebody recommissions. */
  for?: Time
  /** Why, for people: 1 to 256 characters without control characters. Default none. */
  reason?: string
  /** Who does it: 1 to 256 characters without control characters. Default nobody. */
  by?: string
}

/**
 * Where a decommission is kept.
 *
 * The probe never asks a store: it is told of changes, so that it needs no I/O.
 */
export interface DecommissionStore {
  /** For people and logs, such as `memory`. */
  readonly name: string
  /**
   * Starts and gives what is stored. Later changes, whoever made them, go to `onChange`.
   * When it rejects, the instance is in service and a RED handler says why.
   * What fails later goes to `onFailure`: what was last known stands, and the handler is RED until the next `onChange`.
   */
  open (onChange: (decommission: Decommission | undefined) => void, onFailure?: (error: unknown) => void): Promise<Decommission | undefined>
  /**
   * Stores; resolves only when it is stored, rejects when nothing was.
   * The signal aborts when whoever waits has given up: from then on nothing may be stored.
   */
  write (decommission: Decommission | undefined, signal?: AbortSignal): Promise<void>
  close (): Promise<void>
}

/** What `redisStore` needs of a client: an ioredis `Redis` is one. */
export interface RedisClient {
  get (key: string): Promise<string | null>
  time (): Promise<Array<number | string>>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
  duplicate (override?: object): RedisSubscriber
}

/** A second connection, since one that subscribes can do nothing else. */
export interface RedisSubscriber {
  subscribe (channel: string): Promise<unknown>
  on (event: string, listener: (...args: never[]) => void): unknown
  disconnect (): void
}

export interface RedisStoreOptions {
  /** A client of the app, which goes on to be the app's to close. This, or `url`. */
  client?: RedisClient
  /** `redis://` or `rediss://`, with user and password where Redis wants them. This, or `client`. */
  url?: string
  /** The key: the same for all that are to be decommissioned together. */
  key: string
}
