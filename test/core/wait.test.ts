import { getEventListeners } from 'node:events'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED } from '../../lib/core/state.js'
import type { State, StatusResult } from '../../types/status.js'

function changing (): { registry: StatusRegistry, set: (state: State) => void } {
  const registry = new StatusRegistry()
  let state: State = RED
  registry.addStatusHandler('a', () => state)
  return { registry, set: (next) => { state = next } }
}

t.test('is true at once where the state is that already', async (t) => {
  const { registry } = changing()
  t.equal(await registry.waitForStatus('a', RED, { interval: 60_000 }), true)
})

t.test('asks again after each interval', async (t) => {
  const { registry, set } = changing()
  const waiting = registry.waitForStatus('a', OK, { interval: 5 })
  setTimeout(() => set(OK), 20)
  t.equal(await waiting, true)
})

t.test('is false after the timeout, also while a handler hangs', async (t) => {
  const { registry } = changing()
  t.equal(await registry.waitForStatus('a', OK, { interval: 5, timeout: 20 }), false)
  registry.addStatusHandler('hangs', () => new Promise<StatusResult>(() => {}), { timeout: 1_000 })
  t.equal(await registry.waitForStatus('hangs', OK, { timeout: 20 }), false)
  registry.removeStatusHandler('hangs')
})

t.test('waits for a name that is not there yet', async (t) => {
  const registry = new StatusRegistry()
  setTimeout(() => registry.addStatusHandler('later', () => OK), 20)
  t.equal(await registry.waitForStatus('later', OK, { interval: 5 }), true)
  t.equal(await registry.waitForStatus('never', OK, { interval: 5, timeout: 15 }), false)
})

t.test('an unknown name is an error where that was asked for', async (t) => {
  const registry = new StatusRegistry()
  await t.rejects(registry.waitForStatus('nope', OK, { throwOnUnknown: true }), { code: 'ERR_UNKNOWN_HANDLER' })
})

t.test('an abort ends it with the reason of the signal', async (t) => {
  const { registry } = changing()
  const controller = new AbortController()
  const waiting = registry.waitForStatus('a', OK, { interval: 5, signal: controller.signal })
  setTimeout(() => controller.abort(new Error('enough')), 15)
  await t.rejects(waiting, { message: 'enough' })
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  await t.rejects(registry.waitForStatus('a', OK, { signal: controller.signal }), { message: 'enough' }, 'also when it was aborted before')
})

t.test('leaves no listener on the signal', async (t) => {
  const { registry } = changing()
  const { signal } = new AbortController()
  await registry.waitForStatus('a', RED, { signal, timeout: 60_000, interval: 60_000 })
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('bad options reject by name', async (t) => {
  const { registry } = changing()
  await t.rejects(registry.waitForStatus('a', 'ok' as never), { code: 'ERR_INVALID_STATE' })
  await t.rejects(registry.waitForStatus('a', OK, { interval: 0 }), { code: 'ERR_OPTION_OUT_OF_RANGE', message: /"interval"/ })
  await t.rejects(registry.waitForStatus('a', OK, { timeout: 'x' as never }), { code: 'ERR_INVALID_OPTION', message: /"timeout"/ })
  await t.rejects(registry.waitForStatus('a', OK, { signal: {} as never }), { code: 'ERR_INVALID_OPTION', message: /"signal" must be an AbortSignal/ })
  await t.rejects(registry.waitForStatus('a', OK, { throwOnUnknown: 1 as never }), { code: 'ERR_INVALID_OPTION', message: /"throwOnUnknown"/ })
  await t.rejects(registry.waitForStatus('a', OK, { every: 1 } as never), { code: 'ERR_UNKNOWN_OPTION', message: /"every"/ })
})
