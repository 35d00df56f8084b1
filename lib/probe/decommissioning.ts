import type { Decommission, DecommissionOptions, DecommissionStore } from '../../types/decommission.js'
import type { Logger } from '../../types/logger.js'
import type { StatusResult } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { codedError } from '../core/errors.js'
import { OK, RED } from '../core/state.js'
import { nameOf } from '../core/status.js'
import { minute } from '../core/units.js'
import { within } from '../core/within.js'
import { newDecommission } from './decommission.js'

/** How long a store may take, in milliseconds: whoever decommissions waits for it, and so do the start and the close of the app. */
const longestWait = 5_000

/** The time of day may be set while a decommission stands: its end is looked for that often, in milliseconds. */
const longestPause = minute(1).milliseconds

/** What the probe answers while the instance drains. */
const drainingBody = 'DRAINING'

/** Whether this instance is in service: decommissioned in a store, or draining, which is this process's own affair. */
export class Decommissioning {
  readonly #store: DecommissionStore
  readonly #log: Logger
  readonly #wait: number
  readonly #clock: Clock
  readonly #changed: (outOfService: boolean) => void
  #current: Decommission | undefined
  #end: NodeJS.Timeout | undefined
  /** Whether it was in service when that was last told. */
  #toldInService = true
  #draining = false
  /** Why the store cannot be read, in words that may be shown. */
  #problem: string | undefined
  /** Whether the store was read, written or heard of. */
  #known = false
  #closed = false
  #lastWrite: Promise<void> = Promise.resolve()

  /**
   * @param changed called whenever the instance goes out of service or comes back
   * @param wait how long the store may take, in milliseconds
   */
  constructor (store: DecommissionStore, log: Logger, changed: (outOfService: boolean) => void, wait = longestWait, clock = systemClock) {
    this.#wait = wait
    this.#clock = clock
    this.#store = store
    this.#log = log
    this.#changed = changed
  }

  /**
   * Reads the store. When it cannot be read, or does not answer in time, the instance is in service, and `getStatus` says
   * so; an answer that comes later holds from then on.
   */
  async open (): Promise<void> {
    const opened = this.#read()
    try {
      await within(this.#wait, opened)
    } catch (err) {
      opened.catch(() => {})
      this.#failed(err)
    }
  }

  async #read (): Promise<void> {
    const decommission = await this.#store.open((changed) => this.#heard(changed), (error) => this.#failed(error))
    // What was written or heard of meanwhile is newer.
    if (!this.#known) this.#heard(decommission)
  }

  #heard (decommission: Decommission | undefined): void {
    if (this.#closed) return
    this.#known = true
    if (this.#problem !== undefined) this.#log.info({ store: this.#store.name }, 'the decommission store can be read again')
    this.#problem = undefined
    this.#set(decommission)
  }

  /** Logs once for each kind of failure, not once for each look of a store. */
  #failed (err: unknown): void {
    const problem = nameOf(err)
    if (this.#closed || problem === this.#problem) return
    this.#problem = problem
    this.#log.error({ err, store: this.#store.name }, `the decommission store cannot be read; ${this.#consequence}`)
  }

  get #consequence (): string {
    return this.#known ? 'what was last known stands' : 'this instance is in service whatever is stored there'
  }

  async close (): Promise<void> {
    this.#closed = true
    clearTimeout(this.#end)
    try {
      await within(this.#wait, this.#store.close())
    } catch (err) {
      this.#log.warn({ err, store: this.#store.name }, 'the decommission store did not close')
    }
  }

  /** Nothing of one whose time is over, also before a timer has noticed. */
  get current (): Decommission | undefined {
    const { until = Infinity } = this.#current ?? {}
    return until <= this.#clock.now() ? undefined : this.#current
  }

  get draining (): boolean {
    return this.#draining
  }

  /** What the probe answers instead of OK. */
  get body (): string | undefined {
    return this.current?.body ?? (this.#draining ? drainingBody : undefined)
  }

  /** A status handler for the store. */
  getStatus (): StatusResult {
    return this.#problem === undefined
      ? { state: OK, detail: this.#store.name }
      : { state: RED, detail: `${this.#store.name} cannot be read; ${this.#consequence} (${this.#problem})` }
  }

  /**
   * Takes the instance out of service.
   *
   * @throws ERR_INVALID_DECOMMISSION, ERR_STORE_FAILED, and for the options ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  async decommission (body: string, options?: DecommissionOptions): Promise<void> {
    await this.#write(newDecommission(body, options, this.#clock.now()))
  }

  /**
   * Puts the instance back in service.
   *
   * @throws ERR_STORE_FAILED
   */
  async recommission (): Promise<void> {
    await this.#write(undefined)
  }

  startDraining (): void {
    this.#draining = true
    this.#tell()
  }

  /** One after the other: of two at once, the one that is stored last is the one that holds. */
  async #write (decommission: Decommission | undefined): Promise<void> {
    const written = this.#lastWrite.then(async () => await this.#writeNow(decommission))
    this.#lastWrite = written.catch(() => {})
    await written
  }

  async #writeNow (decommission: Decommission | undefined): Promise<void> {
    const givenUp = new AbortController()
    try {
      await within(this.#wait, this.#store.write(decommission, givenUp.signal))
    } catch (err) {
      givenUp.abort()
      this.#log.error({ err, store: this.#store.name }, 'a decommission could not be stored')
      throw codedError('ERR_STORE_FAILED', `the decommission store ${this.#store.name} failed; nothing was changed`, { cause: err, statusCode: 503 })
    }
    this.#heard(decommission)
    if (decommission === undefined) this.#log.info('recommissioned')
    else this.#log.info({ decommission }, `decommissioned: ${decommission.body}`)
  }

  #set (decommission: Decommission | undefined): void {
    this.#current = decommission
    this.#follow()
    this.#tell()
  }

  #tell (): void {
    const now = this.body === undefined
    if (now === this.#toldInService) return
    this.#toldInService = now
    this.#changed(!now)
  }

  /** Every instance finds the end by itself: nothing is written for it. */
  #follow (): void {
    clearTimeout(this.#end)
    const { until } = this.current ?? {}
    if (until === undefined) return
    this.#end = setTimeout(() => {
      if (this.current === undefined) {
        // An end that has come stays, whatever is done to the clock.
        this.#current = undefined
        this.#log.info('the time of the decommission is over')
      }
      this.#follow()
      this.#tell()
    }, Math.min(until - this.#clock.now(), longestPause)).unref()
  }
}
