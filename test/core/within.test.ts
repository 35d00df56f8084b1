import t from 'tap'
import { within } from '../../lib/core/within.js'

t.test('gives what the promise gives, and leaves no timer', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  t.equal(await within(60_000, Promise.resolve(5)), 5)
  t.equal(await within(60_000, 6), 6)
  await t.rejects(within(60_000, Promise.reject(new Error('own'))), { message: 'own' })
  t.equal(timers(), before)
})

t.test('rejects once the time is over', async (t) => {
  await t.rejects(within(5, new Promise(() => {})), { message: 'timed out after 5 ms' })
})
