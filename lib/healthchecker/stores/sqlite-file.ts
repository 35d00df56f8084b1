import { closeSync, existsSync, openSync } from 'node:fs'
import type { Database, Statement } from 'libsql'
import type { FailedEntry, Notice, OutboxEntry, RollUp, StoreChange, StoredApp } from '../../../types/healthchecker.js'
import { codedError, show } from '../../core/errors.js'
import { keepHours } from '../hours.js'
import { keepFailed } from './keep-failed.js'
import { cutsOf, mostOwed } from './outbox-bound.js'
import { isWritable, ReadOnlyCopy } from './read-only-copy.js'
import { checkHeader, checkVersion } from './sqlite-header.js'
import { pragmas, schema, statements, type StatementName } from './sqlite-schema.js'

/** How many apps are given in one go. */
const batch = 1_000

type Row = Record<string, unknown>

type Driver = new (path: string) => Database

/**
 * A fleet in an SQLite file. Synchronous: it lives in a thread of its own, where nobody waits for an fsync.
 * The file is locked by the process that has it, and free at the moment when that ends, however it ends.
 */
export class SqliteFile {
  readonly #Driver: Driver
  readonly #path: string
  readonly #writable: () => boolean
  #database: Database
  readonly #prepared = new Map<StatementName, Statement<unknown[]>>()
  /** What is read in place of a file that cannot be written. */
  #copy: ReadOnlyCopy | undefined

  /**
   * @param Driver the class of libsql
   * @param writable whether the file, if there is one, can be written now
   * @throws ERR_STORE_NEWER, ERR_STORE_CORRUPT, ERR_STORE_LOCKED, or an error of SQLite
   */
  constructor (Driver: Driver, path: string, writable = () => isWritable(path)) {
    this.#Driver = Driver
    this.#path = path
    this.#writable = writable
    if (!existsSync(path)) {
      begin(path)
    } else {
      checkHeader(path)
      if (!writable()) this.#copy = new ReadOnlyCopy(path)
    }
    try {
      this.#database = this.#open(this.#copy?.path ?? path)
    } catch (error) {
      this.#copy?.remove()
      throw error
    }
  }

  /** The apps after a name, in the order of their names, so that nobody has to sort a hundred thousand of them; at most a thousand. */
  apps (after: string): StoredApp[] {
    return this.#all('apps', after, batch).map(appOf)
  }

  /** The largest id of a notice, and what the last suspicion says. */
  lastNotice (): { id: number, suspected: boolean } {
    const [{ id, suspected }] = this.#all('lastNotice')
    return { id: id as number, suspected: suspected === 1 }
  }

  write (changes: readonly StoreChange[]): void {
    this.#transaction(() => {
      for (const change of changes) this.#apply(change)
      if (changes.some((change) => change.kind === 'notice' && change.receivers.length > 0)) this.#boundOutbox()
    })
  }

  hours (name: string, from: number): RollUp[] {
    return this.#all('hours', name, from) as unknown as RollUp[]
  }

  due (now: number, limit: number): OutboxEntry[] {
    return this.#all('due', now, limit).map(entryOf)
  }

  owed (): { count: number, next?: number, oldest?: number, dropped: number } {
    const [{ count, next }] = this.#all('owed') as Array<{ count: number, next: number | null }>
    const oldest = this.#all('oldest').map(({ notice }) => (JSON.parse(notice as string) as Notice).at)[0]
    const [{ dropped }] = this.#all('dropped') as Array<{ dropped: number }>
    return { count, next: next ?? undefined, oldest, dropped }
  }

  assign (ids: readonly number[], mail: string): boolean {
    return this.#transaction(() => {
      if (ids.some((id) => this.#all('isOwed', id).length === 0)) return false
      for (const id of ids) this.#run('assign', mail, id)
      return true
    })
  }

  postpone (ids: readonly number[], notBefore: number): void {
    this.#forEach('postpone', ids, notBefore)
  }

  remove (ids: readonly number[]): void {
    this.#forEach('sent', ids)
  }

  fail (ids: readonly number[], why: string, failedAt: number): void {
    this.#transaction(() => {
      for (const id of ids) {
        this.#run('fail', why, failedAt, id)
        this.#run('sent', id)
      }
      this.#run('forgetFailed', keepFailed)
    })
  }

  failed (limit: number): FailedEntry[] {
    return this.#all('failed', limit).map((row) => ({ ...entryOf(row), why: row.why as string, failedAt: row.failed_at as number }))
  }

  close (): void {
    letGo(this.#database)
    this.#copy?.remove()
  }

  #open (file: string): Database {
    const database = new this.#Driver(file)
    try {
      database.exec(pragmas)
      // The lock is taken by the first transaction, and never given back.
      database.exec('BEGIN EXCLUSIVE')
      if (!isStore(database, this.#path)) database.exec(schema)
      database.exec('COMMIT')
      database.exec('PRAGMA journal_mode = WAL')
      return database
    } catch (error) {
      letGo(database)
      if ((error as { code?: unknown }).code === 'SQLITE_BUSY') {
        throw codedError('ERR_STORE_LOCKED', `the store ${show(this.#path)} is in use: two healthcheckers cannot share it`, { cause: error })
      }
      throw error
    }
  }

  /** The file takes the place of its copy again, once it can be written, and provided that nobody else wrote it: what is known here is of the copy. */
  #recover (copy: ReadOnlyCopy): void {
    if (!this.#writable()) throw readOnly('SQLITE_READONLY')
    if (copy.isOutdated) throw readOnly('SQLITE_READONLY_CHANGED')
    const database = this.#openOriginal()
    this.close()
    this.#prepared.clear()
    this.#database = database
    this.#copy = undefined
  }

  #openOriginal (): Database {
    try {
      return this.#open(this.#path)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_STORE_LOCKED') throw readOnly('SQLITE_READONLY_CHANGED')
      throw error
    }
  }

  #apply (change: StoreChange): void {
    switch (change.kind) {
      case 'put': {
        const { app } = change
        this.#run('put', app.registration.name, JSON.stringify(app.registration), app.registeredAt, Number(app.trusted), Number(app.remote), ...healthOf(app))
        break
      }
      case 'remove':
        this.#run('removeHours', change.name)
        this.#run('remove', change.name)
        break
      case 'notice': {
        const { app, notice, receivers } = change
        this.#run('useNoticeId', notice.id)
        if (notice.kind === 'suspicion') this.#run('suspect', Number(notice.suspected))
        if (app !== undefined) this.#run('state', ...healthOf(app), app.registration.name)
        for (const receiver of receivers) this.#run('owe', receiver, JSON.stringify(notice))
        break
      }
      case 'progress': {
        const { health, lastCheck, name, recent } = change
        this.#run('progress', JSON.stringify(health), jsonOrNull(lastCheck), recent ?? null, name)
        break
      }
      case 'hour': {
        const { name, at, checks, failures, meanDuration, maxDuration } = change.hour
        this.#run('hour', at, checks, failures, meanDuration, maxDuration, name)
        this.#run('forgetHours', name, at - keepHours)
      }
    }
  }

  #boundOutbox (): void {
    const [{ count }] = this.#all('owed') as Array<{ count: number }>
    if (count <= mostOwed) return
    for (const { ids, receiver, notice } of cutsOf(this.#all('due', Number.MAX_VALUE, count).map(entryOf))) {
      for (const id of ids) this.#run('sent', id)
      this.#run('owe', receiver, JSON.stringify(notice))
    }
  }

  #forEach (statement: StatementName, ids: readonly number[], ...values: unknown[]): void {
    this.#transaction(() => {
      for (const id of ids) this.#run(statement, ...values, id)
    })
  }

  #transaction<T> (work: () => T): T {
    if (this.#copy !== undefined) this.#recover(this.#copy)
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk ends the transaction by itself: https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #run (name: StatementName, ...values: unknown[]): void {
    this.#statement(name).run(...values)
  }

  #all (name: StatementName, ...values: unknown[]): Row[] {
    return this.#statement(name).all(...values) as Row[]
  }

  #statement (name: StatementName): Statement<unknown[]> {
    let statement = this.#prepared.get(name)
    if (statement === undefined) {
      statement = this.#database.prepare(statements[name])
      this.#prepared.set(name, statement)
    }
    return statement
  }
}

function letGo (database: Database): void {
  try {
    // The driver keeps what it closed open until its statements are collected, and with it the lock. Out of the log's mode the lock can be given back.
    database.exec('PRAGMA journal_mode = DELETE')
    database.exec('PRAGMA locking_mode = NORMAL')
    isStore(database, '')
  } catch {
    // What is in the log stays there, for the next who opens it.
  }
  database.close()
}

/** What was in a file is known for sure only after SQLite undid what a process left half done. */
function isStore (database: Database, path: string): boolean {
  const { tables } = database.prepare('SELECT COUNT(*) AS tables FROM sqlite_master').get() as { tables: number }
  if (tables === 0) return false
  const { id, version } = database.prepare('SELECT application_id AS id, user_version AS version FROM pragma_application_id, pragma_user_version').get() as { id: number, version: number }
  checkVersion(path, id, version)
  return true
}

function readOnly (code: string): Error {
  return Object.assign(new Error('the file was read-only when it was opened'), { code })
}

/** Who else is on this machine has no business with mail addresses. What SQLite writes beside it has the same rights: https://www.sqlite.org/wal.html */
function begin (path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch {
    // SQLite cannot make it either, and says why.
  }
}

/** What of an app changes with its state. */
function healthOf ({ health, since, paused, lastCheck, recent }: StoredApp): unknown[] {
  return [JSON.stringify(health), since, jsonOrNull(paused), jsonOrNull(lastCheck), recent ?? null]
}

function jsonOrNull (value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

function appOf (row: Row): StoredApp {
  const { registration, registered_at: registeredAt, trusted, remote, health, since, paused, last_check: lastCheck, recent } = row
  return {
    registration: JSON.parse(registration as string),
    registeredAt: registeredAt as number,
    trusted: trusted === 1,
    remote: remote === 1,
    health: JSON.parse(health as string),
    since: since as number,
    ...(paused === null ? undefined : { paused: JSON.parse(paused as string) }),
    ...(lastCheck === null ? undefined : { lastCheck: JSON.parse(lastCheck as string) }),
    ...(recent === null ? undefined : { recent: new Uint8Array(recent as Uint8Array) })
  }
}

function entryOf ({ id, receiver, notice, attempts, not_before: notBefore, mail }: Row): OutboxEntry {
  return {
    id: id as number,
    receiver: receiver as string,
    notice: JSON.parse(notice as string) as OutboxEntry['notice'],
    attempts: attempts as number,
    notBefore: notBefore as number,
    ...(mail === null ? undefined : { mail: mail as string })
  }
}
