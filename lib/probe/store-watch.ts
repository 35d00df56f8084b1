import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { fromText } from './decommission.js'

type Listeners = Parameters<DecommissionStore['open']>

/**
 * What is stored outside this process, where others change it too: looks again and again, one look at a time, and tells
 * of changes and of failures.
 */
export class StoreWatch {
  readonly #read: () => Promise<string | undefined>
  readonly #interval: number
  #listeners: Listeners | undefined
  #text: string | undefined
  #failing = false
  /** How many writes are under way: what a look reads meanwhile is not acknowledged yet, and may be put back. */
  #writing = 0
  /** Another one whenever a write ends: what a look has read meanwhile may be older than what was written. The end looks again. */
  #version = 0
  #looking = false
  #again = false
  #timer: NodeJS.Timeout | undefined

  /**
   * @param read what is stored, `undefined` for nothing
   * @param interval from the end of one look to the next, in milliseconds
   */
  constructor (read: () => Promise<string | undefined>, interval: number) {
    this.#read = read
    this.#interval = interval
  }

  /** The first look. It goes on looking also when that fails. */
  async open (...listeners: Listeners): Promise<Decommission | undefined> {
    this.#listeners = listeners
    this.#looking = true
    return await this.#first().finally(() => {
      this.#looking = false
      this.#wait()
    })
  }

  async #first (): Promise<Decommission | undefined> {
    const version = this.#version
    try {
      const text = await this.#read()
      const decommission = decode(text)
      if (this.#isCurrent(version)) this.#text = text
      return decommission
    } catch (error) {
      this.#failing = true
      throw error
    }
  }

  /** Looks at once, since something has changed; again, where a look is under way that may have missed it. */
  soon (): void {
    this.#again = true
    if (!this.#looking && this.#listeners !== undefined) this.#turn()
  }

  /** Does a write, and takes what was written for what was last seen. Then it looks: what others wrote meanwhile may be newer. */
  async writing (text: string | undefined, write: () => Promise<void>): Promise<void> {
    this.#writing++
    try {
      await write()
      this.#text = text
      this.#failing = false
    } finally {
      this.#writing--
      this.#version++
      this.soon()
    }
  }

  close (): void {
    this.#listeners = undefined
    clearTimeout(this.#timer)
  }

  /** Whether what was read since that version can be told. */
  #isCurrent (version: number): boolean {
    return this.#writing === 0 && version === this.#version
  }

  #wait (): void {
    if (this.#listeners === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#turn(), this.#again ? 0 : this.#interval).unref()
  }

  #turn (): void {
    this.#again = false
    this.#looking = true
    // Never rejects: what goes wrong is told to the listener.
    this.#look().finally(() => {
      this.#looking = false
      this.#wait()
    })
  }

  async #look (): Promise<void> {
    const version = this.#version
    try {
      const text = await this.#read()
      if (!this.#isCurrent(version) || (text === this.#text && !this.#failing)) return
      const decommission = decode(text)
      this.#text = text
      this.#failing = false
      this.#listeners?.[0](decommission)
    } catch (error) {
      if (!this.#isCurrent(version)) return
      this.#failing = true
      this.#listeners?.[1]?.(error)
    }
  }
}

function decode (text: string | undefined): Decommission | undefined {
  return text === undefined ? undefined : fromText(text)
}
