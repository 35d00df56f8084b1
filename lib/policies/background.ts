import type { HandlerContext, StatusHandler, StatusProvider } from '../../types/handler.js'
import type { Logger } from '../../types/logger.js'
import type { BackgroundOptions } from '../../types/policies.js'
import type { Status } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { codedError } from '../core/errors.js'
import { knownOptions, ofKind, withMethods } from '../core/options.js'
import { states } from '../core/state.js'
import { notAsked, outcomeOf, thrown, toOutcome } from '../core/status.js'
import { milliseconds, second } from '../core/units.js'
import { before, restarted, statusAt, withResult, withTrouble, type BackgroundState } from './background-state.js'
import { HeldLog } from './held-log.js'
import { isThenable } from '../core/is-thenable.js'
import { report } from './report.js'
import { allEnded, askOf, describe, nameOption, stateOption, stopAll, type Ask } from './task.js'
import { turnClock } from './turn-clock.js'

const { then } = Promise.prototype

/**
 * Runs a task again and again, `delay` after the last run ended, and gives readers the last result at once.
 *
 * - There are never two runs at once. One that takes longer than `timeout` has its signal aborted and its result is not used;
 *   the next one begins `delay` after it has ended in the end.
 * - Each run that throws or goes past its timeout is logged. The last result stands, with a detail that says so.
 * - Where no result has come for `maxAge`, the status is RED, whatever the last result was.
 * - Before the first result the status is `initialState`, or else YELLOW, "not asked yet".
 *
 * It begins when the code that made it has come to its end. It never keeps the process alive. What it logs goes to the log of
 * whoever reads it; the first lines wait for the first reader.
 *
 * @example
 * new Background({ task: new TCPCheck({ host: 'db', port: 5432 }), delay: minute(3) })
 */
export class Background implements StatusProvider {
  /** The `name` that was given, or a description. */
  readonly name: string
  // What a reader needs comes first: side by side in memory they are read faster.
  #reader: HandlerContext | undefined
  #state: BackgroundState
  readonly #readersClock: Clock
  readonly #log = new HeldLog()
  readonly #task: StatusHandler
  readonly #ask: Ask
  readonly #delay: number
  readonly #timeout: number
  readonly #maxAge: number
  readonly #clock: Clock
  #started = false
  #pause: NodeJS.Timeout | undefined
  #run: Run | undefined

  /**
   * @throws ERR_INVALID_HANDLER, ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options: BackgroundOptions) {
    const { task, delay, timeout = second(5), initialState, start = true, maxAge, name, clock } =
      knownOptions(options, ['task', 'delay', 'timeout', 'initialState', 'start', 'maxAge', 'name', 'clock'], 'Background')
    this.#ask = askOf(task, 'task')
    this.#task = task
    this.#delay = milliseconds(delay, 'the option "delay"', 1)
    this.#timeout = milliseconds(timeout, 'the option "timeout"', 1)
    this.#maxAge = maxAge === undefined ? 3 * this.#delay + this.#timeout : milliseconds(maxAge, 'the option "maxAge"', 1, Infinity)
    ofKind(start, 'boolean', 'the option "start"')
    withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
    this.#clock = clock ?? systemClock
    this.#readersClock = clock ?? turnClock
    this.#state = before(initialState === undefined ? notAsked : Object.freeze({ state: stateOption(initialState, 'initialState', states) }), this.#clock.monotonic(), this.#maxAge)
    this.name = nameOption(name) ?? `Background of ${describe(task)}: again after ${typeof delay === 'number' ? `${delay} ms` : String(delay)}`
    if (start) this.start()
  }

  /** The last result, or what stands in for it. */
  getStatus (context: HandlerContext): Readonly<Status> {
    if (context !== this.#reader) {
      this.#reader = context
      this.#log.openTo(context.log)
    }
    return statusAt(this.#state, this.#readersClock.monotonic())
  }

  /**
   * Begins, when the code that runs has come to its end; does nothing where it has begun. A run from before a `stop()` that has
   * not ended yet is waited for.
   */
  start (): void {
    if (this.#started) return
    this.#started = true
    this.#state = restarted(this.#state, this.#clock.monotonic(), this.#maxAge)
    if (this.#run !== undefined) this.#state = withTrouble(this.#state, this.#run.still)
    queueMicrotask(() => {
      if (this.#started && this.#run === undefined && this.#pause === undefined) this.#begin()
    })
  }

  /**
   * Begins no run any more, aborts the signal of the one that is under way, and stops the task where it can be stopped.
   * Resolves when they have ended, or after `timeout` where they hang. The last result stands until it is too old.
   */
  async stop (): Promise<void> {
    this.#started = false
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#state = withTrouble(this.#state, 'stopped')
    const run = this.#run
    // One that is past its timeout has had its time.
    const end = run?.givenUp === undefined ? run?.end : undefined
    run?.giveUp('stopped')
    await within(this.#timeout, allEnded([end, stopAll([this.#task])]))
  }

  toString (): string {
    return this.name
  }

  #begin (): void {
    this.#pause = undefined
    const run = new Run(this.#reader?.name ?? this.name, this.#log, this.#clock.now())
    this.#run = run
    try {
      const result = this.#ask(run)
      if (!isThenable(result)) return this.#answered(run, result)
      run.timer = setTimeout(() => this.#overdue(run), this.#timeout).unref()
      run.end = then.call(Promise.resolve(result), (answer) => this.#answered(run, answer), (error) => this.#threw(run, error)) as Promise<void>
    } catch (error) {
      this.#threw(run, error)
    }
  }

  #answered (run: Run, result: unknown): void {
    if (run.givenUp === undefined) {
      this.#state = withResult(toOutcome(result, outcomeOf(this.#state.status)).status, this.#clock.monotonic(), this.#maxAge)
    }
    this.#ended(run)
  }

  #threw (run: Run, error: unknown): void {
    if (run.givenUp === undefined) {
      report(run, { err: error }, 'the task of a Background threw; its last result stands')
      this.#state = withTrouble(this.#state, `the last run ${thrown(error, undefined).status.detail}`)
    }
    this.#ended(run)
  }

  #overdue (run: Run): void {
    report(run, { timeout: this.#timeout }, 'the task of a Background ran past its timeout; its last result stands')
    this.#state = withTrouble(this.#state, run.still)
    run.giveUp('overdue', codedError('ERR_HANDLER_TIMEOUT', `the task of ${JSON.stringify(run.name)} ran longer than ${this.#timeout} ms`))
  }

  #ended (run: Run): void {
    clearTimeout(run.timer)
    this.#run = undefined
    if (!this.#started) return
    if (run.givenUp === 'stopped') return this.#begin()
    if (run.givenUp === 'overdue') this.#state = withTrouble(this.#state, 'the last run took longer than its timeout')
    this.#pause = setTimeout(() => this.#begin(), this.#delay).unref()
  }
}

/** One run, and its context. */
class Run implements HandlerContext {
  readonly name: string
  readonly log: Logger
  readonly #since: number
  /** Why its result is of no use any more. */
  givenUp: 'overdue' | 'stopped' | undefined
  timer: NodeJS.Timeout | undefined
  /** Resolves when it has ended, whatever came of it. */
  end: Promise<void> | undefined
  #controller: AbortController | undefined

  constructor (name: string, log: Logger, since: number) {
    this.name = name
    this.log = log
    this.#since = since
  }

  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  get still (): string {
    return `still running since ${new Date(this.#since).toISOString()}`
  }

  /** Also for a signal that is read only afterwards. */
  giveUp (why: 'overdue' | 'stopped', reason?: Error): void {
    this.givenUp = why
    clearTimeout(this.timer)
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}

/** Waits, but not for long. The timer keeps the process alive, for somebody awaits it. */
async function within (limit: number, end: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, limit) })
  try {
    await Promise.race([late, end])
  } finally {
    clearTimeout(timer)
  }
}
