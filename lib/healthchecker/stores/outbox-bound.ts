import type { Dropped, OutboxEntry } from '../../../types/healthchecker.js'

/** So many entries of the outbox are owed at most, some 40 MB: what ten thousand apps cause in days without a mail server. */
export const mostOwed = 100_000

/** Where there would be more, so many are left: to make room for one at a time would take all the time there is. */
const kept = 50_000

/** What one receiver is owed no longer, and what they are owed in its place. */
export interface Cut {
  readonly receiver: string
  readonly ids: readonly number[]
  readonly notice: Dropped
}

/**
 * What of too much is dropped: each receiver keeps an equal share, so that who is owed little keeps it all. An entry takes the mail
 * with it that it is a part of: a mail that was begun has all its parts.
 *
 * @param entries all that is owed, the oldest first
 */
export function cutsOf (entries: readonly OutboxEntry[], left = kept): readonly Cut[] {
  const receivers = new Map<string, OutboxEntry[]>()
  for (const entry of entries) {
    const theirs = receivers.get(entry.receiver)
    if (theirs === undefined) receivers.set(entry.receiver, [entry])
    else theirs.push(entry)
  }
  const each = Math.max(1, Math.floor(left / receivers.size))
  return [...receivers].flatMap(([receiver, theirs]) => {
    // One more, for the place of what says how many they were.
    const over = theirs.length > each ? theirs.length - each + 1 : 0
    const mails = new Set(theirs.slice(0, over).map(({ mail }) => mail))
    mails.delete(undefined)
    const dropped = theirs.filter(({ mail }, index) => index < over || mails.has(mail))
    return dropped.length === 0 ? [] : [{ receiver, ids: dropped.map(({ id }) => id), notice: droppedOf(dropped) }]
  })
}

function droppedOf (entries: readonly OutboxEntry[]): Dropped {
  // The kind comes first, for whoever looks for it in JSON.
  const sum = { kind: 'dropped' as const, id: 0, count: 0, since: Infinity, at: 0 }
  for (const { notice } of entries) {
    const { count, since } = notice.kind === 'dropped' ? notice : { count: 1, since: notice.at }
    sum.id = Math.max(sum.id, notice.id)
    sum.count += count
    sum.since = Math.min(sum.since, since)
    sum.at = Math.max(sum.at, notice.at)
  }
  return sum
}
