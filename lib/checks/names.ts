import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'

type Callback = Parameters<LookupFunction>[2]

interface Pending {
  /** When it began; not yet, where it waits for a thread. */
  since: number | undefined
  readonly waiting: Set<Callback>
}

/** A resolution that hangs for so long is asked for again: the resolver may have come back meanwhile. */
const longest = 60_000

/**
 * Resolves host names, one resolution of a name at a time: one that hangs holds a thread of Node's pool of four, and checks
 * that gave up on it and began another would soon hold all of them, those that read files included.
 */
export class Names {
  readonly #lookup: LookupFunction
  readonly #clock: Clock
  readonly #most: number
  readonly #pending = new Map<string, Pending>()
  /** What begins the resolutions that wait, in their order. */
  readonly #queue = new Set<() => void>()
  #running = 0

  /** @param most how many resolutions may be under way at once: the others wait here, where none is asked for twice */
  constructor (lookup: LookupFunction, clock: Clock = systemClock, most = Infinity) {
    this.#lookup = lookup
    this.#clock = clock
    this.#most = most
  }

  /** What one run gives to `net.connect`. */
  query (): NameQuery {
    return new NameQuery((hostname, options, callback) => this.#ask(hostname, options, callback))
  }

  #ask (hostname: string, options: LookupOptions, callback: Callback): Set<Callback> {
    const key = `${hostname} ${options.family} ${options.hints} ${options.all}`
    const now = this.#clock.monotonic()
    const under = this.#pending.get(key)
    if (under !== undefined && (under.since === undefined || now - under.since < longest)) return under.waiting.add(callback)
    const waiting = new Set([callback])
    const pending: Pending = { since: undefined, waiting }
    this.#pending.set(key, pending)
    this.#queue.add(() => this.#begin(key, pending, hostname, options))
    this.#fill()
    return waiting
  }

  #fill (): void {
    for (const begin of this.#queue) {
      if (this.#running >= this.#most) break
      this.#queue.delete(begin)
      begin()
    }
  }

  #begin (key: string, pending: Pending, hostname: string, options: LookupOptions): void {
    const { waiting } = pending
    let under = true
    this.#running++
    pending.since = this.#clock.monotonic()
    const settled: Callback = (error, address, family) => {
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
      if (under) this.#running--
      under = false
      const told = [...waiting]
      waiting.clear()
      for (const tell of told) reply(tell, options.all === true, error, address, family)
      this.#fill()
    }
    try {
      this.#lookup(hostname, options, settled)
    } catch (error) {
      settled(error as Error, '')
    }
  }
}

/** The resolution that one run waits for. */
export class NameQuery {
  readonly lookup: LookupFunction
  #forget: (() => void) | undefined

  constructor (ask: (...args: Parameters<LookupFunction>) => Set<Callback>) {
    this.lookup = (hostname, options, callback) => {
      const waiting = ask(hostname, options, callback)
      this.#forget = () => { waiting.delete(callback) }
    }
  }

  /** The run is over: a resolution that hangs does not hold on to it. */
  forget (): void {
    this.#forget?.()
  }
}

/** In the form that was asked for, whatever form came: `net.connect` throws, with nobody to catch it, where it finds no address in a list. */
function reply (tell: Callback, all: boolean, error: Error | null, address: unknown, family: unknown): void {
  const found = (Array.isArray(address) ? address : [{ address, family }]).map(addressOf).filter((item) => item !== undefined)
  if (error) tell(error, all ? [] : '')
  else if (found.length === 0) tell(Object.assign(new Error('the lookup gave no address'), { code: 'ENOTFOUND' }), all ? [] : '')
  else if (all) tell(null, found)
  else tell(null, found[0].address, found[0].family)
}

function addressOf (item: unknown): LookupAddress | undefined {
  const address = String((item as Partial<LookupAddress> | null)?.address)
  const family = isIP(address)
  return family === 0 ? undefined : { address, family }
}

/** https://nodejs.org/api/cli.html#uv_threadpool_sizesize */
const threads = Math.max(1, Number(process.env.UV_THREADPOOL_SIZE) || 4)

/** The system's resolver, whose threads all checks share. Read at each call, as `net.connect` does. */
export const systemNames = new Names((hostname, options, callback) => dns.lookup(hostname, options, callback), systemClock, threads)
