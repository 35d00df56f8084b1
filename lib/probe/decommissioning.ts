import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import type { Logger } from '../../types/logger.js'
import type { StatusResult } from '../../types/status.js'
import { codedError, show } from '../core/errors.js'
import { OK, RED } from '../core/state.js'
import { within } from '../core/within.js'

const longestBody = 256

/** How long a store may take, in milliseconds: whoever decommissions waits for it, and so do the start and the close of the app. */
const longestWait = 5_000

/** What the probe answers while the instance drains. */
const drainingBody = 'DRAINING'

/**
 * Refuses a body that no probe could answer.
 *
 * @throws ERR_INVALID_DECOMMISSION
 */
export function checkBody (body: unknown): asserts body is string {
  const problem = typeof body !== 'string'
    ? 'be a string'
    : body.length === 0 || body.length > longestBody
      ? `have 1 to ${longestBody} characters`
      : /\p{Cc}/u.test(body) || !body.isWellFormed() ? 'have no control characters' : undefined
  if (problem !== undefined) {
    throw codedError('ERR_INVALID_DECOMMISSION', `the body must ${problem}; it is ${show(body)}; nothing was changed`, { statusCode: 400 })
  }
}

export function isInService (body: string): boolean {
  return body.toUpperCase() === OK
}

/** Whether this instance is in service: decommissioned in a store, or draining, which is this process's own affair. */
export class Decommissioning {
  readonly #store: DecommissionStore
  readonly #log: Logger
  readonly #wait: number
  readonly #changed: (outOfService: boolean) => void
  #current: Decommission | undefined
  #draining = false
  #away = false
  /** Whether the store was read, written or heard of. */
  #known = false
  #closed = false
  #lastWrite: Promise<void> = Promise.resolve()

  /**
   * @param changed called whenever the instance goes out of service or comes back
   * @param wait how long the store may take, in milliseconds
   */
  constructor (store: DecommissionStore, log: Logger, changed: (outOfService: boolean) => void, wait = longestWait) {
    this.#wait = wait
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
      this.#away = true
      opened.catch(() => {})
      this.#log.error({ err, store: this.#store.name }, 'the decommission store cannot be read; this instance is in service')
    }
  }

  async #read (): Promise<void> {
    const decommission = await this.#store.open((changed) => this.#heard(changed))
    // What was written or heard of meanwhile is newer.
    if (!this.#known) this.#heard(decommission)
  }

  #heard (decommission: Decommission | undefined): void {
    if (this.#closed) return
    this.#known = true
    this.#away = false
    this.#set(decommission)
  }

  async close (): Promise<void> {
    this.#closed = true
    try {
      await within(this.#wait, this.#store.close())
    } catch (err) {
      this.#log.warn({ err, store: this.#store.name }, 'the decommission store did not close')
    }
  }

  get current (): Decommission | undefined {
    return this.#current
  }

  get draining (): boolean {
    return this.#draining
  }

  /** What the probe answers instead of OK. */
  get body (): string | undefined {
    return this.#current?.body ?? (this.#draining ? drainingBody : undefined)
  }

  /** A status handler for the store. */
  getStatus (): StatusResult {
    return !this.#away
      ? { state: OK, detail: this.#store.name }
      : { state: RED, detail: `${this.#store.name} cannot be read; this instance is in service whatever is stored there` }
  }

  /**
   * Takes the instance out of service.
   *
   * @throws ERR_INVALID_DECOMMISSION, ERR_STORE_FAILED
   */
  async decommission (body: string): Promise<void> {
    checkBody(body)
    if (isInService(body)) {
      throw codedError('ERR_INVALID_DECOMMISSION', `the body ${show(body)} would say that the instance is in service: recommission it instead`, { statusCode: 400 })
    }
    await this.#write({ body, since: Date.now() })
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
    const before = this.body
    this.#draining = true
    if (before === undefined) this.#changed(true)
  }

  /** One after the other: of two at once, the one that is stored last is the one that holds. */
  async #write (decommission: Decommission | undefined): Promise<void> {
    const written = this.#lastWrite.then(async () => await this.#writeNow(decommission))
    this.#lastWrite = written.catch(() => {})
    await written
  }

  async #writeNow (decommission: Decommission | undefined): Promise<void> {
    try {
      await within(this.#wait, this.#store.write(decommission))
    } catch (err) {
      this.#log.error({ err, store: this.#store.name }, 'a decommission could not be stored')
      throw codedError('ERR_STORE_FAILED', `the decommission store ${this.#store.name} failed; nothing was changed`, { cause: err, statusCode: 503 })
    }
    this.#heard(decommission)
    this.#log.info(decommission === undefined ? 'recommissioned' : `decommissioned: ${decommission.body}`)
  }

  #set (decommission: Decommission | undefined): void {
    const before = this.body === undefined
    this.#current = decommission
    const now = this.body === undefined
    if (before !== now) this.#changed(!now)
  }
}
