import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FailedEntry, FleetStore, Outbox, OutboxEntry, RollUp, StoreChange, StoredApp, Trouble } from '../../../types/healthchecker.js'
import { execArgvOf } from '../../auth/htpasswd-verifier.js'
import { codedError, errorCodes, show, type ErrorCode } from '../../core/errors.js'
import { invalid } from '../../core/options.js'
import type { Answer, Operation, Question } from './sqlite-worker.js'

interface Waiting {
  resolve (value: unknown): void
  reject (error: Error): void
}

/** What SQLite calls a trouble: https://www.sqlite.org/rescode.html */
const reasons: ReadonlyArray<readonly [begin: string, reason: Trouble['code'], words: string]> = [
  ['SQLITE_FULL', 'STORE_FULL', 'the disk is full'],
  ['SQLITE_READONLY_CHANGED', 'STORE_READ_ONLY', 'it was read-only at the start, and somebody else may have changed it since: restart the healthchecker'],
  ['SQLITE_READONLY', 'STORE_READ_ONLY', 'the file cannot be written'],
  // Not begun again here: meanwhile somebody else may have had the file.
  ['THREAD_ENDED', 'STORE_FAILED', 'its thread has ended, and nothing can be stored: restart the healthchecker'],
  ['', 'STORE_FAILED', 'it could not be written or read']
]

/**
 * The files that this process has. Nobody else in it may even look into one: when a file is closed, all locks of the process on it are
 * given up, and another process could have it too. https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
 */
const ours = new Set<string>()

/**
 * Keeps a fleet in an SQLite file, which is made where there is none. What it stored is on the disk; another process that wants
 * the same file is refused. Needs the package libsql.
 *
 * This process must not read the file in any other way while it is open: that would give up the lock.
 *
 * @throws ERR_INVALID_OPTION
 */
export function sqliteFleetStore (path: string): FleetStore {
  // The driver would take an address for a server of its makers'.
  if (typeof path !== 'string' || path === '' || path.includes('\0') || path.includes(':memory:') || /^\w+:/.test(path)) {
    throw invalid('the path of a store', 'the path of a file', path)
  }
  return new SqliteFleetStore(path)
}

export class SqliteFleetStore implements FleetStore {
  readonly name: string
  readonly outbox: Outbox
  readonly #path: string
  readonly #start: () => Worker
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  /** Why its thread ended by itself. */
  #end: string | undefined
  /** What it has of `ours`. */
  #file: string | undefined
  #questions = 0

  constructor (path: string, start = startWorker) {
    this.#path = path
    this.#start = start
    this.name = path
    this.outbox = {
      due: async (now, limit) => await this.#ask<OutboxEntry[]>('due', [now, limit]),
      owed: async () => await this.#ask('owed', []),
      assign: async (ids, mail) => await this.#ask<boolean>('assign', [ids, mail]),
      postpone: async (ids, notBefore) => await this.#ask('postpone', [ids, notBefore]),
      remove: async (ids) => await this.#ask('remove', [ids]),
      fail: async (ids, why, failedAt) => await this.#ask('fail', [ids, why, failedAt]),
      failed: async (limit) => await this.#ask<FailedEntry[]>('failed', [limit])
    }
  }

  async open (onApps: (apps: readonly StoredApp[]) => void): Promise<{ id: number, suspected: boolean }> {
    const file = realPathOf(this.#path)
    if (ours.has(file)) throw codedError('ERR_STORE_LOCKED', `the store ${show(this.#path)} is in use: this process has it already`)
    ours.add(file)
    this.#file = file
    this.#end = undefined
    const worker = this.#worker = this.#start()
    worker.on('message', (answer: Answer) => this.#answered(answer))
    worker.on('error', (error) => this.#ended(error.message))
    worker.on('exit', () => this.#ended('its thread has ended'))
    try {
      await this.#ask('open', [this.#path])
      // One question for each batch: many answers at once would hold up everybody else.
      let apps = await this.#ask<StoredApp[]>('apps', [''])
      while (apps.length > 0) {
        onApps(apps)
        apps = await this.#ask<StoredApp[]>('apps', [apps[apps.length - 1].registration.name])
      }
      return await this.#ask('lastNotice', [])
    } catch (error) {
      this.#worker = undefined
      await worker.terminate()
      this.#letGo()
      throw error
    }
  }

  async write (changes: readonly StoreChange[]): Promise<void> {
    await this.#ask('write', [changes])
  }

  async hours (name: string, from: number): Promise<readonly RollUp[]> {
    return await this.#ask<RollUp[]>('hours', [name, from])
  }

  async close (): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const closed = this.#ask('close', [])
    this.#worker = undefined
    await closed
    // With the thread the last of it is gone.
    await worker.terminate()
    this.#letGo()
  }

  #ask<T> (operation: Operation, values: readonly unknown[]): Promise<T> {
    const worker = this.#worker
    if (worker === undefined) return Promise.reject(this.#end === undefined ? this.#failure('', 'it is not open') : this.#failure('THREAD_ENDED', this.#end))
    const question: Question = { id: ++this.#questions, operation, values }
    // It keeps the process alive only while somebody waits for it.
    worker.ref()
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(question.id, { resolve: resolve as Waiting['resolve'], reject })
      worker.postMessage(question)
    })
  }

  #answered (answer: Answer): void {
    const waiting = this.#waiting.get(answer.id) as Waiting
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if ('value' in answer) waiting.resolve(answer.value)
    else waiting.reject(this.#failure(answer.error.code, answer.error.message))
  }

  #ended (why: string): void {
    if (this.#worker !== undefined) this.#end = why
    this.#worker = undefined
    this.#letGo()
    for (const { reject } of this.#waiting.values()) reject(this.#failure('THREAD_ENDED', why))
    this.#waiting.clear()
  }

  #letGo (): void {
    if (this.#file !== undefined) ours.delete(this.#file)
    this.#file = undefined
  }

  #failure (code: string, message: string): Error {
    if (code === 'ERR_MODULE_NOT_FOUND') return codedError('ERR_PACKAGE_MISSING', 'a store in an SQLite file needs a package that is not installed: npm install libsql')
    if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT') return codedError('ERR_STORE_CORRUPT', `the store ${show(this.#path)} cannot be read: ${message}`)
    if (errorCodes.includes(code as ErrorCode)) return codedError(code as ErrorCode, message)
    const [, reason, words] = reasons.find(([begin]) => code.startsWith(begin)) as typeof reasons[number]
    const error = codedError('ERR_STORE_FAILED', `the store ${show(this.#path)}: ${words}`, { cause: new Error(`${code} ${message}`), statusCode: 503 })
    return Object.assign(error, { reason })
  }
}

function realPathOf (path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

export function startWorker (): Worker {
  return new Worker(new URL('./sqlite-worker.js', import.meta.url), { name: 'fleet-store', execArgv: execArgvOf(process.execArgv) })
}
