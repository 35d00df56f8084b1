import { EventEmitter } from 'node:events'
import type { StatusHandler, StatusHandlerOptions } from '../../types/handler.js'
import type { Logger } from '../../types/logger.js'
import type { AskOptions, Registry, RegistryOptions, SnapshotOptions, WaitOptions } from '../../types/registry.js'
import type { Snapshot, SnapshotEntry, StatusChange } from '../../types/snapshot.js'
import type { State, Status } from '../../types/status.js'
import { systemClock } from './clock.js'
import { codedError, show } from './errors.js'
import { HandlerEntry, type EntryOwner } from './handler-entry.js'
import { checkHandler, checkName } from './handler-name.js'
import { inSlices, mostInOneGo } from './in-slices.js'
import { invalid, knownOptions, ofKind, stringList, withMethods } from './options.js'
import { isState, OK, RED, states, worst, YELLOW } from './state.js'
import { SharedClock, Sweep } from './sweep.js'
import { milliseconds, second } from './units.js'
import { waitUntil } from './wait-until.js'

/** Ask all handlers, or one, without a promise where none is needed. Package-internal. */
export const askAll = Symbol('fastify-svc-status.askAll')
export const askOne = Symbol('fastify-svc-status.askOne')

const ignore = (): void => {}
const silent: Logger = { info: ignore, warn: ignore, error: ignore }

/**
 * The status handlers of a service by name, and what is known of them.
 *
 * Handlers run side by side, each under its own timeout; concurrent readers share a run; a handler that
 * throws, hangs or answers nonsense is RED and disturbs nobody else.
 *
 * @example
 * const registry = new StatusRegistry()
 * registry.addStatusHandler('db', async () => await db.ping())
 * (await registry.snapshot()).state // 'OK'
 */
export class StatusRegistry implements Registry {
  readonly #entries = new Map<string, HandlerEntry>()
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #timeout: number
  readonly #clock: SharedClock
  readonly #owner: EntryOwner
  #log: Logger
  readonly #changes: StatusChange[] = []
  #sorted: readonly HandlerEntry[] | undefined
  /** The views of all entries, kept until one of them changes. */
  #views: Pick<Snapshot, 'state' | 'entries'> | undefined

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options?: RegistryOptions) {
    const { logger, timeout = second(5), clock = systemClock } = knownOptions(options, ['logger', 'timeout', 'clock'], 'StatusRegistry')
    withMethods(logger, ['info', 'warn', 'error'], 'the option "logger"')
    withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
    this.#timeout = milliseconds(timeout, 'the option "timeout"', 1)
    this.#clock = new SharedClock(clock)
    this.#log = logger ?? silent
    const registry = this
    this.#owner = {
      get log () { return registry.#log },
      report: (level, details, message) => this.#report(level, details, message),
      viewChanged: () => { this.#views = undefined },
      stateChanged: (name, from, status, at) => this.#emit({ name, from, to: status.state, status, at })
    }
  }

  /** Where handlers that throw or hang are logged; the plugin sets the app's logger where none was given. */
  get logger (): Logger | undefined {
    return this.#log === silent ? undefined : this.#log
  }

  set logger (logger: Logger | undefined) {
    this.#log = logger ?? silent
  }

  /**
   * Adds a handler under a name of 1 to 100 characters.
   *
   * @throws ERR_INVALID_NAME, ERR_INVALID_HANDLER, ERR_DUPLICATE_HANDLER, ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  addStatusHandler (name: string, handler: StatusHandler, options?: StatusHandlerOptions): void {
    checkName(name)
    checkHandler(name, handler)
    const known = knownOptions(options, ['timeout', 'cache', 'critical', 'description', 'tags', 'replace'], 'addStatusHandler')
    ofKind(known.critical, 'boolean', 'the option "critical"')
    ofKind(known.description, 'string', 'the option "description"')
    ofKind(known.replace, 'boolean', 'the option "replace"')
    stringList(known.tags, 'the option "tags"')
    const entry = new HandlerEntry(name, handler, known, this.#owner)
    const present = this.#entries.get(name)
    if (present !== undefined && known.replace !== true) {
      throw codedError('ERR_DUPLICATE_HANDLER', `there is a status handler ${show(name)} already; replace: true puts this one in its place`)
    }
    present?.close()
    this.#entries.set(name, entry)
    this.#changed()
    entry.open(() => this.#clock.now())
  }

  /** Gives whether there was one. A run that is under way is told to end. */
  removeStatusHandler (name: string): boolean {
    const entry = this.#entries.get(name)
    if (entry === undefined) return false
    this.#entries.delete(name)
    this.#changed()
    entry.close()
    return true
  }

  /** How many handlers there are. */
  get size (): number {
    return this.#entries.size
  }

  has (name: string): boolean {
    return this.#entries.has(name)
  }

  /** The handler under a name, or `undefined`. */
  handler (name: string): StatusHandler | undefined {
    return this.#entries.get(name)?.handler
  }

  /**
   * Asks one handler.
   *
   * @throws ERR_UNKNOWN_HANDLER
   */
  async getStatus (name: string, options?: AskOptions): Promise<Readonly<Status>> {
    const { timeout } = knownOptions(options, ['timeout'], 'getStatus')
    return await this[askOne](name, timeout, ({ status }) => status as Readonly<Status>)
  }

  /** Makes something of what one handler answers; at once where it answers at once, for who asks next may get another answer. */
  [askOne]<T> (name: string, timeout: AskOptions['timeout'], make: (entry: SnapshotEntry) => T): T | Promise<T> {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw codedError('ERR_UNKNOWN_HANDLER', `there is no status handler ${show(name)}`)
    const sweep = this.#ask([entry], timeout)
    // What is made is made in the async context of who asked, not in that of the handler that answered last.
    return sweep.waits ? sweep.whenDone(() => entry.view()).then(make) : make(entry.view())
  }

  /**
   * Asks one handler and gives whether it is in that state.
   *
   * @throws ERR_UNKNOWN_HANDLER, ERR_INVALID_STATE
   */
  async isInState (name: string, state: State): Promise<boolean> {
    checkState(state)
    return (await this.getStatus(name)).state === state
  }

  /**
   * Asks one handler again and again until it is in that state: then `true`, or `false` after the timeout.
   *
   * @throws ERR_UNKNOWN_HANDLER with `throwOnUnknown`; ERR_INVALID_NAME; ERR_INVALID_STATE; the signal's reason when it aborts
   */
  async waitForStatus (name: string, state: State, options?: WaitOptions): Promise<boolean> {
    checkName(name)
    checkState(state)
    const { throwOnUnknown = false, ...times } = knownOptions(options, ['interval', 'timeout', 'throwOnUnknown', 'signal'], 'waitForStatus')
    ofKind(throwOnUnknown, 'boolean', 'the option "throwOnUnknown"')
    return await waitUntil(async () => {
      if (!throwOnUnknown && !this.#entries.has(name)) return false
      return await this.isInState(name, state)
    }, times)
  }

  /** Asks all handlers, or those with one of the tags, and waits for their answers; no longer than the longest timeout. */
  async snapshot (options?: SnapshotOptions): Promise<Snapshot> {
    const { tags, timeout } = knownOptions(options, ['tags', 'timeout'], 'snapshot')
    stringList(tags, 'the option "tags"')
    const entries = tags === undefined
      ? this.#sortedEntries()
      : this.#sortedEntries().filter((entry) => entry.tags.some((tag) => tags.includes(tag)))
    return await this.#take(entries, timeout, (snapshot) => snapshot)
  }

  /** Makes something of a snapshot of all; at once where nobody has to be waited for. */
  [askAll]<T> (timeout: AskOptions['timeout'], make: (snapshot: Snapshot) => T | Promise<T>): T | Promise<T> {
    return this.#take(this.#sortedEntries(), timeout, make)
  }

  /** What is known, without asking anybody. A handler that was never asked has no status yet and makes the whole YELLOW at best. */
  latest (): Snapshot {
    const entries = this.#sortedEntries().map((entry) => entry.datedView())
    return Object.freeze({ ...summary(entries), at: this.#clock.now() })
  }

  /** A listener that throws is logged and disturbs nobody. */
  on (event: 'change', listener: (change: StatusChange) => void): this {
    checkEvent(event, listener)
    this.#events.on(event, listener)
    return this
  }

  off (event: 'change', listener: (change: StatusChange) => void): this {
    checkEvent(event, listener)
    this.#events.off(event, listener)
    return this
  }

  #changed (): void {
    this.#sorted = undefined
    this.#views = undefined
  }

  #sortedEntries (): readonly HandlerEntry[] {
    // By code unit: the same order everywhere, whatever the locale.
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => a.name < b.name ? -1 : 1)
    return this.#sorted
  }

  #ask (entries: readonly HandlerEntry[], timeout: AskOptions['timeout']): Sweep {
    const sweep = new Sweep(this.#clock, timeout === undefined ? this.#timeout : milliseconds(timeout, 'the option "timeout"', 1), entries)
    for (const entry of entries) entry.ask(sweep)
    sweep.startDeadlines()
    return sweep
  }

  #take<T> (entries: readonly HandlerEntry[], timeout: AskOptions['timeout'], make: (snapshot: Snapshot) => T | Promise<T>): T | Promise<T> {
    if (entries.length > mostInOneGo) return this.#takeInSlices(entries, timeout).then(make)
    const sweep = this.#ask(entries, timeout)
    return sweep.waits ? sweep.whenDone(() => this.#snapshotAfter(sweep, entries)).then(make) : make(this.#snapshotOf(entries, sweep.at))
  }

  /** So many that to ask them all at once would hold up others: 100,000 take 30 ms, and as much for what is collected of them. */
  async #takeInSlices (asked: readonly HandlerEntry[], timeout: AskOptions['timeout']): Promise<Snapshot> {
    const answers: Array<Promise<void>> = []
    await inSlices(asked, (slice) => {
      const sweep = this.#ask(slice, timeout)
      if (sweep.waits) answers.push(sweep.whenDone(() => {}))
    })
    await Promise.all(answers)
    const entries: SnapshotEntry[] = []
    let state: State = OK
    await inSlices(asked, (slice) => {
      const views = slice.filter((entry) => this.#entries.get(entry.name) === entry).map((entry) => entry.datedView())
      entries.push(...views)
      state = worst(state, stateOf(views))
    })
    return { state, entries: Object.freeze(entries), at: this.#clock.now() }
  }

  /** Where somebody took long, the others did not answer just now. */
  #snapshotAfter (sweep: Sweep, asked: readonly HandlerEntry[]): Snapshot {
    const at = this.#clock.now()
    if (at - sweep.at < 5) return this.#snapshotOf(asked, at)
    const present = asked.filter((entry) => this.#entries.get(entry.name) === entry)
    return { ...summary(present.map((entry) => entry.datedView())), at }
  }

  /** Of those that were asked and are still there: one that came meanwhile was not asked. */
  #snapshotOf (asked: readonly HandlerEntry[], at: number): Snapshot {
    if (asked === this.#sorted) {
      this.#views ??= summary(asked.map((entry) => entry.view()))
      return { state: this.#views.state, at, entries: this.#views.entries }
    }
    const present = asked.filter((entry) => this.#entries.get(entry.name) === entry)
    return { ...summary(present.map((entry) => entry.view())), at }
  }

  /** One after the other, also where a listener makes another change: all hear of them in the order in which they came. */
  #emit (change: StatusChange): void {
    this.#changes.push(Object.freeze(change))
    if (this.#changes.length > 1) return
    for (let next: StatusChange | undefined = change; next !== undefined; next = this.#changes[0]) {
      for (const listener of this.#events.listeners('change')) this.#tell(listener, next)
      this.#changes.shift()
    }
  }

  #tell (listener: Function, change: StatusChange): void {
    const report = (err: unknown): void => this.#report('error', { handler: change.name, err }, 'a listener to status changes threw')
    try {
      // Nobody waits for one that is async, but its error must not end the process.
      Promise.resolve(listener(change)).catch(report)
    } catch (err) {
      report(err)
    }
  }

  #report (level: 'warn' | 'error', details: object, message: string): void {
    try {
      this.#log[level](details, message)
    } catch {
      // A log that cannot write what came can perhaps write that something came.
      try { this.#log[level](message) } catch {}
    }
  }
}

function summary (entries: SnapshotEntry[]): Pick<Snapshot, 'state' | 'entries'> {
  return { state: stateOf(entries), entries: Object.freeze(entries) }
}

function stateOf (entries: readonly SnapshotEntry[]): State {
  let state: State = OK
  for (const { status, critical } of entries) {
    const own = status === undefined ? YELLOW : status.state
    state = worst(state, own === RED && !critical ? YELLOW : own)
  }
  return state
}

function checkState (state: unknown): void {
  if (!isState(state)) throw codedError('ERR_INVALID_STATE', `a state must be ${states.join(', ')}, not ${show(state)}`)
}

function checkEvent (event: unknown, listener: unknown): void {
  if (event !== 'change') throw invalid('the event', '"change"', event)
  if (typeof listener !== 'function') throw invalid('the listener', 'a function', listener)
}
