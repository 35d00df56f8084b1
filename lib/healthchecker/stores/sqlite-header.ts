import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { codedError, show } from '../../core/errors.js'
import { applicationId, schemaVersion } from './sqlite-schema.js'

/**
 * Looks at a file before SQLite does, which would change one that was not closed properly. A store has had its version in the
 * file itself from the first moment on, never in the log beside it.
 *
 * @throws ERR_STORE_NEWER, ERR_STORE_CORRUPT
 */
export function checkHeader (path: string): void {
  // A process that ended while it made the store left a journal, by which SQLite makes the file empty again.
  if (existsSync(`${path}-journal`)) return
  // https://www.sqlite.org/fileformat2.html#the_database_header
  const header = Buffer.alloc(100)
  const file = openSync(path, 'r')
  const length = readSync(file, header, 0, header.length, 0)
  closeSync(file)
  if (length === 0) return
  const isDatabase = length === header.length && header.toString('latin1', 0, 16) === 'SQLite format 3\0'
  checkVersion(path, isDatabase ? header.readInt32BE(68) : 0, header.readInt32BE(60))
}

export function checkVersion (path: string, id: number, version: number): void {
  if (id !== applicationId) throw codedError('ERR_STORE_CORRUPT', `the file ${show(path)} is no store of a healthchecker`)
  if (version > schemaVersion) {
    throw codedError('ERR_STORE_NEWER', `the store ${show(path)} is of version ${version}, which a newer release wrote: this one knows version ${schemaVersion}`)
  }
}
