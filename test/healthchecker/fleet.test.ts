import { once } from 'node:events'
import t, { type Test } from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { WatchedFleet, memoryFleetStore } from '../../lib/healthchecker/index.js'
import type { FleetOptions, FleetStore, Notice, OutboxEntry, Owe, StoreChange, Transition } from '../../types/healthchecker.js'
import { registration } from './support/apps.js'
import { broken, HandSchedule, healthy, target, type Target } from './support/target.js'

interface Watching {
  fleet: WatchedFleet
  schedule: HandSchedule
  transitions: Transition[]
  /** Gives apps their turns, and waits for their checks. */
  check (...names: string[]): Promise<void>
}

async function watching (t: Test, options: FleetOptions = {}): Promise<Watching> {
  const schedule = new HandSchedule()
  const fleet = new WatchedFleet({ schedule, ...options })
  t.teardown(async () => await fleet.close())
  const transitions: Transition[] = []
  fleet.on('transition', (transition) => transitions.push(transition))
  await fleet.start()
  const check = async (...names: string[]): Promise<void> => {
    await Promise.all(names.map(async (name) => await new Promise<void>((resolve) => {
      const done = (checked: string): void => {
        if (checked !== name) return
        fleet.off('check', done)
        resolve()
      }
      fleet.on('check', done)
      schedule.turn(name)
    })))
    // What follows from a check is stored.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { fleet, schedule, transitions, check }
}

/** A store that fails when the test says so. */
function failing (): FleetStore & { fails: string | undefined, written: StoreChange[] } {
  const store = memoryFleetStore()
  const { write } = store
  return Object.assign(store, {
    fails: undefined as string | undefined,
    written: [] as StoreChange[],
    async write (this: { fails?: string, written: StoreChange[] }, changes: readonly StoreChange[]) {
      if (this.fails !== undefined) throw Object.assign(new Error('no space left'), { code: 'ERR_STORE_FAILED', reason: this.fails })
      this.written.push(...changes)
      await write.call(store, changes)
    }
  })
}

t.test('an app becomes healthy, degrades, is unhealthy and recovers, and its handler says so', async (t) => {
  const app = await target(t)
  const registry = new StatusRegistry()
  const { fleet, transitions, check } = await watching(t, { registry })
  t.equal(await fleet.register(registration('shop', { port: app.port, tags: ['web'] })), 'created')
  t.match(fleet.get('shop'), { state: 'UNKNOWN', status: { state: 'YELLOW' }, failures: 0 })
  await check('shop')
  t.match(await registry.getStatus('shop'), { state: 'YELLOW', detail: /after 1 of 2 good checks/, health: 'UNKNOWN' })
  await check('shop')
  t.match(await registry.getStatus('shop'), { state: 'OK', health: 'HEALTHY', metrics: { response_seconds: Number } })
  app.answer = broken
  await check('shop')
  t.match(await registry.getStatus('shop'), { state: 'YELLOW', detail: '1 of 2 failures: it answered 500', health: 'DEGRADING' })
  await check('shop')
  t.match(await registry.getStatus('shop'), { state: 'RED', detail: 'it answered 500', health: 'UNHEALTHY' })
  t.match(fleet.get('shop'), { failures: 2, successes: 0, lastCheck: { result: 'RED', error: 'it answered 500', duration: Number } })
  app.answer = healthy
  await check('shop')
  t.match(await registry.getStatus('shop'), { state: 'RED', detail: /recovers, after 1 of 2/ })
  await check('shop')
  t.match(await registry.getStatus('shop'), { state: 'OK' })
  t.same(transitions.map(({ id, from, to }) => [id, from, to]), [[1, 'UNKNOWN', 'HEALTHY'], [2, 'HEALTHY', 'DEGRADING'], [3, 'DEGRADING', 'UNHEALTHY'], [4, 'UNHEALTHY', 'HEALTHY']])
  t.equal(transitions[1].reason, 'it answered 500')
  t.same((await registry.snapshot({ tags: ['web'] })).entries.map(({ name }) => name), ['shop'])
  t.equal(app.asked, 6)
})

t.test('an app that answers YELLOW is alive, and YELLOW', async (t) => {
  const app = await target(t, (_request, response) => { response.setHeader('content-type', 'application/health+json').end('{"status":"warn","output":"disk nearly full"}') })
  const { fleet, check } = await watching(t)
  await fleet.register(registration('shop', { port: app.port }))
  await check('shop')
  await check('shop')
  t.match(fleet.get('shop'), { state: 'HEALTHY', status: { state: 'YELLOW', detail: /disk nearly full/ }, lastCheck: { result: 'YELLOW' } })
  app.answer = (_request, response) => { response.setHeader('content-type', 'application/json').end('{"db":{"state":"RED"}}') }
  await check('shop')
  t.match(fleet.get('shop'), { state: 'DEGRADING', lastCheck: { result: 'RED', error: 'db RED' } })
})
