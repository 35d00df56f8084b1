import { join } from 'node:path'
import type { Test } from 'tap'
import { HtpasswdReader } from '../../../lib/auth/htpasswd-reader.js'
import { recordedLog, type Recorded } from './recorded-log.js'

export interface Reading {
  readonly path: string
  readonly lines: Recorded[]
  readonly reader: HtpasswdReader
  /** The kinds of hash that the names have now; those that are not in the file are left out. */
  look (...names: string[]): Promise<Record<string, string>>
  /** Lets the file's last change lie long enough ago, and looks: from now on it is read only when it has changed. */
  settle (): Promise<void>
}

/** A reader of a file that a test writes, with a clock that stands still. */
export function reading (t: Test, content?: string, Reader = HtpasswdReader): Reading {
  const path = join(t.testdir(content === undefined ? {} : { htpasswd: content }), 'htpasswd')
  const { log, lines } = recordedLog()
  let now = 0
  const reader = new Reader(path, { now: () => 0, monotonic: () => now })
  return {
    path,
    lines,
    reader,
    look: async (...names) => {
      const users = await reader.users(log)
      const found = names.map((name) => [name, users.checkOf({ name, password: '' })?.own?.kind])
      return Object.fromEntries(found.filter(([, kind]) => kind !== undefined))
    },
    settle: async () => {
      await reader.users(log)
      now += 2_000
      await reader.users(log)
    }
  }
}
