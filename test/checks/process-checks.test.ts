import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { DiskSpaceCheck } from '../../lib/checks/disk-space-check.js'
import { EventLoopDelayCheck } from '../../lib/checks/event-loop-delay-check.js'
import { MemoryCheck } from '../../lib/checks/memory-check.js'
import { bytes, percent } from '../../lib/checks/thresholds.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { hour, minute } from '../../lib/core/units.js'
import type { DiskSpaceCheckOptions, MemoryCheckOptions } from '../../types/checks.js'
import type { Status } from '../../types/status.js'

/** Keeps the event loop from its work, and lets it do some of it. */
async function block (time: number): Promise<void> {
  // The histogram measures between two of its ticks: there has to be one before.
  for (let tick = 0; tick < 3; tick++) await new Promise((resolve) => setTimeout(resolve, 5))
  const end = performance.now() + time
  while (performance.now() < end);
  for (let tick = 0; tick < 3; tick++) await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('an event loop that is late is YELLOW or RED, with how late', async (t) => {
  for (const [yellowAfter, redAfter, state] of [[hour(1), hour(2), OK], [100, hour(1), YELLOW], [50, 100, RED]] as const) {
    const check = new EventLoopDelayCheck({ percentile: 100, yellowAfter, redAfter, resolution: 1 })
    await block(200)
    const status = check.getStatus()
    t.match(status, { state, detail: /^100 % of timers at most \d+ ms late, all at most \d+ ms$/ })
    const { delay_seconds: delay, delay_max_seconds: max } = status.metrics as Record<string, number>
    t.ok(delay >= 0.15 && max >= 0.15, JSON.stringify(status))
    check.stop()
  }
})

t.test('before anything was measured nothing is late', async (t) => {
  const check = new EventLoopDelayCheck()
  t.strictSame(check.getStatus(), { state: OK, detail: '99 % of timers at most 0 ms late, all at most 0 ms', metrics: { delay_seconds: 0, delay_max_seconds: 0 } })
  check.stop()
})

t.test('a delay is seen by all who ask, for one window to two', async (t) => {
  let now = 0
  const check = new EventLoopDelayCheck({ percentile: 100, yellowAfter: 100, redAfter: hour(1), resolution: 1, window: minute(1), clock: { now: () => 0, monotonic: () => now } })
  const state = (): string => (check.getStatus() as Status).state
  await block(200)
  t.strictSame([state(), state()], [YELLOW, YELLOW], 'one reader takes nothing from another')
  now = 60_000
  t.equal(state(), YELLOW, 'the window is over, and is answered for once more')
  t.equal(state(), YELLOW)
  now = 119_999
  t.equal(state(), YELLOW)
  now = 120_000
  const { delay_seconds: late } = (check.getStatus() as Status).metrics as Record<string, number>
  t.ok(late < 0.2, 'the window before the last is forgotten')
  check.stop()
})

t.test('a check that was stopped measures nothing, and says so', async (t) => {
  const check = new EventLoopDelayCheck()
  check.stop()
  check.stop()
  t.strictSame(check.getStatus(), { state: YELLOW, detail: 'no longer measured, after stop()' })
})

const memory: Array<[string, MemoryCheckOptions | undefined, string]> = [
  ['no thresholds of its own', undefined, OK],
  ['a heap below its thresholds', { yellowHeapRatio: 0.99, redHeapRatio: 1 }, OK],
  ['a heap past the first', { yellowHeapRatio: 0 }, YELLOW],
  ['a heap past both', { yellowHeapRatio: 0, redHeapRatio: 0 }, RED],
  ['a heap past the second alone', { redHeapRatio: 0 }, RED],
  ['an RSS below its thresholds', { yellowRssBytes: 1e15, redRssBytes: 1e15 }, OK],
  ['an RSS past the first', { yellowRssBytes: 1e6 }, YELLOW],
  ['an RSS past the second', { redRssBytes: 1e6 }, RED],
  ['an RSS worse than the heap', { yellowHeapRatio: 0, redRssBytes: 1e6 }, RED]
]

for (const [title, options, state] of memory) {
  t.test(`a process with ${title} is ${state}`, async (t) => {
    const status = new MemoryCheck(options).getStatus()
    t.match(status, { state, detail: /^heap at \d+\.\d % of \d+\.\d [MG]B, RSS \d+\.\d [MG]B$/ })
    const { heap_used_bytes: used, heap_limit_bytes: limit, rss_bytes: rss } = status.metrics as Record<string, number>
    t.ok(used > 1e6 && used < limit && rss > 1e6)
  })
}

const disk: Array<[string, Partial<DiskSpaceCheckOptions>, string]> = [
  ['more free than its thresholds', { yellowFreeRatio: 0, redFreeRatio: 0 }, OK],
  ['less free than the first', { yellowFreeRatio: 1 }, YELLOW],
  ['less free than both', { yellowFreeRatio: 1, redFreeRatio: 1 }, RED],
  ['more bytes free than its thresholds', { yellowFreeBytes: 1, redFreeBytes: 0 }, OK],
  ['fewer bytes free than the first', { yellowFreeBytes: Number.MAX_SAFE_INTEGER }, YELLOW],
  ['fewer bytes free than the second', { redFreeBytes: Number.MAX_SAFE_INTEGER }, RED]
]

for (const [title, options, state] of disk) {
  t.test(`a file system with ${title} is ${state}`, async (t) => {
    const status = await new DiskSpaceCheck({ path: tmpdir(), ...options }).getStatus()
    t.match(status, { state, detail: /^\d+\.\d % free, \d+(\.\d)? ([kMGTP]B|bytes)$/ })
    const { free_bytes: free, size_bytes: size, free_ratio: ratio } = status.metrics as Record<string, number>
    t.ok(free >= 0 && free <= size && ratio >= 0 && ratio <= 1)
  })
}

t.test('a file system has thresholds of its own where none is given', async (t) => {
  const { metrics, state } = await new DiskSpaceCheck({ path: tmpdir() }).getStatus()
  const ratio = metrics?.free_ratio as number
  t.equal(state, ratio < 0.05 ? RED : ratio < 0.1 ? YELLOW : OK)
})

t.test('a path that is not there is RED, and OK when it is', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'disk-space-'))
  const check = new DiskSpaceCheck({ path: folder, redFreeBytes: 0 })
  t.match(await check.getStatus(), { state: OK })
  await rm(folder, { recursive: true })
  t.strictSame(await check.getStatus(), { state: RED, detail: 'no answer from the file system: ENOENT' })
})

t.test('a file system is asked once for all who ask at the same time', async (t) => {
  const check = new DiskSpaceCheck({ path: tmpdir() })
  const first = check.getStatus()
  t.equal(check.getStatus(), first)
  await first
  const second = check.getStatus()
  t.not(second, first)
  await second
})

t.test('they are status handlers in a registry', async (t) => {
  const registry = new StatusRegistry()
  const loop = new EventLoopDelayCheck()
  registry.addStatusHandler('disk', new DiskSpaceCheck({ path: tmpdir(), redFreeBytes: 0 }))
  registry.addStatusHandler('loop', loop)
  registry.addStatusHandler('memory', new MemoryCheck({ redHeapRatio: 1 }))
  t.match((await registry.snapshot()).entries, [{ status: { state: OK, metrics: { free_bytes: Number } } }, { status: { metrics: { delay_seconds: Number } } }, { status: { state: OK, metrics: { rss_bytes: Number } } }])
  loop.stop()
})

t.test('they say what they are', async (t) => {
  const loop = new EventLoopDelayCheck({ percentile: 99.9 })
  t.equal(String(loop), 'EventLoopDelayCheck(99.9 %)')
  loop.stop()
  t.equal(String(new MemoryCheck()), 'MemoryCheck(heap and RSS)')
  t.equal(String(new DiskSpaceCheck({ path: '/var' })), 'DiskSpaceCheck(/var)')
  t.equal(String(new DiskSpaceCheck({ path: '/var', name: 'var' })), 'DiskSpaceCheck("var", /var)')
  t.equal(new MemoryCheck({ name: 'mem' }).name, 'mem')
})

t.test('sizes and parts are readable', async (t) => {
  const sizes: Array<[number, string]> = [[0, '0 bytes'], [999, '999 bytes'], [1000, '1.0 kB'], [1_234_567, '1.2 MB'], [4.3e9, '4.3 GB'], [1e12, '1.0 TB'], [5e18, '5000.0 PB']]
  for (const [amount, text] of sizes) t.equal(bytes(amount), text)
  t.equal(percent(0.1234), '12.3 %')
})
