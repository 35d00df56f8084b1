import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { codedError } from '../core/errors.js'
import { invalid } from '../core/options.js'
import { toText } from './decommission.js'
import { StoreWatch } from './store-watch.js'

/** What this needs of `node:fs/promises`, so that a test can fail, or end the process, between any two calls. */
export interface FileSystem {
  open: typeof open
  rename: typeof rename
  stat: typeof stat
  unlink: typeof unlink
}

/** From one look at the file to the next, in milliseconds: all processes of the host see a change within a second. */
const interval = 250

/** No decommission is as long, in bytes; whatever is longer is not read to its end. */
const largest = 16_384

/**
 * Keeps a decommission in a file: it survives a restart, and all processes of the host that are given the same file share
 * it. Without the file they are in service; its folder has to be there.
 *
 * The file is replaced as a whole, and is on the disk before a decommission is acknowledged: whenever a process or the host
 * dies, it holds the old state or the new one.
 *
 * @param path of the file, from the working directory
 * @throws ERR_INVALID_OPTION
 * @example
 * await fastify.register(statusPlugin, { probeStatus: { store: fileStore('/var/lib/myservice/decommission.json') } })
 */
export function fileStore (path: string): DecommissionStore {
  return fileStoreOn({ open, rename, stat, unlink }, path)
}

/** The same on a file system of one's own. */
export function fileStoreOn (fs: FileSystem, path: string): DecommissionStore {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw invalid('the path of fileStore()', 'the path of a file', path)
  const file = new StoreFile(fs, resolve(path))
  const watch = new StoreWatch(() => file.read(), interval)
  return {
    name: `the file ${file.path}`,
    open: async (...listeners) => await watch.open(...listeners),
    async write (decommission: Decommission | undefined, signal?: AbortSignal) {
      const text = decommission === undefined ? undefined : `${toText(decommission)}\n`
      await watch.writing(text, () => file.write(text, signal))
    },
    async close () { watch.close() }
  }
}

/** A file that is there as a whole or not at all. */
class StoreFile {
  readonly path: string
  readonly #fs: FileSystem
  readonly #folder: string
  #lastWrite: Promise<void> = Promise.resolve()

  constructor (fs: FileSystem, path: string) {
    this.#fs = fs
    this.path = path
    this.#folder = dirname(path)
  }

  async read (): Promise<string | undefined> {
    let file
    try {
      // Without waiting, should it be a FIFO: that wait has no end, and each takes one of the four threads for files and names.
      file = await this.#fs.open(this.path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      // A folder that is not there says nothing: its disk may be mounted later.
      await this.#fs.stat(this.#folder)
      return undefined
    }
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(largest), 0, largest, 0)
      if (bytesRead === largest) throw codedError('ERR_STORE_CORRUPT', `the file has ${largest} bytes or more`)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  }

  /** @throws where it was not written for good, or too late: then it is what it was before */
  async write (text: string | undefined, signal?: AbortSignal): Promise<void> {
    // One after the other, also where nobody waits for the one before any more: it may still put back what it found, which
    // must not be what is written here.
    const written = this.#lastWrite.then(async () => await this.#write(text, signal))
    this.#lastWrite = written.catch(() => {})
    await written
  }

  async #write (text: string | undefined, signal?: AbortSignal): Promise<void> {
    const before = await this.read()
    await this.#replace(text, signal)
    try {
      await this.#syncFolder()
      signal?.throwIfAborted()
    } catch (error) {
      // Whoever waits is told that nothing was changed. Where this fails too, the next look finds what it is.
      await this.#putBack(before, text).catch(() => {})
      throw error
    }
  }

  /** As long as nobody else has written meanwhile. */
  async #putBack (before: string | undefined, written: string | undefined): Promise<void> {
    if (await this.read() !== written) return
    await this.#replace(before)
    await this.#syncFolder()
  }

  async #replace (text: string | undefined, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (text === undefined) return await this.#remove(this.path)
    // Beside the file, since a rename is only whole within one file system; of a name that no other process takes.
    const temporary = `${this.path}.${randomUUID()}.new`
    try {
      const file = await this.#fs.open(temporary, 'wx')
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      signal?.throwIfAborted()
      await this.#fs.rename(temporary, this.path)
    } catch (error) {
      await this.#remove(temporary).catch(() => {})
      throw error
    }
  }

  async #remove (path: string): Promise<void> {
    try {
      await this.#fs.unlink(path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  /** Only then the new name survives a power cut: https://man7.org/linux/man-pages/man2/fsync.2.html */
  async #syncFolder (): Promise<void> {
    try {
      const folder = await this.#fs.open(this.#folder, 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    } catch (error) {
      // Windows and some network file systems have no such thing for folders.
      if (!['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error
    }
  }
}

function codeOf (error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
