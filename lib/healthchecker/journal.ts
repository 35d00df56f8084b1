import { setImmediate } from 'node:timers/promises'
import type { FleetStore, StoreChange, Trouble } from '../../types/healthchecker.js'
import type { Logger } from '../../types/logger.js'

/** After how long a store that failed is tried again, in milliseconds. */
const retryAfter = 1_000

/** How many changes go to the store in one transaction, of how many it is told in one go, and how many transitions wait for a store that fails. */
const most = { together: 2_000, told: 100, waiting: 50_000 }

interface Item {
  readonly changes: readonly StoreChange[]
  /** Whether it waits for a store that fails: what happened cannot be refused. */
  readonly owed: boolean
  settled: ((error?: unknown) => void) | undefined
}

/**
 * What has to be stored, in its order: one transaction at a time, with all that came meanwhile. What happened is kept in
 * memory while the store fails; what was asked for is refused.
 */
export class Journal {
  readonly #store: FleetStore
  readonly #log: Logger
  readonly #onTrouble: (trouble: Pick<Trouble, 'code' | 'detail'> | undefined) => void
  #queue: Item[] = []
  #writing: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #lost = 0
  #trouble: Pick<Trouble, 'code' | 'detail'> | undefined
  #closed = false

  /** @param onTrouble told when what is wrong with the store is something else than before */
  constructor (store: FleetStore, log: Logger, onTrouble: (trouble: Pick<Trouble, 'code' | 'detail'> | undefined) => void) {
    this.#store = store
    this.#log = log
    this.#onTrouble = onTrouble
  }

  /** Whether the store fails. */
  get fails (): boolean {
    return this.#trouble !== undefined
  }

  /** How many changes wait to be stored, and how many that happened were forgotten since the start. */
  get counts (): { readonly waiting: number, readonly forgotten: number } {
    return { waiting: this.#queue.length, forgotten: this.#lost }
  }

  /** Resolves when it is stored; rejects where it is not, and then it never will be. */
  ask (changes: readonly StoreChange[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#add({ changes, owed: false, settled: (error) => error === undefined ? resolve() : reject(error) })
    })
  }

  /** @param settled told once, when it is stored or at the first time that it is not */
  owe (changes: readonly StoreChange[], settled?: () => void): void {
    this.#add({ changes, owed: true, settled })
  }

  /** Stores what there is, and tries once more where the store failed. */
  async close (): Promise<void> {
    await this.#writing
    await this.#write()
    this.#closed = true
    clearTimeout(this.#retry)
    if (this.#queue.length > 0) this.#log.error({ changes: this.#queue.length }, 'the healthchecker ends with changes that could not be stored')
  }

  #add (item: Item): void {
    this.#queue.push(item)
    if (this.#queue.length > most.waiting && this.fails) this.#forgetOldest()
    // Nobody waits for it: it never rejects, and tells those who asked.
    if (this.#retry === undefined) this.#write()
  }

  /** Of what happened: who asked for something is told that it is not stored. */
  #forgetOldest (): void {
    const oldest = this.#queue.findIndex(({ owed }) => owed)
    if (oldest === -1) return
    this.#queue.splice(oldest, 1)[0].settled?.()
    this.#lost++
    if (this.#lost % 1_000 === 1) this.#log.error({ lost: this.#lost }, 'the store fails for so long that transitions are forgotten')
  }

  /** One write at a time; it goes on while there is something to write. */
  #write (): Promise<void> {
    this.#writing ??= this.#writeAll()
    return this.#writing
  }

  async #writeAll (): Promise<void> {
    // What comes in the same turn goes together.
    await Promise.resolve()
    clearTimeout(this.#retry)
    this.#retry = undefined
    while (this.#queue.length > 0 && this.#retry === undefined && !this.#closed) {
      const items = this.#take()
      try {
        await this.#store.write(items.flatMap(({ changes }) => changes))
        this.#succeeded()
        await tell(items)
      } catch (error) {
        this.#failed(items, error)
        await tell(items, error)
      }
    }
    // At the very moment when it stops: what comes a microtask later begins another.
    this.#writing = undefined
  }

  #take (): Item[] {
    let count = 0
    let changes = 0
    while (count < this.#queue.length && changes < most.together) changes += this.#queue[count++].changes.length
    return this.#queue.splice(0, count)
  }

  #succeeded (): void {
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#log.info('the store of the healthchecker can be written again')
    this.#onTrouble(undefined)
  }

  #failed (items: readonly Item[], error: unknown): void {
    const { reason = 'STORE_FAILED', message } = error as { reason?: Trouble['code'], message: string }
    // What is to be done about it may be another thing than before.
    if (this.#trouble?.code !== reason || this.#trouble.detail !== message) {
      this.#trouble = { code: reason, detail: message }
      this.#log.error({ err: error }, 'the store of the healthchecker cannot be written: it goes on checking, and takes no registrations')
      this.#onTrouble(this.#trouble)
    }
    const owed = items.filter((item) => item.owed)
    this.#queue = [...owed, ...this.#queue]
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#write()
    }, retryAfter).unref()
  }
}

/** Each once. Who asked has a reply to write, and a thousand of them at once would hold up everybody else. */
async function tell (items: readonly Item[], error?: unknown): Promise<void> {
  for (const [index, item] of items.entries()) {
    item.settled?.(error)
    item.settled = undefined
    if (index % most.told === most.told - 1) await setImmediate()
  }
}
