import { getEventListeners } from 'node:events'
import t from 'tap'
import { TimeLimit } from '../../lib/checks/time-limit.js'

interface Timer { callback: () => void, delay: number, cleared: boolean }

/** Timers that fire when the test says so. */
function timers (t: { teardown (action: () => void): unknown }): Timer[] {
  const { setTimeout, clearTimeout } = globalThis
  t.teardown(() => Object.assign(globalThis, { setTimeout, clearTimeout }))
  const all: Timer[] = []
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, delay: number) => {
      const timer = { callback, delay, cleared: false }
      all.push(timer)
      return timer
    },
    clearTimeout: (timer: Timer) => { timer.cleared = true }
  })
  return all
}

t.test('a long limit is two waits, with a look at the signal between them', async (t) => {
  const all = timers(t)
  const reasons: string[] = []
  let read = 0
  const { signal } = new AbortController()
  const limit = new TimeLimit(5000, { get signal () { read++; return signal } }, (reason) => reasons.push(reason))
  t.strictSame([all.map(({ delay }) => delay), read], [[50], 0])
  all[0].callback()
  t.strictSame([all.map(({ delay }) => delay), read], [[50, 4950], 1])
  t.equal(getEventListeners(signal, 'abort').length, 1)
  all[1].callback()
  t.strictSame(reasons, ['timed out after 5000 ms'])
  limit.end()
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('a short limit is one wait', async (t) => {
  const all = timers(t)
  const reasons: string[] = []
  const limit = new TimeLimit(50, undefined, (reason) => reasons.push(reason))
  t.strictSame(all.map(({ delay }) => delay), [50])
  all[0].callback()
  t.strictSame(reasons, ['timed out after 50 ms'])
  limit.end()
  t.equal(all.length, 1)
})

t.test('a run that ends in time leaves neither timer nor listener', async (t) => {
  const all = timers(t)
  const { signal } = new AbortController()
  const never = (): void => { t.fail('over') }
  new TimeLimit(5000, { signal }, never).end()
  const late = new TimeLimit(5000, { signal }, never)
  all[1].callback()
  late.end()
  t.strictSame(all.map(({ cleared }) => cleared), [true, false, true])
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('a signal ends a run, also one that had aborted before', async (t) => {
  const all = timers(t)
  const reasons: string[] = []
  const over = (reason: string): void => { reasons.push(reason) }
  const controller = new AbortController()
  const first = new TimeLimit(5000, controller, over)
  all[0].callback()
  controller.abort()
  first.end()
  const second = new TimeLimit(5000, controller, over)
  all[2].callback()
  second.end()
  t.strictSame(reasons, ['called off', 'called off'])
  t.ok(all[1].cleared && all[3].cleared)
})
