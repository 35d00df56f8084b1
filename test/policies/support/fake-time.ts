import { AsyncResource } from 'node:async_hooks'
import type { Clock } from '../../../types/time.js'

interface Timer {
  readonly at: number
  readonly call: () => void
}

/** A clock and the timers that go by it: time passes when `advance` says so, and at no other moment. */
export class FakeTime implements Clock {
  #time = 0
  readonly #timers = new Map<object, Timer>()

  now (): number {
    return Date.UTC(2030, 0, 1) + this.#time
  }

  monotonic (): number {
    return this.#time
  }

  /** How many timers wait. */
  get waiting (): number {
    return this.#timers.size
  }

  /** Takes the place of the timers of the process; gives the function that ends it. */
  install (): () => void {
    const { setTimeout, clearTimeout } = globalThis
    globalThis.setTimeout = ((ring: () => void, delay: number) => {
      const call = AsyncResource.bind(ring)
      const handle = {
        ref: () => handle,
        unref: () => handle,
        refresh: () => {
          this.#timers.set(handle, { at: this.#time + delay, call })
          return handle
        }
      }
      handle.refresh()
      return handle
    }) as unknown as typeof setTimeout
    globalThis.clearTimeout = ((handle: object) => { this.#timers.delete(handle) }) as unknown as typeof clearTimeout
    return () => { Object.assign(globalThis, { setTimeout, clearTimeout }) }
  }

  /** Lets so many milliseconds pass: timers fire in their order, and what they set off comes to its end. */
  async advance (milliseconds: number): Promise<void> {
    const end = this.#time + milliseconds
    await settled()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const [handle, { at, call }] = next
      this.#timers.delete(handle)
      this.#time = at
      call()
      await settled()
    }
    this.#time = end
  }

  #next (end: number): [object, Timer] | undefined {
    return [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
  }
}

/** All that waits for no timer has happened. */
export async function settled (): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
