import { EventEmitter } from 'node:events'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK } from '../../lib/core/state.js'
import type { StatusResult } from '../../types/status.js'

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
