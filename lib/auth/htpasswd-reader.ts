import { createHash } from 'node:crypto'
import { constants, type BigIntStats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Logger } from '../../types/logger.js'
import type { Clock } from '../../types/time.js'
import { Users } from './htpasswd-users.js'

/** About 13,000 users; whatever is larger is no htpasswd file. */
const largest = 1_048_576

/**
 * File systems keep the time of a change in steps of up to 2 s: a second change within one step may leave no trace.
 * That long a file that has just changed is read at every look.
 */
const settling = 2_000

/** How many lines of one version are reported. */
const mostReports = 20

interface Version {
  readonly signature: string
  readonly digest: string
  readonly users: Users
  /** When a look first found this signature. */
  readonly seen: number
  /** Whether it was read so long after that, that no later change can hide behind the same signature. */
  readonly settled: boolean
}

/** Knows the users of a file as it is now. */
export class HtpasswdReader {
  readonly #path: string
  readonly #clock: Clock
  #version: Version | undefined
  #trouble: string | undefined
  #last: Promise<unknown> = Promise.resolve()
  #next: Promise<Users> | undefined

  constructor (path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  /**
   * Looks at the file, and reads it where it has changed. Those who ask while a look is under way share the one after it:
   * it may have missed what they are to see. There is never more than one, so that a file system that hangs holds one thread.
   *
   * @param log hears of lines that let nobody in, once for each version of the file, and of a file that cannot be read
   */
  users (log: Logger): Promise<Users> {
    this.#next ??= this.#take(log)
    return this.#next
  }

  async #take (log: Logger): Promise<Users> {
    await this.#last
    this.#next = undefined
    const look = this.#look(log)
    this.#last = look.catch(() => {})
    return await look
  }

  async #look (log: Logger): Promise<Users> {
    try {
      const version = await this.#current(log)
      this.#version = version
      this.#trouble = undefined
      return version.users
    } catch (err) {
      const trouble = String((err as NodeJS.ErrnoException).code)
      // Once, and not at every request.
      if (trouble !== this.#trouble) log.error({ err, file: this.#path }, 'the htpasswd file cannot be read: nobody is let in')
      this.#trouble = trouble
      throw err
    }
  }

  async #current (log: Logger): Promise<Version> {
    const known = this.#version
    const now = this.#clock.monotonic()
    if (known?.settled === true && known.signature === signatureOf(await stat(this.#path, { bigint: true }))) return known
    const { signature, bytes } = await read(this.#path)
    const seen = known?.signature === signature ? known.seen : now
    const digest = createHash('sha256').update(bytes).digest('base64')
    return {
      signature,
      digest,
      users: known?.digest === digest ? known.users : this.#parsed(bytes, log),
      seen,
      settled: now - seen >= settling
    }
  }

  #parsed (bytes: Buffer, log: Logger): Users {
    const users = new Users(bytes.toString('utf8'))
    for (const { line, problem } of users.problems.slice(0, mostReports)) {
      log.warn({ file: this.#path, line }, `line ${line} of the htpasswd file lets nobody in: ${problem}`)
    }
    const more = users.problems.length - mostReports
    if (more > 0) log.warn({ file: this.#path }, `${more} more lines of the htpasswd file let nobody in`)
    return users
  }
}

/** Replaced, written to in place, or given other permissions: one of these differs. */
function signatureOf ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join()
}

async function read (path: string): Promise<{ signature: string, bytes: Buffer }> {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat({ bigint: true })
    if (!stats.isFile()) throw trouble('ERR_NOT_A_FILE', `${path} is not a regular file`)
    const bytes = await buffer(file.createReadStream({ end: largest, autoClose: false }))
    if (bytes.length > largest) throw trouble('ERR_FILE_TOO_LARGE', `${path} is larger than ${largest} bytes`)
    // From before the reading: a change meanwhile is one that the next look finds.
    return { signature: signatureOf(stats), bytes }
  } finally {
    await file.close()
  }
}

function trouble (code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
