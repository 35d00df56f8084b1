import { statfs } from 'node:fs/promises'
import type { DiskSpaceCheckOptions } from '../../types/checks.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import { invalid, knownOptions } from '../core/options.js'
import { RED, worst } from '../core/state.js'
import { Label } from './label.js'
import { reasonOf } from './peer.js'
import { below, bytes, less, percent, thresholdsOf, type Thresholds } from './thresholds.js'

const thresholdNames = ['yellowFreeRatio', 'redFreeRatio', 'yellowFreeBytes', 'redFreeBytes'] as const

/**
 * The space that is free on a file system to processes like this one, without what is reserved for root, as `df` has it.
 * The metrics are `free_bytes`, `size_bytes` and `free_ratio`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * addStatusHandler('disk', new DiskSpaceCheck({ path: '/var/lib/app', yellowFreeBytes: 10e9, redFreeBytes: 1e9 }))
 */
export class DiskSpaceCheck implements StatusProvider {
  readonly name: string
  readonly #label: Label
  readonly #path: string
  readonly #ratio: Thresholds
  readonly #bytes: Thresholds
  #asked: Promise<Status> | undefined

  constructor (options: DiskSpaceCheckOptions) {
    const known = knownOptions(options, ['path', ...thresholdNames, 'name'], 'DiskSpaceCheck')
    const { path } = known
    if (typeof path !== 'string' || path === '' || path.includes('\0')) throw invalid('the option "path"', 'the path of a file or folder', path)
    const given: Partial<DiskSpaceCheckOptions> = thresholdNames.some((name) => known[name] !== undefined) ? known : { yellowFreeRatio: 0.1, redFreeRatio: 0.05 }
    this.#path = path
    this.#ratio = thresholdsOf(given, 'yellowFreeRatio', 'redFreeRatio', 1, less)
    this.#bytes = thresholdsOf(given, 'yellowFreeBytes', 'redFreeBytes', Number.MAX_SAFE_INTEGER, less)
    this.#label = new Label('DiskSpaceCheck', path, known.name)
    this.name = this.#label.name
  }

  /** A file system that hangs is asked once, not again by every reader: each question would hold a thread of Node's pool. */
  getStatus (): Promise<Status> {
    this.#asked ??= this.#ask().finally(() => { this.#asked = undefined })
    return this.#asked
  }

  toString (): string {
    return this.#label.text
  }

  async #ask (): Promise<Status> {
    try {
      const { bavail, bfree, blocks, bsize } = await statfs(this.#path)
      const free = bavail * bsize
      // Some file systems have no size at all: then nothing is free.
      const ratio = bavail / Math.max(1, blocks - bfree + bavail)
      return {
        state: worst(below(ratio, this.#ratio), below(free, this.#bytes)),
        detail: `${percent(ratio)} free, ${bytes(free)}`,
        metrics: { free_bytes: free, size_bytes: blocks * bsize, free_ratio: Math.round(ratio * 1e6) / 1e6 }
      }
    } catch (error) {
      return { state: RED, detail: `no answer from the file system: ${reasonOf(error)}` }
    }
  }
}
