import type { Notice } from './healthchecker.js'

/** What is left of notices that were owed to a receiver, where more was owed than there is room for. */
export interface Dropped {
  /** That of the last of them. */
  readonly id: number
  readonly kind: 'dropped'
  /** How many they were. */
  readonly count: number
  /** When the first and the last of them happened, in milliseconds since the epoch. */
  readonly since: number
  readonly at: number
}

/** A mail that is owed, or a part of one. */
export interface OutboxEntry {
  /** Unique in a store, ascending, never used again. */
  readonly id: number
  /** A mail address. */
  readonly receiver: string
  readonly notice: Notice | Dropped
  /** How often it was tried in vain. */
  readonly attempts: number
  /** Not to be tried before, in milliseconds since the epoch. 0: at once. */
  readonly notBefore: number
  /** The mail that it is a part of, once that was decided: what is tried again is the same mail. */
  readonly mail?: string
}

/** An entry that was given up. */
export interface FailedEntry extends OutboxEntry {
  /** Why, for people: no secrets, at most 300 characters. */
  readonly why: string
  /** When, in milliseconds since the epoch. */
  readonly failedAt: number
}

/**
 * The mails that are owed. Every promise resolves when it is stored durably, and rejects where it is not.
 *
 * No more than 100,000 entries are owed. Where there would be more, the receivers with the most lose their oldest, each with the mail
 * that it is a part of, in one with the write that is too much: one entry, with an id of its own, then says how many they were.
 */
export interface Outbox {
  /** Those whose time has come, the oldest first. */
  due (now: number, limit: number): Promise<readonly OutboxEntry[]>
  /**
   * How many are owed in all, the time of the next that has to wait, and when what the oldest tells of happened, where there is one;
   * and how many notices were dropped of which nobody was told yet.
   */
  owed (): Promise<{ readonly count: number, readonly next?: number, readonly oldest?: number, readonly dropped?: number }>
  /** Makes entries parts of one mail, before it is sent. Gives whether all of them are there: where one is not, none is changed. */
  assign (ids: readonly number[], mail: string): Promise<boolean>
  /** They could not be sent: one attempt more, and not again before. */
  postpone (ids: readonly number[], notBefore: number): Promise<void>
  /** They were sent, or are owed no longer: they leave the outbox. */
  remove (ids: readonly number[]): Promise<void>
  /** They are given up: owed no longer, and kept to be looked at, the last 1,000 of them. */
  fail (ids: readonly number[], why: string, failedAt: number): Promise<void>
  /** Those that were given up, the last first. */
  failed (limit: number): Promise<readonly FailedEntry[]>
}
