import type { StatusHandler, StatusHandlerOptions } from '../../types/handler.js'
import type { Logger } from '../../types/logger.js'
import type { SnapshotEntry } from '../../types/snapshot.js'
import type { State, Status, StatusResult } from '../../types/status.js'
import { codedError } from './errors.js'
import { isThenable } from './is-thenable.js'
import { RunContext } from './run-context.js'
import { milliseconds } from './units.js'
import { observe, type Observable } from './state-handler.js'
import { faulty, outcomeOf, thrown, toOutcome, type Outcome } from './status.js'
import type { Deadline, Sweep } from './sweep.js'

/** What an entry needs of the registry it is in. */
export interface EntryOwner {
  readonly log: Logger
  /** Logs, and never throws: an error that cannot be read must not stop what waits for the handler. */
  report (level: 'warn' | 'error', details: object, message: string): void
  /** An entry's view is no longer what it was. */
  viewChanged (): void
  stateChanged (name: string, from: State, status: Readonly<Status>, at: number): void
}

const { then } = Promise.prototype

/** Reading the clock costs more than most synchronous handlers: they are measured in one of so many runs. */
const measureEvery = 16

const noTags: readonly string[] = Object.freeze([])

/** One handler under its name: runs it, one run at a time, and keeps what is known of it. */
export class HandlerEntry {
  readonly name: string
  readonly timeout: number | undefined
  readonly critical: boolean
  readonly description: string | undefined
  readonly tags: readonly string[]
  readonly handler: StatusHandler
  readonly #owner: EntryOwner
  readonly #cache: number
  /** Made for the first run that has to be waited for: many a handler has none. */
  #fulfilled: ((result: StatusResult) => void) | undefined
  #rejected: ((error: unknown) => void) | undefined
  #unobserve: (() => void) | undefined
  #outcome: Outcome | undefined
  // Undefined at first: a field that never was anything but a number is boxed anew for every view.
  #since: number | undefined
  #at: number | undefined
  /** Whether the view says when: needless where it was read for the snapshot that shows it. */
  #dated = false
  #closed = false
  #duration: number | undefined
  /** How long the last run that was one to wait for could take. */
  #limit: number | undefined
  #runs = 0
  #view: SnapshotEntry | undefined
  #context: RunContext | undefined
  /** Set while a run is under way, also past its deadline. */
  #deadline: Deadline | undefined
  #overdue = false
  /** Set while the handler itself has its turn. */
  #asking = false
  /** Whether the last run was one to wait for: only such a run needs the time of its start. */
  #runIsAsync = true
  #startedAt = 0
  #started = 0
  /** Mostly one: an array for each run would cost more than the rest of the waiting. */
  #waiting: Sweep | undefined
  #alsoWaiting: Sweep[] | undefined

  constructor (name: string, handler: StatusHandler, options: StatusHandlerOptions, owner: EntryOwner) {
    this.name = name
    this.handler = handler
    this.timeout = options.timeout === undefined ? undefined : milliseconds(options.timeout, 'the option "timeout"', 1)
    this.critical = options.critical ?? true
    this.description = options.description
    this.tags = options.tags === undefined || options.tags.length === 0 ? noTags : Object.freeze([...options.tags])
    this.#cache = milliseconds(options.cache ?? 0, 'the option "cache"', 0)
    this.#owner = owner
  }

  /** Starts to follow a handler that tells of its changes by itself. */
  open (now: () => number): void {
    const start = (this.handler as Partial<Observable>)[observe]
    this.#unobserve = start?.call(this.handler, (status) => {
      const at = now()
      this.#read(at, true)
      this.#keep(outcomeOf(status), at)
    })
  }

  /** Nothing more is heard of it; a run that is under way is told to end. */
  close (): void {
    this.#closed = true
    this.#unobserve?.()
    this.#context?.abort(codedError('ERR_UNKNOWN_HANDLER', `the handler ${JSON.stringify(this.name)} was removed`))
  }

  /** Brings the status up to date, or makes the sweep wait for the run that does. */
  ask (sweep: Sweep): void {
    if (this.#unobserve !== undefined || this.#closed) return
    if (this.#asking) {
      this.#keep(faulty('still running', 'asks for its own status'), sweep.at)
      return
    }
    if (this.#deadline !== undefined) {
      if (this.#overdue) this.#keep(this.#stillRunning(), sweep.at)
      else this.#wait(sweep)
      return
    }
    if (this.#cache > 0 && this.#at !== undefined && sweep.at - this.#at < this.#cache && sweep.at >= this.#at) return
    this.#run(sweep)
  }

  #run (sweep: Sweep): void {
    const measured = this.#runs++ % measureEvery === 0
    const started = measured ? sweep.clock.read() : this.#runIsAsync ? sweep.clock.recent() : undefined
    this.#context ??= new RunContext(this.name, this.#owner)
    this.#asking = true
    try {
      const { handler } = this
      const result = typeof handler === 'function' ? handler(this.#context) : handler.getStatus(this.#context)
      this.#asking = false
      if (isThenable(result)) {
        // Whatever a promise of another make does when it is asked for its result, it does later.
        const promise = Promise.resolve(result)
        this.#startedAt = sweep.at
        this.#runIsAsync = true
        this.#started = started ?? sweep.clock.recent()
        this.#deadline = sweep.deadline(this.timeout)
        this.#limited(this.#deadline.timeout)
        this.#wait(sweep)
        this.#fulfilled ??= (result) => this.#settled(result, undefined)
        this.#rejected ??= (error) => this.#settled(undefined, { error })
        then.call(promise, this.#fulfilled, this.#rejected)
        return
      }
      this.#runIsAsync = false
      // It may have taken any time: the next run must not be measured from before it.
      sweep.clock.forget()
      const last = this.#outcome
      const outcome = toOutcome(result, last)
      // Most synchronous answers are the same as the one before.
      if (outcome === last && !this.#dated && !measured) {
        this.#at = sweep.at
        this.#runEnded()
        return
      }
      this.#read(sweep.at, this.#cache > 0)
      this.#keep(outcome, sweep.at)
    } catch (error) {
      this.#asking = false
      sweep.clock.forget()
      this.#read(sweep.at, this.#cache > 0)
      this.#caught(error, sweep.at)
    }
    if (measured) this.#measured(sweep.clock.read() - (started as number))
    this.#runEnded()
  }

  #settled (result: StatusResult | undefined, failure: { error: unknown } | undefined): void {
    const deadline = this.#deadline as Deadline
    this.#deadline = undefined
    this.#runEnded()
    if (this.#overdue) {
      // Too late to be the answer to anybody's question; the next question starts a new run.
      this.#overdue = false
      return
    }
    deadline.met()
    const duration = deadline.clock.recent() - this.#started
    const at = this.#startedAt + Math.round(duration)
    this.#measured(duration)
    this.#read(at, duration >= 1 || this.#cache > 0)
    if (failure === undefined) this.#keep(toOutcome(result, this.#outcome), at)
    else this.#caught(failure.error, at)
    this.#release()
  }

  /** The run has had its time: whoever waits gets RED, and the run is told to end. */
  timeOut (deadline: Deadline): void {
    if (this.#deadline !== deadline) return
    this.#overdue = true
    const outcome = faulty('timed out', `timed out after ${deadline.timeout} ms`)
    this.#owner.report('warn', { handler: this.name, timeout: deadline.timeout }, 'status handler timed out')
    const duration = deadline.clock.read() - this.#started
    const at = this.#startedAt + Math.round(duration)
    this.#measured(duration)
    this.#read(at, true)
    this.#keep(outcome, at)
    this.#context?.abort(codedError('ERR_HANDLER_TIMEOUT', `the handler ${JSON.stringify(this.name)} ${outcome.status.detail}`))
    this.#release()
  }

  #wait (sweep: Sweep): void {
    sweep.waitFor()
    if (this.#waiting === undefined) this.#waiting = sweep
    else (this.#alsoWaiting ??= []).push(sweep)
  }

  #release (): void {
    const first = this.#waiting
    this.#waiting = undefined
    first?.settled()
    const others = this.#alsoWaiting
    if (others === undefined) return
    this.#alsoWaiting = undefined
    for (const sweep of others) sweep.settled()
  }

  /** A signal belongs to one run: a used one would end the next run before it began. */
  #runEnded (): void {
    if (this.#context?.used === true) this.#context = undefined
  }

  #caught (error: unknown, at: number): void {
    const outcome = thrown(error, this.#outcome)
    // Once per kind of failure, not once per scrape.
    if (outcome !== this.#outcome) this.#owner.report('error', { handler: this.name, err: error }, 'status handler threw')
    this.#keep(outcome, at)
  }

  #stillRunning (): Outcome {
    return this.#outcome?.fault === 'still running'
      ? this.#outcome
      : faulty('still running', `still running since ${new Date(this.#startedAt).toISOString()}, past its timeout`)
  }

  /** Runs under a millisecond are not told apart: a view and its texts made anew for each would cost more than the run. */
  #measured (duration: number): void {
    if (duration < 1 && this.#duration !== undefined && this.#duration < 1) return
    this.#duration = duration
    this.#viewChanged()
  }

  #limited (limit: number): void {
    if (limit === this.#limit) return
    this.#limit = limit
    this.#viewChanged()
  }

  #read (at: number, dated: boolean): void {
    this.#at = at
    if (dated || this.#dated) this.#viewChanged()
    this.#dated = dated
  }

  #viewChanged (): void {
    this.#view = undefined
    this.#owner.viewChanged()
  }

  #keep (outcome: Outcome, at: number): void {
    if (outcome === this.#outcome) return
    const from = this.#outcome?.status.state
    const { status } = outcome
    this.#outcome = outcome
    this.#viewChanged()
    if (from === status.state) return
    this.#since = at
    if (from !== undefined && !this.#closed) this.#owner.stateChanged(this.name, from, status, at)
  }

  /** What is known now, as an object that does not change any more. */
  view (): SnapshotEntry {
    // Not frozen: that costs as much as the rest of a run. Nothing here writes to it.
    this.#view ??= {
      name: this.name,
      status: this.#outcome?.status,
      fault: this.#outcome?.fault,
      since: this.#since,
      at: this.#dated ? this.#at : undefined,
      duration: this.#duration,
      timeout: this.#limit,
      critical: this.critical,
      description: this.description,
      tags: this.tags
    }
    return this.#view
  }

  /** The same with the time of the last run. */
  datedView (): SnapshotEntry {
    const view = this.view()
    return view.at === undefined ? { ...view, at: this.#at } : view
  }
}
