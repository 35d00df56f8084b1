import { EventEmitter } from 'node:events'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED } from '../../lib/core/state.js'
import type { State, StatusResult } from '../../types/status.js'

t.test('1,000 concurrent readers share one run', async (t) => {
  const registry = new StatusRegistry()
  let runs = 0
  registry.addStatusHandler('slow', async () => {
    runs++
    await new Promise((resolve) => setTimeout(resolve, 100))
    return { state: OK, run: runs }
  })
  registry.addStatusHandler('sync', () => OK)
  const readers = Array.from({ length: 1_000 }, async (_, index) =>
    index % 2 === 0 ? (await registry.snapshot()).entries[0].status : await registry.getStatus('slow'))
  const statuses = await Promise.all(readers)
  t.equal(runs, 1)
  t.ok(statuses.every((status) => status === statuses[0]))
})

t.test('a reader that joins waits no longer than the run it joined may take', async (t) => {
  const registry = new StatusRegistry({ timeout: 20 })
  registry.addStatusHandler('hangs', () => new Promise<StatusResult>(() => {}))
  const first = registry.getStatus('hangs')
  const second = registry.getStatus('hangs', { timeout: 60_000 })
  t.match(await Promise.all([first, second]), [{ detail: 'timed out after 20 ms' }, { detail: 'timed out after 20 ms' }])
})

t.test('runs of different handlers go side by side', async (t) => {
  const registry = new StatusRegistry()
  const meeting = new EventEmitter()
  registry.addStatusHandler('a', async () => { await EventEmitter.once(meeting, 'b'); return OK })
  registry.addStatusHandler('b', async () => { meeting.emit('b'); return OK })
  t.equal((await registry.snapshot()).state, OK)
})

t.test('a handler may ask the registry for others, and change it', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', async () => await registry.getStatus('b'))
  registry.addStatusHandler('b', () => { registry.addStatusHandler('c', () => OK, { replace: true }); return { state: OK, detail: 'b' } })
  const { entries } = await registry.snapshot()
  t.match(entries[0].status, { state: OK, detail: 'b' })
  t.equal(registry.has('c'), true)
})

t.test('a handler that is added while others are asked is in the next snapshot', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', async () => { registry.addStatusHandler('z', () => OK, { replace: true }); return OK })
  t.match(await registry.snapshot(), { state: OK, entries: [{ name: 'a' }] })
  registry.addStatusHandler('a', async () => OK, { replace: true })
  t.match((await registry.snapshot()).entries, [{ name: 'a' }, { name: 'z', status: { state: OK } }])
})

t.test('readers of the same moment get their own answer of a synchronous handler', async (t) => {
  const registry = new StatusRegistry()
  let fired = true
  registry.addStatusHandler('once', () => {
    const state = fired ? RED : OK
    fired = false
    return state
  })
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => await registry.getStatus('once')))
  t.strictSame(statuses.map(({ state }) => state), [RED, ...Array.from({ length: 19 }, () => OK)])
  fired = true
  const snapshots = await Promise.all(Array.from({ length: 20 }, async () => await registry.snapshot()))
  t.strictSame(snapshots.map(({ state }) => state), [RED, ...Array.from({ length: 19 }, () => OK)])
})

for (const [how, ask] of [
  ['at once', (registry: StatusRegistry) => registry.snapshot()],
  ['later', async (registry: StatusRegistry) => { await null; return await registry.snapshot() }]
] as const) {
  t.test(`a handler that asks its own registry ${how} is RED, after one run`, async (t) => {
    const registry = new StatusRegistry({ timeout: 50 })
    let runs = 0
    registry.addStatusHandler('db', () => OK)
    registry.addStatusHandler('overall', async () => {
      runs++
      return (await ask(registry)).state
    })
    const { entries } = await registry.snapshot()
    t.match(entries, [{ name: 'db', status: { state: OK } }, { name: 'overall', status: { state: RED } }])
    t.equal(runs, 1)
  })
}

t.test('a synchronous handler that asks for itself gets RED, and may answer what it likes', async (t) => {
  const registry = new StatusRegistry()
  let seen
  registry.addStatusHandler('a', () => {
    registry.snapshot().then(({ entries }) => { seen = entries[0] }, t.fail)
    return OK
  })
  t.strictSame(await registry.getStatus('a'), { state: OK })
  await new Promise(setImmediate)
  t.match(seen, { status: { state: RED, detail: 'asks for its own status' }, fault: 'still running' })
})

t.test('a handler that another removes in the same question is not asked any more', async (t) => {
  const registry = new StatusRegistry()
  let asked = 0
  registry.addStatusHandler('a', () => { registry.removeStatusHandler('b'); return OK })
  registry.addStatusHandler('b', () => { asked++; return OK })
  t.match((await registry.snapshot()).entries, [{ name: 'a' }])
  t.equal(asked, 0)
})

t.test('a handler that was replaced while it ran is not shown to whoever asked for it', async (t) => {
  const registry = new StatusRegistry()
  let answer: ((state: State) => void) | undefined
  registry.addStatusHandler('a', () => new Promise<State>((resolve) => { answer = resolve }))
  const before = registry.snapshot()
  registry.addStatusHandler('a', () => OK, { replace: true })
  const meanwhile = await registry.snapshot()
  answer?.(RED)
  t.strictSame((await before).entries, [])
  t.match(meanwhile.entries, [{ status: { state: OK } }])
  t.match((await registry.snapshot()).entries, [{ status: { state: OK } }])
})
