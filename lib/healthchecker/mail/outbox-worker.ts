import type { Outbox, OutboxEntry } from '../../../types/healthchecker.js'
import type { Logger } from '../../../types/logger.js'
import type { Clock } from '../../../types/time.js'
import { reasonOf } from '../../checks/peer.js'
import { within } from '../../core/within.js'
import { aloneAfter, isGivenUp, longestWait, planOf, retryDelay, type Mail } from './plan.js'
import type { Outcome } from './smtp-sender.js'

/** So many entries are looked at in one go: more would hold up the event loop. */
const mostEntries = 10_000

/** It looks at the outbox that often at least, in milliseconds: what a store could not take at once has no event of its own. */
const longestPause = 60_000

/** What a mail under way gets to come to its end when all is closed, and then what ends it, in milliseconds. */
const grace = 3_000

export interface WorkerOptions {
  readonly outbox: Outbox
  /** Sends one mail. */
  readonly send: (mail: Mail, signal: AbortSignal) => Promise<Outcome>
  /** In milliseconds. */
  readonly gather: number
  /** In milliseconds. */
  readonly giveUpAfter: number
  /** For one mail, in milliseconds. */
  readonly timeout: number
  readonly logger: Logger | undefined
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
}

/** Something that fails again and again. */
interface Trouble {
  readonly failures: number
  readonly why: string
  /** In milliseconds since the epoch. */
  readonly since: number
}

/** How an outbox does. */
export interface OutboxState {
  /**
   * As was last known, how many entries are owed, and how many notices were dropped of which nobody was told yet; and how many mails
   * were sent and given up since the start.
   */
  readonly counts: Readonly<Record<'owed' | 'dropped' | 'sent' | 'failed', number>>
  /** When what the oldest entry tells of happened, in milliseconds since the epoch. */
  readonly oldest?: number
  /** Why no mail goes out at present. */
  readonly trouble?: { readonly what: 'server' | 'outbox', readonly why: string, readonly since: number }
  /** Why a mail could not be sent, as long as something is owed. */
  readonly lastError?: string
}

/** Empties an outbox: gathers what is owed, sends it one mail after the other, and tries again what could not be sent. */
export class OutboxWorker {
  readonly #options: WorkerOptions
  /** Until when a mail to a receiver waits, in milliseconds since the epoch. */
  readonly #waiting = new Map<string, number>()
  /** Entries that were sent, and that the outbox could not be told of yet. */
  readonly #sent = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  /** When the timer goes off, on the monotonic clock. */
  #at = Infinity
  #round: Promise<void> | undefined
  #sending: AbortController | undefined
  #closed = false
  #server: Trouble | undefined
  /** When the server is tried again, on the monotonic clock. */
  #serverAt = -Infinity
  #store: Trouble | undefined
  /** What the outbox failed with in this round. */
  #storeError: unknown
  #counts = { owed: 0, dropped: 0, sent: 0, failed: 0 }
  #oldest: number | undefined
  #lastError: string | undefined

  constructor (options: WorkerOptions) {
    this.#options = options
  }

  get state (): OutboxState {
    const trouble = this.#store !== undefined ? { what: 'outbox', ...this.#store } as const : this.#server && { what: 'server', ...this.#server } as const
    return { counts: this.#counts, oldest: this.#oldest, trouble, lastError: this.#lastError }
  }

  start (): void {
    this.#schedule(0)
  }

  /** Something is owed since this moment. */
  notice (): void {
    this.#schedule(this.#options.gather)
  }

  /** Begins no mail any more. One that is under way gets a few seconds, and is tried again after the next start where they do not do. */
  async close (): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    if (this.#round === undefined) return
    const late = setTimeout(() => this.#sending?.abort(), grace)
    // An outbox that hangs is not waited for.
    await within(2 * grace, this.#round).catch(() => {})
    clearTimeout(late)
  }

  #schedule (delay: number): void {
    const at = this.#options.clock.monotonic() + delay
    if (this.#closed || at >= this.#at) return
    this.#at = at
    // A round that is under way looks at it when it ends.
    if (this.#round === undefined) this.#setTimer()
  }

  #setTimer (): void {
    clearTimeout(this.#timer)
    const delay = Math.max(0, this.#at - this.#options.clock.monotonic())
    this.#timer = setTimeout(() => {
      this.#at = Infinity
      this.#round = this.#run().finally(() => {
        this.#round = undefined
        if (!this.#closed) this.#setTimer()
      })
    }, delay).unref()
  }

  /** Never rejects. */
  async #run (): Promise<void> {
    const { clock, random } = this.#options
    this.#storeError = undefined
    await this.#told(() => this.#look())
    if (this.#storeError === undefined) {
      this.#store = undefined
      return
    }
    const failures = (this.#store?.failures ?? 0) + 1
    this.#store = { failures, why: reasonOf(this.#storeError), since: this.#store?.since ?? clock.now() }
    this.#at = Infinity
    this.#schedule(retryDelay(failures, random()))
  }

  /** What fails with the outbox is tried again later; a mail that can be sent is sent all the same. */
  async #told (change: () => Promise<void>): Promise<void> {
    try {
      await change()
    } catch (error) {
      if (this.#store === undefined && this.#storeError === undefined) this.#options.logger?.error({ err: error }, 'the outbox of mails fails; it is tried again')
      this.#storeError = error
    }
  }

  async #look (): Promise<void> {
    const { outbox, clock, gather, logger } = this.#options
    this.#schedule(longestPause)
    const now = clock.now()
    const { count, next, oldest, dropped = 0 } = await outbox.owed()
    if (dropped > this.#counts.dropped) logger?.error({ owed: count, dropped }, 'more was owed than there is room for: the oldest notices were dropped, and their receivers will be told how many')
    Object.assign(this.#counts, { owed: count, dropped })
    this.#oldest = oldest
    if (count === 0) {
      this.#lastError = undefined
      return
    }
    // What is to wait longer than anything waits was postponed by a clock that was ahead.
    const horizon = next !== undefined && next > now + longestWait ? next : now
    const due = await this.#unsent(await outbox.due(horizon, mostEntries))
    const { mails, held, wait } = planOf(due, now, gather, this.#waiting)
    for (const { ids, until } of held) await outbox.postpone(ids, until)
    if (wait !== undefined) this.#schedule(wait)
    if (next !== undefined && next > now) this.#schedule(next - now)
    for (const mail of mails) {
      const closedFor = this.#serverAt - clock.monotonic()
      if (closedFor > 0) return this.#schedule(closedFor)
      if (this.#closed) return
      await this.#deliver(mail)
    }
    // What came meanwhile, and what was left over, is not kept waiting.
    if (mails.length > 0 || held.length > 0) this.#schedule(0)
  }

  /** Tells the outbox again of what was sent. */
  async #unsent (due: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
    if (this.#sent.size === 0) return due
    const sent = new Set(this.#sent)
    await this.#remove([...sent])
    return due.filter(({ id }) => !sent.has(id))
  }

  async #remove (ids: readonly number[]): Promise<void> {
    for (const id of ids) this.#sent.add(id)
    await this.#told(async () => {
      await this.#options.outbox.remove(ids)
      for (const id of ids) this.#sent.delete(id)
    })
  }

  async #deliver (mail: Mail): Promise<void> {
    const ids = mail.entries.map(({ id }) => id)
    let whole = true
    if (!mail.assigned) await this.#told(async () => { whole = await this.#options.outbox.assign(ids, mail.id) })
    // Something of it was dropped meanwhile: the next look sees what is left.
    if (!whole) return
    const outcome = await this.#send(mail)
    if (outcome.how === 'down') this.#serverFailed(outcome.why)
    else this.#serverAnswered()
    if (outcome.how === 'sent') {
      this.#counts.sent++
      this.#waiting.delete(mail.receiver)
      this.#options.logger?.info({ receiver: mail.receiver, mail: mail.id, notices: ids.length }, 'the mail server took a mail')
      await this.#remove(ids)
    } else if (!this.#closed) {
      await this.#told(() => this.#failed(mail, ids, outcome))
    }
  }

  async #send (mail: Mail): Promise<Outcome> {
    const sending = new AbortController()
    this.#sending = sending
    const late = setTimeout(() => sending.abort(), this.#options.timeout).unref()
    const outcome = await this.#options.send(mail, sending.signal)
      // One that cannot even be written must not hold up the others.
      .catch((error): Outcome => ({ how: 'later', why: reasonOf(error) }))
    clearTimeout(late)
    this.#sending = undefined
    return outcome
  }

  async #failed (mail: Mail, ids: readonly number[], { how, why }: { how: 'later' | 'never' | 'down', why: string }): Promise<void> {
    const { outbox, clock, logger, giveUpAfter, random } = this.#options
    const { receiver, attempts } = mail
    this.#lastError = why
    const now = clock.now()
    if (how === 'never' || isGivenUp(mail, now, giveUpAfter)) {
      this.#counts.failed++
      this.#waiting.delete(receiver)
      logger?.error({ receiver, mail: mail.id, why }, how === 'never' ? 'the mail server refused a mail for good' : 'a mail was tried for too long and is given up')
      return await outbox.fail(ids, why, now)
    }
    const until = now + retryDelay(attempts + 1, random())
    if (attempts + 1 < aloneAfter) this.#waiting.set(receiver, until)
    else this.#waiting.delete(receiver)
    if (how === 'later') logger?.warn({ receiver, mail: mail.id, attempts: attempts + 1, why }, 'the mail server does not take a mail now; it is tried again')
    await outbox.postpone(ids, until)
  }

  #serverFailed (why: string): void {
    if (this.#closed) return
    const { clock, logger, random } = this.#options
    const failures = (this.#server?.failures ?? 0) + 1
    if (why !== this.#server?.why) logger?.warn({ why }, 'the mail server takes no mails; what is owed is kept and tried again')
    this.#server = { failures, why, since: this.#server?.since ?? clock.now() }
    this.#serverAt = clock.monotonic() + retryDelay(failures, random())
  }

  #serverAnswered (): void {
    if (this.#server !== undefined) this.#options.logger?.info('the mail server takes mails again')
    this.#server = undefined
    this.#serverAt = -Infinity
  }
}
