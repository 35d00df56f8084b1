import { accessSync, constants, copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What SQLite keeps of a database: the file, and the log or the journal beside it. */
const parts = ['', '-wal', '-journal'] as const

/** A copy of a file that cannot be written: what SQLite would write to it all the same, it writes to the copy. */
export class ReadOnlyCopy {
  readonly path: string
  readonly #original: string
  readonly #trace: string

  constructor (original: string) {
    this.#original = original
    this.#trace = traceOf(original)
    this.path = join(mkdtempSync(join(tmpdir(), 'svc-status-')), 'store')
    for (const part of ['', '-wal']) {
      if (existsSync(original + part)) copyFileSync(original + part, this.path + part)
    }
  }

  /** Whether the file may be another by now than it was when it was copied. */
  get isOutdated (): boolean {
    return traceOf(this.#original) !== this.#trace
  }

  remove (): void {
    rmSync(join(this.path, '..'), { recursive: true, force: true })
  }
}

function traceOf (path: string): string {
  return parts.map((part) => {
    const found = statSync(path + part, { bigint: true, throwIfNoEntry: false })
    return found === undefined ? '-' : `${found.ino} ${found.size} ${found.mtimeNs}`
  }).join()
}

export function isWritable (path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    // Its log is written beside it.
    accessSync(join(path, '..'), constants.W_OK)
    return true
  } catch {
    return false
  }
}
