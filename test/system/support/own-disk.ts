import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './until.js'

type Teardown = { teardown (action: () => Promise<void>): unknown }

/** A small disk that only those see who are started with `command`, and that is gone with the test. Needs no root, but user namespaces. */
export interface OwnDisk {
  /** Where it is for who is started with `command`. */
  readonly path: string
  /** Where it is for everybody else. */
  readonly outside: string
  /** Puts a command line into the world that has the disk. */
  command (...line: readonly string[]): [command: string, args: string[]]
  /** But for a few pages. */
  fill (): void
  free (): void
  /** Whether it can be written; not to be called while somebody has a file open there to write. */
  remount (how: 'ro' | 'rw'): void
}

/** @param size as mount(8) has it, such as `1m` */
export async function ownDisk (t: Teardown, folder: string, size: string): Promise<OwnDisk> {
  const path = join(folder, 'disk')
  mkdirSync(path)
  const holder = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', `mount -t tmpfs -o size=${size} none '${path}' && echo mounted && exec sleep 1000`], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const closed = once(holder, 'close')
    if (holder.kill('SIGKILL')) await closed
  })
  let said = ''
  holder.stdout.setEncoding('utf8').on('data', (words: string) => { said += words })
  await until('the disk is mounted', () => said === 'mounted\n')
  const enter = ['--user', '--mount', '--preserve-credentials', '--target', String(holder.pid), '--']
  const outside = `/proc/${holder.pid}/root${path}`
  const filler = join(outside, 'filler')
  return {
    path,
    outside,
    command: (...line) => ['nsenter', [...enter, ...line]],
    fill () {
      const file = openSync(filler, 'w')
      let written = 0
      try {
        for (const length of [65_536, 4_096]) {
          try {
            for (;;) written += writeSync(file, Buffer.alloc(length, 'x'))
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
          }
        }
        ftruncateSync(file, written - 65_536)
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(filler),
    remount: (how) => { execFileSync('nsenter', [...enter, 'mount', '-o', `remount,${how}`, path]) }
  }
}
