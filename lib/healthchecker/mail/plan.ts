import { createHash } from 'node:crypto'
import type { OutboxEntry } from '../../../types/healthchecker.js'

/** The wait after the first attempt that failed, in milliseconds; twice as long after each further one. */
const firstDelay = 10_000
/** The longest wait, jitter aside, in milliseconds. */
const longestDelay = 600_000
/** A wait is up to this part longer or shorter, so that what failed together is not tried together. */
const jitter = 0.25

/** No wait is longer, in milliseconds: one that is was made by a clock that was ahead. */
export const longestWait = longestDelay * (1 + jitter)

/** A mail that failed so often does not hold back what happened since: it may be the mail itself that the server cannot take. */
export const aloneAfter = 5

/** So often at least a mail is tried, however old it is: a clock that jumps must not end it. */
const leastAttempts = 10

/** Good news waits for so many times longer than trouble: after an outage apps recover one by one. */
const patience = 6

/** How long to wait after so many attempts that failed, in milliseconds. `random` is from 0 to 1. */
export function retryDelay (attempts: number, random: number): number {
  const delay = Math.min(firstDelay * 2 ** (attempts - 1), longestDelay)
  return Math.round(delay * (1 - jitter + 2 * jitter * random))
}

/** One mail to one receiver. */
export interface Mail {
  /** What its Message-ID is made of. */
  readonly id: string
  readonly receiver: string
  readonly entries: readonly OutboxEntry[]
  /** How often it was tried in vain. */
  readonly attempts: number
  /** Whether the outbox knows already what belongs to it. */
  readonly assigned: boolean
}

export interface Plan {
  /** To be sent now, those first that were tried least. */
  readonly mails: readonly Mail[]
  /** What has to wait for an earlier mail to the same receiver, and until when, in milliseconds since the epoch. */
  readonly held: ReadonlyArray<{ readonly ids: readonly number[], readonly until: number }>
  /** When the next of those that are gathered is complete, in milliseconds from now. */
  readonly wait?: number
}

/**
 * Which mails to send of what is due.
 *
 * @param entries what is due, the oldest first
 * @param now milliseconds since the epoch
 * @param gather how long to gather, in milliseconds
 * @param waiting until when the last mail to a receiver waits for its next attempt, in milliseconds since the epoch
 */
export function planOf (entries: readonly OutboxEntry[], now: number, gather: number, waiting: ReadonlyMap<string, number>): Plan {
  const mails: Mail[] = []
  const held: Array<Plan['held'][number]> = []
  let wait: number | undefined
  for (const [receiver, theirs] of groupBy(entries, (entry) => entry.receiver)) {
    const { assigned, fresh } = parts(theirs)
    mails.push(...assigned.filter(isWhole))
    if (fresh.length === 0 || assigned.some(({ attempts }) => attempts < aloneAfter)) continue
    const until = waiting.get(receiver)
    if (until !== undefined && until > now && until <= now + longestWait) {
      held.push({ ids: fresh.map(({ id }) => id), until })
      continue
    }
    const left = gatheringLeft(fresh, now, gather)
    if (left > 0) wait = Math.min(wait ?? left, left)
    else mails.push(mailOf(idOf(receiver, fresh), fresh, false))
  }
  return { mails: mails.sort((a, b) => a.attempts - b.attempts || a.entries[0].id - b.entries[0].id), held, wait }
}

/** The mails that are made already, and what belongs to none yet. */
function parts (entries: readonly OutboxEntry[]): { assigned: Mail[], fresh: OutboxEntry[] } {
  const made = groupBy(entries, ({ mail }) => mail)
  const fresh = made.get(undefined) ?? []
  const assigned = [...made].flatMap(([id, parts]) => id === undefined ? [] : [mailOf(id, parts, true)])
  return { assigned, fresh }
}

function groupBy<Key> (entries: readonly OutboxEntry[], keyOf: (entry: OutboxEntry) => Key): Map<Key, OutboxEntry[]> {
  const groups = new Map<Key, OutboxEntry[]>()
  for (const entry of entries) {
    const key = keyOf(entry)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return groups
}

function mailOf (id: string, entries: readonly OutboxEntry[], assigned: boolean): Mail {
  return { id, receiver: entries[0].receiver, entries, attempts: Math.max(...entries.map(({ attempts }) => attempts)), assigned }
}

function gatheringLeft (fresh: readonly OutboxEntry[], now: number, gather: number): number {
  const first = fresh[0]
  // What already waited, for an earlier mail or for the clock, has waited long enough.
  if (first.attempts > 0 || first.notice.at > now) return 0
  return first.notice.at + gather * (fresh.every(isGood) ? patience : 1) - now
}

function isGood ({ notice }: OutboxEntry): boolean {
  if (notice.kind === 'suspicion') return !notice.suspected
  return notice.kind === 'state' && (notice.to === 'HEALTHY' || notice.to === 'UNKNOWN')
}

/**
 * The same for the same entries of the same store, and for no others: ids alone begin anew with a new store.
 * It ends with how many entries there are.
 */
function idOf (receiver: string, entries: readonly OutboxEntry[]): string {
  const parts = entries.map(({ id, notice }) => [id, notice.id, notice.at, notice.kind])
  const hash = createHash('sha256').update(JSON.stringify([receiver, parts])).digest('hex').slice(0, 32)
  return `${hash}.${entries.length}`
}

/** Whether all its entries are here: where very many are due, the rest of the last mail comes later. */
function isWhole ({ id, entries }: Mail): boolean {
  return id.endsWith(`.${entries.length}`)
}

/** Whether a mail that failed once more is not tried again. */
export function isGivenUp ({ entries, attempts }: Mail, now: number, giveUpAfter: number): boolean {
  return attempts + 1 >= leastAttempts && now - entries[0].notice.at > giveUpAfter
}
