import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HTTPCheck } from '../../../lib/checks/http-check.js'
import { TCPCheck } from '../../../lib/checks/tcp-check.js'
import { TLSCheck } from '../../../lib/checks/tls-check.js'
import type { Status } from '../../../types/status.js'
import { closedPort, listen, misbehaving, misbehavingInHTTP, peer, type Teardown } from './peers.js'

interface Check {
  getStatus (): Promise<Status>
  stop? (): void
}

/** A check and a peer that it does not get along with. */
export interface Pair {
  readonly kind: string
  readonly title: string
  /** How many times as many runs as usual it takes to see what is left behind. */
  readonly times?: number
  /** Makes the peer, and the check of it. */
  start (t: Teardown): Promise<Check>
}

/** Short, for most of these peers hang. */
const timeout = 20

const kinds: Record<string, (port: number) => Check> = {
  TCPCheck: (port) => new TCPCheck({ host: '127.0.0.1', port, timeout }),
  HTTPCheck: (port) => new HTTPCheck({ url: `http://127.0.0.1:${port}/`, timeout }),
  TLSCheck: (port) => new TLSCheck({ host: '127.0.0.1', port, timeout }),
  'HTTPCheck over TLS': (port) => new HTTPCheck({ url: `https://127.0.0.1:${port}/`, timeout })
}

function pairs (): Pair[] {
  const all: Pair[] = []
  for (const [kind, make] of Object.entries(kinds)) {
    for (const [title, act] of Object.entries(kind === 'HTTPCheck' ? { ...misbehaving, ...misbehavingInHTTP } : misbehaving)) {
      all.push({ kind, title: `a peer that ${title}`, start: async (t) => make(await listen(t, peer(act))) })
    }
    all.push({ kind, title: 'nobody there', start: async () => make(await closedPort()) })
  }
  const hangs = { host: 'db.example', port: 80, timeout, lookup: () => {} }
  // No socket is left behind by those, but memory is.
  const title = 'a resolution that hangs'
  const times = 5
  all.push({ kind: 'TCPCheck', title, times, start: async () => new TCPCheck(hangs) })
  all.push({ kind: 'TLSCheck', title, times, start: async () => new TLSCheck(hangs) })
  all.push({ kind: 'HTTPCheck', title, times, start: async () => new HTTPCheck({ url: 'http://db.example/', timeout, lookup: hangs.lookup }) })
  return all
}

export const mismatches: readonly Pair[] = pairs()

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** The bytes in use on the heap, without garbage. */
export async function heap (): Promise<number> {
  for (let time = 0; time < 3; time++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

function descriptors (): number {
  return readdirSync('/proc/self/fd').length
}

export interface Soaked {
  /** How many more file descriptors were open afterwards. */
  readonly descriptors: number
  /** The longest run, in milliseconds. */
  readonly longest: number
}

/** Waits until no more than so many are open: the other side of each connection, in this same process, is closed a moment after ours. */
async function fewer (most: number): Promise<void> {
  const end = Date.now() + 10_000
  while (descriptors() > most && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** So many runs of a check, some at a time. */
export async function soak (check: Check, runs: number, atOnce: number): Promise<Soaked> {
  const before = descriptors()
  let longest = 0
  const run = async (): Promise<void> => {
    const started = performance.now()
    await check.getStatus()
    longest = Math.max(longest, performance.now() - started)
  }
  for (let done = 0; done < runs; done += atOnce) await Promise.all(Array.from({ length: atOnce }, run))
  // One connection may be kept, until the check is stopped; both its ends are here.
  await fewer(before + 2)
  const kept = descriptors() - before
  check.stop?.()
  await fewer(before)
  return { descriptors: kept > 2 ? kept : Math.max(0, descriptors() - before), longest }
}

export type Soaking = Teardown & { test (title: string, body: (t: Soaking) => Promise<void>): Promise<unknown>, equal: (a: unknown, b: unknown, title: string) => unknown, ok: (a: unknown, title: string) => unknown, comment: (text: string) => unknown }

/** Runs a kind of check against all its peers: file descriptors are flat after each of them, the heap after all. */
export async function soakAll (t: Soaking, kind: string, runs: number, atOnce: number): Promise<void> {
  const own = mismatches.filter((pair) => pair.kind === kind)
  // What is made once is made first.
  for (const { start } of own) await soak(await start(t), atOnce, atOnce)
  const checks: Check[] = []
  const before = await heap()
  for (const { title, times = 1, start } of own) {
    await t.test(`${runs} runs of ${kind} with ${title} leave no socket behind, and none takes long`, async (t) => {
      const check = await start(t)
      checks.push(check)
      const { descriptors, longest } = await soak(check, runs * times, atOnce)
      t.equal(descriptors, 0, 'file descriptors')
      t.ok(longest < 20_000, `the longest took ${Math.round(longest)} ms`)
    })
  }
  const grown = await heap() - before
  t.ok(grown < 3_000_000, `${runs} runs of each of ${checks.length} checks leave the heap flat: it grew by ${grown} bytes`)
}
