import type { CheckRecord, RollUp } from '../../types/healthchecker.js'
import { states } from '../core/state.js'
import { Texts } from './texts.js'

/** How many checks of an app are kept. */
export const ringLength = 60

const hourLength = 3_600_000

/** So many apps share their arrays: an array for each would cost more than what is in it, and one for all cannot grow. */
const chunkLength = 1_024

/** What is kept of a check in a ring, in bytes: when, how it ended, how long it took, which error. */
const packed = { at: 4, result: 1, duration: 2, error: 1 }
const packedLength = packed.at + packed.result + packed.duration + packed.error

class Chunk {
  /** Seconds since the epoch. */
  readonly at = new Uint32Array(chunkLength * ringLength)
  /** Milliseconds: a check takes a minute at most. */
  readonly duration = new Uint16Array(chunkLength * ringLength)
  readonly result = new Uint8Array(chunkLength * ringLength)
  readonly error = new Uint16Array(chunkLength * ringLength)
  /** How many checks there were, up to twice the length of a ring and back to once: where the next belongs is known from it. */
  readonly count = new Uint8Array(chunkLength)
  readonly hour = new Float64Array(chunkLength)
  readonly checks = new Uint16Array(chunkLength)
  readonly failures = new Uint16Array(chunkLength)
  readonly sum = new Float64Array(chunkLength)
  readonly max = new Float64Array(chunkLength)
}

/** The last checks of all apps, and what is new in their present hours, in as few bytes as can be. An app has a slot. */
export class History {
  readonly #chunks: Chunk[] = []
  readonly #free: number[] = []
  readonly #texts = new Texts(2 ** 16 - 1)
  #slots = 0

  /** A slot for an app. */
  take (): number {
    const slot = this.#free.pop() ?? this.#slots++
    if (slot >> 10 === this.#chunks.length) this.#chunks.push(new Chunk())
    return slot
  }

  give (slot: number): void {
    const { chunk, index } = this.#at(slot)
    chunk.count[index] = 0
    this.takeHour(slot)
    this.#free.push(slot)
  }

  /** Keeps a check. Gives the hour before where this one begins another. */
  record (slot: number, { at, result, duration, error }: CheckRecord): RollUp | undefined {
    const { chunk, index } = this.#at(slot)
    const hour = Math.floor(at / hourLength) * hourLength
    const ended = chunk.hour[index] === hour ? undefined : this.takeHour(slot)
    chunk.hour[index] = hour
    this.#push(slot, at / 1000, states.indexOf(result), duration, this.#texts.number(error))
    const failed = result === 'RED'
    this.#addToHour(chunk, index, 1, Number(failed), failed ? 0 : duration, failed ? 0 : duration)
    return ended
  }

  /** What is new in its hour. Nothing is afterwards. */
  takeHour (slot: number): RollUp | undefined {
    const hour = this.hour(slot)
    const { chunk, index } = this.#at(slot)
    chunk.checks[index] = 0
    chunk.failures[index] = 0
    chunk.sum[index] = 0
    chunk.max[index] = 0
    return hour
  }

  hour (slot: number): RollUp | undefined {
    const { chunk, index } = this.#at(slot)
    const checks = chunk.checks[index]
    const failures = chunk.failures[index]
    if (checks === 0) return undefined
    return { at: chunk.hour[index], checks, failures, meanDuration: chunk.sum[index] / Math.max(1, checks - failures), maxDuration: chunk.max[index] }
  }

  /** Takes back an hour that could not be stored, while it is still the present one. Gives whether it is. */
  giveHour (slot: number, { at, checks, failures, meanDuration, maxDuration }: RollUp): boolean {
    const { chunk, index } = this.#at(slot)
    if (chunk.hour[index] !== at) return false
    this.#addToHour(chunk, index, checks, failures, meanDuration * (checks - failures), maxDuration)
    return true
  }

  /** The oldest first. */
  checks (slot: number): CheckRecord[] {
    const { chunk } = this.#at(slot)
    return this.#places(slot).map((place) => {
      const record = { at: chunk.at[place] * 1000, result: states[chunk.result[place]], duration: chunk.duration[place] }
      const error = this.#texts.text(chunk.error[place])
      return error === undefined ? record : { ...record, error }
    })
  }

  /** The ring as bytes: the number of checks, the checks, the texts of their errors in JSON. */
  pack (slot: number): Uint8Array {
    const { chunk } = this.#at(slot)
    const places = this.#places(slot)
    const texts = [...new Set(places.map((place) => chunk.error[place]))].filter((number) => number > 0)
    const words = Buffer.from(JSON.stringify(texts.map((number) => this.#texts.text(number))))
    const bytes = Buffer.alloc(1 + places.length * packedLength + words.length)
    let offset = bytes.writeUInt8(places.length)
    for (const place of places) {
      offset = bytes.writeUInt32LE(chunk.at[place], offset)
      offset = bytes.writeUInt8(chunk.result[place], offset)
      offset = bytes.writeUInt16LE(chunk.duration[place], offset)
      offset = bytes.writeUInt8(texts.indexOf(chunk.error[place]) + 1, offset)
    }
    words.copy(bytes, offset)
    // Not a part of Node's pool, all of which would be sent along.
    return new Uint8Array(bytes)
  }

  /** Takes what `pack` made. What cannot be read is no history. */
  unpack (slot: number, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const length = buffer[0] * packedLength + 1
    const texts = textsOf(buffer.toString('utf8', length))
    if (texts === undefined || length > buffer.length) return
    for (let offset = 1; offset < length; offset += packedLength) {
      const error = texts[buffer[offset + 7] - 1]
      this.#push(slot, buffer.readUInt32LE(offset), Math.min(buffer[offset + 4], states.length - 1), buffer.readUInt16LE(offset + 5), this.#texts.number(error))
    }
  }

  #push (slot: number, at: number, result: number, duration: number, error: number): void {
    const { chunk, index } = this.#at(slot)
    const count = chunk.count[index]
    const place = index * ringLength + count % ringLength
    chunk.at[place] = at
    chunk.result[place] = result
    chunk.duration[place] = Math.min(Math.round(duration), 0xffff)
    chunk.error[place] = error
    chunk.count[index] = count + 1 === 2 * ringLength ? ringLength : count + 1
  }

  #addToHour (chunk: Chunk, index: number, checks: number, failures: number, sum: number, max: number): void {
    chunk.checks[index] += checks
    chunk.failures[index] += failures
    chunk.sum[index] += sum
    chunk.max[index] = Math.max(chunk.max[index], max)
  }

  /** Where the checks of a ring are, the oldest first. */
  #places (slot: number): number[] {
    const { chunk, index } = this.#at(slot)
    const count = chunk.count[index]
    const length = Math.min(count, ringLength)
    return Array.from({ length }, (_item, offset) => index * ringLength + (count - length + offset) % ringLength)
  }

  #at (slot: number): { chunk: Chunk, index: number } {
    return { chunk: this.#chunks[slot >> 10], index: slot & (chunkLength - 1) }
  }
}

function textsOf (json: string): string[] | undefined {
  try {
    const texts: unknown = JSON.parse(json)
    return Array.isArray(texts) && texts.every((text) => typeof text === 'string') ? texts : undefined
  } catch {
    return undefined
  }
}
