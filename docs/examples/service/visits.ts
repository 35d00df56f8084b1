import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import Database from 'libsql'
import { OK, type StatusProvider, type StatusResult } from 'fastify-svc-status'

/** The visits in an SQLite file, which is a status handler: it asks the file. */
export class Visits implements StatusProvider {
  readonly folder: string
  readonly #database: Database.Database
  readonly #temporary: boolean

  constructor (file?: string) {
    this.#temporary = file === undefined
    this.folder = file === undefined ? mkdtempSync(join(tmpdir(), 'svc-status-')) : dirname(resolve(file))
    this.#database = new Database(file ?? join(this.folder, 'visits.sqlite'))
    this.#database.exec('create table if not exists visits (at integer not null)')
  }

  /** Gives how many there are with this one. */
  add (): number {
    this.#database.prepare('insert into visits values (?)').run(Date.now())
    return this.#count()
  }

  /** Gives how many were forgotten. */
  forgetBefore (time: number): number {
    return this.#database.prepare('delete from visits where at < ?').run(time).changes
  }

  /** An error of the database makes the handler RED, and the log has the whole of it. */
  getStatus (): StatusResult {
    const visits = this.#count()
    return { state: OK, detail: `${visits} visits`, metrics: { visits } }
  }

  close (): void {
    this.#database.close()
    if (this.#temporary) rmSync(this.folder, { recursive: true })
  }

  #count (): number {
    return (this.#database.prepare('select count(*) as visits from visits').get() as { visits: number }).visits
  }
}
