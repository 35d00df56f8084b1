import t from 'tap'
import { addStatusHandler, defaultRegistry, getStatus, isInState, removeStatusHandler, waitForStatus } from '../../lib/core/default-registry.js'
import { OK } from '../../lib/core/state.js'

t.test('the free functions act on the default registry', async (t) => {
  t.teardown(() => removeStatusHandler('a'))
  addStatusHandler('a', () => ({ state: OK, detail: 'x' }), { description: 'one' })
  t.strictSame(await getStatus('a'), { state: OK, detail: 'x' })
  t.equal(await isInState('a', OK), true)
  t.equal(await waitForStatus('a', OK, { timeout: 1_000 }), true)
  t.match(defaultRegistry.latest().entries, [{ name: 'a', description: 'one' }])
  t.equal(removeStatusHandler('a'), true)
  t.equal(removeStatusHandler('a'), false)
})
