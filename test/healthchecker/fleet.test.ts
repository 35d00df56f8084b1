import { createServer, type AddressInfo } from 'node:net'
import { createServer as createSecureServer } from 'node:https'
import t, { type Test } from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { App } from '../../lib/healthchecker/app.js'
import { WatchedFleet, memoryFleetStore } from '../../lib/healthchecker/index.js'
import { Roster } from '../../lib/healthchecker/roster.js'
import type { StatusProvider } from '../../types/handler.js'
import type { FleetOptions, FleetPage, FleetStore, Notice, StoreChange, Suspicion, Transition, Trouble } from '../../types/healthchecker.js'
import type { State } from '../../types/status.js'
import { ca, certificate } from '../checks/support/certificates.js'
import { FakeTime } from '../policies/support/fake-time.js'
import { registration, stored } from './support/apps.js'
import { broken, HandSchedule, healthy, target } from './support/target.js'

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

t.test('wrong options are refused by name', async (t) => {
  const wrong: Array<[object, string, RegExp]> = [
    [{ stroe: 1 }, 'ERR_UNKNOWN_OPTION', /stroe/],
    [{ store: {} }, 'ERR_INVALID_OPTION', /open\(\) of the option "store"/],
    [{ schedule: {} }, 'ERR_INVALID_OPTION', /"schedule"/],
    [{ registry: {} }, 'ERR_INVALID_OPTION', /"registry"/],
    [{ logger: {} }, 'ERR_INVALID_OPTION', /"logger"/],
    [{ clock: {} }, 'ERR_INVALID_OPTION', /"clock"/],
    [{ owe: [] }, 'ERR_INVALID_OPTION', /"owe"/],
    [{ pauseAfter: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /"pauseAfter"/],
    [{ maxApps: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"maxApps"/],
    [{ maxConcurrent: 1.5 }, 'ERR_OPTION_OUT_OF_RANGE', /"maxConcurrent"/],
    [{ allowTargets: ['x'] }, 'ERR_INVALID_OPTION', /"allowTargets"/],
    [{ ca: 'x' }, 'ERR_INVALID_OPTION', /"ca"/]
  ]
  for (const [options, code, message] of wrong) t.throws(() => new WatchedFleet(options as FleetOptions), { code, message })
})

t.test('the same registration again changes nothing, another one changes it and keeps what is known', async (t) => {
  const app = await target(t)
  const { fleet, schedule, check } = await watching(t)
  const events: string[] = []
  fleet.on('registered', (name, how) => events.push(`${name} ${how}`))
  const first = registration('shop', { port: app.port })
  t.equal(await fleet.register(first), 'created')
  t.equal(await fleet.register({ ...first }), 'unchanged')
  await check('shop')
  await check('shop')
  t.equal(await fleet.register({ ...first, interval: 60, tags: ['web'], critical: false }, { trusted: true }), 'changed')
  t.match(fleet.get('shop'), { state: 'HEALTHY', trusted: true, registration: { interval: 60 } })
  t.equal(schedule.intervals.get('shop'), 60_000)
  t.equal(fleet.recent('shop').length, 2)
  t.match((await fleet.registry.snapshot({ tags: ['web'] })).entries, [{ name: 'shop', critical: false }])
  t.equal(await fleet.register({ ...first, interval: 60, tags: ['web'], critical: false }, { trusted: true, remote: false }), 'unchanged')
  t.equal(await fleet.register({ ...first, interval: 60, tags: ['web'], critical: false, path: '/other' }), 'changed')
  t.equal(fleet.get('shop')?.trusted, false)
  t.same(events, ['shop created', 'shop changed', 'shop changed'])
  t.equal(fleet.size, 1)
})

t.test('what is asked for under one name is done one after the other', async (t) => {
  const { fleet } = await watching(t)
  const answers = await Promise.all([
    fleet.register(registration('a')),
    fleet.register(registration('a')),
    fleet.register(registration('a', { port: 81 })),
    fleet.pause('a'),
    fleet.deregister('a'),
    fleet.deregister('a'),
    fleet.register(registration('a'))
  ])
  t.same(answers, ['created', 'unchanged', 'changed', true, true, false, 'created'])
  t.equal(fleet.get('a')?.paused, undefined)
})

t.test('a target that is refused is not registered, and one that came from the store not asked', async (t) => {
  const app = await target(t)
  const store = memoryFleetStore()
  await store.write([{ kind: 'put', app: { ...stored('local'), remote: true, registration: registration('local', { port: app.port }) } }])
  const { fleet, check } = await watching(t, { store })
  await t.rejects(fleet.register(registration('a', { host: '169.254.169.254' })), { code: 'ERR_TARGET_REFUSED', statusCode: 400 })
  await t.rejects(fleet.register(registration('a'), { remote: true }), { code: 'ERR_TARGET_REFUSED' })
  t.equal(fleet.get('a'), undefined)
  await check('local')
  t.match(fleet.get('local'), { state: 'DEGRADING', lastCheck: { result: 'RED', error: /which only itself may have watched/ } })
  t.equal(app.asked, 0)
  t.equal(await fleet.register(registration('local', { port: app.port })), 'changed')
  await check('local')
  t.equal(app.asked, 1)
})

t.test('there is a bound to the number of apps, also of those that come at once', async (t) => {
  const { fleet } = await watching(t, { maxApps: 2 })
  const results = await Promise.allSettled(['a', 'b', 'c'].map(async (name) => await fleet.register(registration(name))))
  t.same(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected'])
  await t.rejects(fleet.register(registration('d')), { code: 'ERR_TOO_MANY_APPS', statusCode: 507 })
  t.equal(await fleet.deregister('a'), true)
  t.equal(await fleet.register(registration('d')), 'created')
})

t.test('a paused app is not checked, says who paused it, and begins anew when it is resumed', async (t) => {
  const app = await target(t)
  const { fleet, schedule, transitions, check } = await watching(t)
  await fleet.register(registration('shop', { port: app.port }))
  await check('shop')
  await check('shop')
  t.equal(await fleet.pause('shop', { by: 'alice', why: 'new disk' }), true)
  t.equal(await fleet.pause('shop', { by: 'bob' }), true)
  t.match(fleet.get('shop'), { paused: { by: 'alice', why: 'new disk', at: Number }, status: { state: 'YELLOW', detail: 'paused by alice: new disk' }, state: 'HEALTHY' })
  t.equal(fleet.get('shop')?.nextCheck, undefined)
  t.match(fleet.counts, { PAUSED: 1, HEALTHY: 0 })
  schedule.turn('shop')
  t.equal(app.asked, 2)
  t.equal(await fleet.resume('shop', 'carol'), true)
  t.equal(await fleet.resume('shop', 'carol'), true)
  t.match(fleet.get('shop'), { state: 'UNKNOWN', successes: 0, nextCheck: Number })
  t.same(schedule.soon, ['shop'])
  t.match(transitions.slice(1), [
    { kind: 'paused', from: 'HEALTHY', to: 'HEALTHY', by: 'alice', reason: 'new disk' },
    { kind: 'resumed', from: 'HEALTHY', to: 'UNKNOWN', by: 'carol' }
  ])
  t.equal(transitions.length, 3)
  t.equal(await fleet.pause('shop'), true)
  t.equal(fleet.get('shop')?.status.detail, 'paused')
  for (const nobody of [fleet.pause('x'), fleet.resume('x'), fleet.deregister('x')]) t.equal(await nobody, false)
  t.equal(fleet.get('x'), undefined)
  t.same(fleet.recent('x'), [])
  t.equal(await fleet.history('x'), undefined)
})

t.test('an app that is unhealthy for too long is paused by itself, also across a restart', async (t) => {
  for (const restart of [false, true]) {
    const app = await target(t, broken)
    const time = new FakeTime()
    const store = memoryFleetStore()
    let { fleet, transitions, check } = await watching(t, { store, clock: time, pauseAfter: 100_000 })
    await fleet.register(registration('shop', { port: app.port }))
    await check('shop')
    await check('shop')
    await time.advance(99_999)
    await check('shop')
    t.equal(fleet.get('shop')?.paused, undefined)
    if (restart) {
      await fleet.close()
      ;({ fleet, transitions, check } = await watching(t, { store, clock: time, pauseAfter: 100_000 }))
      await check('shop')
      t.equal(fleet.get('shop')?.paused, undefined, 'the time before the restart counts')
    }
    await time.advance(1)
    await check('shop')
    t.match(fleet.get('shop'), { state: 'UNHEALTHY', paused: { by: 'healthchecker', why: /^UNHEALTHY since 2030-01-01T00:00:00/ } })
    t.match(transitions.at(-1), { kind: 'paused', from: 'UNHEALTHY', to: 'UNHEALTHY', by: 'healthchecker' })
    await fleet.resume('shop')
    await check('shop')
    await check('shop')
    t.match(fleet.get('shop'), { state: 'UNHEALTHY', paused: undefined }, 'its time begins anew')
    await fleet.close()
  }
})

t.test('an app that answers again is not paused, however long it was unhealthy', async (t) => {
  const app = await target(t, broken)
  const time = new FakeTime()
  const { fleet, check } = await watching(t, { clock: time, pauseAfter: 100_000 })
  await fleet.register(registration('shop', { port: app.port }))
  await check('shop')
  await check('shop')
  await time.advance(100_001)
  app.answer = healthy
  await check('shop')
  t.match(fleet.get('shop'), { state: 'UNHEALTHY', paused: undefined, status: { detail: /recovers, after 1 of 2/ } })
  app.answer = broken
  await check('shop')
  t.match(fleet.get('shop'), { state: 'UNHEALTHY', paused: { by: 'healthchecker' } })
})

t.test('nobody is paused while the fleet suspects itself: all would be, and none checked when the network is back', async (t) => {
  const app = await target(t, broken)
  const time = new FakeTime()
  const { fleet, check, transitions } = await watching(t, { clock: time, pauseAfter: 100_000 })
  for (const name of ['a', 'b', 'c']) await fleet.register(registration(name, { port: app.port }))
  for (let turn = 0; turn < 2; turn++) await check('a', 'b', 'c')
  await time.advance(200_000)
  await check('a', 'b', 'c')
  t.match(fleet.trouble, [{ code: 'SUSPECTS_ITSELF' }])
  t.match(fleet.counts, { UNHEALTHY: 3, PAUSED: 0 })
  app.answer = healthy
  await check('a')
  await check('b')
  t.same(fleet.trouble, [])
  app.answer = broken
  await check('c')
  t.match(fleet.counts, { UNHEALTHY: 2, PAUSED: 1 })
  t.same(transitions.filter(({ kind }) => kind === 'paused').map(({ app }) => app), ['c'])
})

t.test('apps that were resumed and fail again fail together, too', async (t) => {
  const app = await target(t, broken)
  const time = new FakeTime()
  const { fleet, check } = await watching(t, { clock: time })
  const names = ['a', 'b', 'c']
  for (const name of names) {
    await fleet.register(registration(name, { port: app.port }))
    await check(name)
    await time.advance(400_000)
  }
  for (const name of names) await fleet.pause(name)
  for (const name of names) await fleet.resume(name)
  t.same(fleet.trouble, [])
  await check(...names)
  t.match(fleet.trouble, [{ code: 'SUSPECTS_ITSELF' }])
})

t.test('a clock that jumps neither pauses an app nor breaks its history; 0 pauses none', async (t) => {
  const app = await target(t, broken)
  let skew = 0
  const time = new FakeTime()
  const clock = { now: () => time.now() + skew, monotonic: () => time.monotonic() }
  const store = memoryFleetStore()
  const { fleet, check } = await watching(t, { clock, store })
  await fleet.register(registration('shop', { port: app.port }))
  await check('shop')
  await check('shop')
  for (const jump of [40 * 86_400_000, -40 * 86_400_000, 3_600_000]) {
    skew += jump
    await check('shop')
    t.match(fleet.get('shop'), { state: 'UNHEALTHY', paused: undefined })
  }
  t.equal(fleet.recent('shop').length, 5)
  await fleet.close()

  const forever = await watching(t, { clock, store, pauseAfter: 0 })
  await time.advance(10 * 86_400_000)
  await forever.check('shop')
  t.equal(forever.fleet.get('shop')?.paused, undefined)
  t.match(await forever.fleet.history('shop'), { uptime: { day: 0, month: 0 } })
  const hours = (await forever.fleet.history('shop'))?.hours.map(({ at }) => at) ?? []
  t.ok(hours.length > 0 && hours.every((at) => at <= clock.now()), 'hours that are yet to come are not of the past')
})

t.test('who is owed a mail is stored with the transition, and one who cannot be told is no reason to lose it', async (t) => {
  const app = await target(t, broken)
  const lines: unknown[] = []
  const logger = { info: () => {}, warn: () => {}, error: (...line: unknown[]) => lines.push(line) }
  const told: Notice[] = []
  const owe = (notice: Notice, watched: unknown): string[] => {
    told.push(notice)
    t.match(watched, { state: (notice as Transition).to, registration: { name: 'shop' } })
    if (told.length === 2) throw new Error('no')
    return ['a@example.org', 'b@example.org']
  }
  const { fleet, transitions, check } = await watching(t, { owe, logger })
  await fleet.register(registration('shop', { port: app.port }))
  await check('shop')
  const due = await fleet.outbox.due(Date.now(), 10)
  t.match(due, [{ receiver: 'a@example.org', notice: transitions[0] }, { receiver: 'b@example.org', notice: transitions[0] }])
  await check('shop')
  t.equal(transitions.length, 2)
  t.equal((await fleet.outbox.owed()).count, 2)
  t.equal(lines.length, 1)
})

t.test('where more than half fail together it suspects itself, once, until they are back', async (t) => {
  const app = await target(t)
  const asked: Array<[string, boolean]> = []
  const { fleet, check } = await watching(t, { owe: (notice, _app, suspected) => { asked.push([notice.kind, suspected]); return [] } })
  const suspicions: Suspicion[] = []
  const troubles: Array<readonly Trouble[]> = []
  fleet.on('suspicion', (suspicion) => suspicions.push(suspicion))
  fleet.on('trouble', (all) => troubles.push(all))
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) await fleet.register(registration(name, { port: app.port }))
  await check(...names)
  app.answer = broken
  await check('a', 'b')
  t.same(suspicions, [])
  await check('c')
  t.match(suspicions, [{ kind: 'suspicion', suspected: true, failing: 3, of: 4 }])
  t.match(fleet.trouble, [{ code: 'SUSPECTS_ITSELF', detail: /3 of 4 targets/, since: Number }])
  t.match(await fleet.registry.getStatus('healthchecker checks'), { state: 'RED', detail: /^SUSPECTS_ITSELF since \S+Z: 3 of 4 targets/, metrics: { failing: 3, checked: 4 } })
  t.same(asked.slice(-2), [['suspicion', true], ['state', true]], 'the transition that gave it away is not told on its own')
  await check('d', 'a', 'b')
  t.equal(suspicions.length, 1)
  app.answer = healthy
  await check('a')
  await check('b')
  t.match(suspicions[1], { suspected: false, failing: 2, of: 4 })
  t.same(fleet.trouble, [])
  t.equal(troubles.length, 2)
  t.same(asked.at(-1), ['suspicion', false])
  await check('b')
  t.same(asked.at(-1), ['state', false])
})

t.test('a suspicion ends too where others came, so that no more than half of all fail', async (t) => {
  const app = await target(t)
  const { fleet, check } = await watching(t)
  const suspicions: Suspicion[] = []
  fleet.on('suspicion', (suspicion) => suspicions.push(suspicion))
  for (const name of ['a', 'b', 'c', 'd']) await fleet.register(registration(name, { port: app.port }))
  await fleet.pause('d')
  app.answer = broken
  await check('a', 'b', 'c')
  t.match(suspicions, [{ suspected: true, failing: 2, of: 3 }])
  app.answer = healthy
  await fleet.register(registration('e', { port: app.port }))
  await fleet.register(registration('f', { port: app.port }))
  await check('e')
  t.equal(suspicions.length, 1, '3 of 5')
  await fleet.resume('d')
  await check('e')
  t.match(suspicions[1], { suspected: false, failing: 3, of: 6 })
  t.same(fleet.trouble, [])
})

t.test('what was known to fail before a restart does not fail together', async (t) => {
  const app = await target(t, broken)
  const store = memoryFleetStore()
  const names = ['a', 'b', 'c', 'd']
  const before = await watching(t, { store })
  for (const name of names) await before.fleet.register(registration(name, { port: app.port }))
  await before.check(...names)
  await before.check(...names)
  t.equal(before.fleet.trouble.length, 1)
  await before.fleet.close()
  const after = await watching(t, { store })
  const suspicions: Suspicion[] = []
  after.fleet.on('suspicion', (suspicion) => suspicions.push(suspicion))
  await after.check(...names)
  t.same([after.transitions, suspicions], [[], []], 'and nobody is told again')
  t.equal(after.fleet.counts.UNHEALTHY, 4)
  await after.fleet.deregister('a')
  t.same(after.fleet.counts, { UNKNOWN: 0, HEALTHY: 0, DEGRADING: 0, UNHEALTHY: 3, PAUSED: 0 })
})

t.test('one more that fails after a restart does not fail together with those that were known to', async (t) => {
  const app = await target(t, (request, response) => (request.url === '/bad' ? broken : healthy)(request, response))
  const store = memoryFleetStore()
  const names = ['a', 'b', 'c', 'd', 'e']
  const before = await watching(t, { store })
  for (const name of names) await before.fleet.register(registration(name, { port: app.port, path: name < 'c' ? '/bad' : '/' }))
  await before.check(...names)
  await before.fleet.close()
  const { fleet, check } = await watching(t, { store })
  await check(...names)
  app.answer = broken
  await check('c')
  t.same(fleet.trouble, [], 'one of five began to fail')
  await check('d', 'e')
  t.match(fleet.trouble, [{ code: 'SUSPECTS_ITSELF' }])
})

t.test('lists the worst first where that is asked for, by name within, and a page at a time', async (t) => {
  const app = await target(t)
  const { fleet, check } = await watching(t)
  for (const name of ['ok 2', 'down', 'paused', 'new', 'ok 1', 'failing', 'down too']) await fleet.register(registration(name, { port: app.port }))
  for (let times = 0; times < 2; times++) await check('ok 1', 'ok 2', 'paused')
  await fleet.pause('paused')
  app.answer = broken
  await check('down', 'down too', 'failing')
  await check('down', 'down too')
  const worst = ['down', 'down too', 'failing', 'new', 'paused', 'ok 1', 'ok 2']
  const names = ({ apps }: FleetPage): string[] => apps.map(({ registration: { name } }) => name)
  t.same(names(fleet.list({ order: 'worst' })), worst)
  t.same(names(await fleet.select({ order: 'worst' })), worst)
  for (let offset = 0; offset < 8; offset++) {
    t.match(fleet.list({ order: 'worst', offset, limit: 2 }), { total: 7 })
    t.same(names(await fleet.select({ order: 'worst', offset, limit: 2 })), worst.slice(offset, offset + 2))
  }
  t.same(names(await fleet.select({ order: 'worst', search: 'o' })), ['down', 'down too', 'ok 1', 'ok 2'])
  t.same(names(await fleet.select({ order: 'name' })), [...worst].sort())
})

t.test('others have their turn while very many are looked through', async (t) => {
  const roster = new Roster()
  roster.load(Array.from({ length: 1_000 }, (_item, index) => new App(stored(`app ${String(index).padStart(4, '0')}`), index)))
  const { now } = performance
  t.teardown(() => { performance.now = now })
  for (const [step, expected] of [[0.5, 0], [4, 9]]) {
    let [time, turns, done] = [0, 0, false]
    performance.now = () => (time += step)
    const count = (): void => {
      if (done) return
      turns++
      setImmediate(count)
    }
    const selecting = roster.select({ search: 'app', offset: 998 }, (app) => app.view(undefined))
    count()
    const { total, apps } = await selecting
    done = true
    t.equal(total, 1_000)
    t.same(apps.map(({ registration: { name } }) => name), ['app 0998', 'app 0999'])
    t.ok(turns >= expected, `${turns} turns`)
    t.ok(turns < expected + 5, `${turns} turns`)
  }
  const selecting = roster.select({ limit: 1_000 }, (app) => app.view(undefined))
  roster.add(new App(stored('app 0005 is new'), 1_000))
  for (const name of ['app 0000', 'app 0001', 'app 0002', 'app 0999']) {
    const app = roster.get(name) as App
    roster.remove(app)
    app.gone = true
  }
  const names = (await selecting).apps.map(({ registration: { name } }) => name)
  t.equal(names.length, 996, 'who comes or goes meanwhile is not in it')
  t.same([names[0], names[5], names.at(-1)], ['app 0003', 'app 0008', 'app 0998'])
})

t.test('what is searched for is text, in any case', async (t) => {
  const { fleet } = await watching(t)
  const odd = ['a.b', 'a+b', '(x', '[y', '\\d', '$5', 'x|y', '{2}', 'a^b', 'q?', '1*2', 'ÄPFEL', 'a-b', 'a/b']
  for (const name of [...odd, 'other 5']) await fleet.register(registration(name))
  for (const search of odd) {
    t.same(fleet.list({ search }).apps.map(({ registration: { name } }) => name), [search])
  }
  t.equal(fleet.list({ search: 'äpfel' }).total, 1)
  t.equal(fleet.list({ search: '' }).total, odd.length + 1)
})

t.test('the state of the whole is what its registry says, whatever happens', async (t) => {
  const app = await target(t)
  const { fleet, check } = await watching(t, { store: failing(), pauseAfter: 0 })
  const same = async (state: State, why: string): Promise<void> => {
    t.equal(fleet.state, state, why)
    t.equal((await fleet.registry.snapshot()).state, state, `${why}: the registry`)
  }
  await same('OK', 'nobody is watched')
  await fleet.register(registration('main', { port: app.port }))
  await fleet.register(registration('extra', { port: app.port, critical: false }))
  await same('YELLOW', 'nothing is known')
  for (let times = 0; times < 2; times++) await check('main', 'extra')
  await same('OK', 'both are healthy')
  app.answer = (_request, response) => { response.writeHead(200, { 'content-type': 'application/health+json' }).end('{"status":"warn"}') }
  await check('extra')
  await same('YELLOW', 'one says so itself')
  app.answer = healthy
  await check('extra')
  await same('OK', 'and does so no longer')
  app.answer = broken
  for (let times = 0; times < 2; times++) await check('extra')
  await same('YELLOW', 'one that is not critical is unhealthy')
  await fleet.register(registration('extra', { port: app.port, critical: true }))
  await same('RED', 'it is critical now')
  await fleet.register(registration('extra', { port: app.port, critical: false }))
  await same('YELLOW', 'it is not any more')
  await fleet.deregister('extra')
  await same('OK', 'it is gone')
  await fleet.pause('main')
  await same('YELLOW', 'one is paused')
  await fleet.resume('main')
  for (let times = 0; times < 2; times++) await check('main')
  await same('RED', 'it is unhealthy')
  await fleet.deregister('main')
  await same('OK', 'nobody is left')
})

t.test('lists by name, by state, tag and part of a name, a page at a time', async (t) => {
  const app = await target(t)
  const { fleet, check } = await watching(t)
  for (const name of ['delta', 'alpha', 'Bravo', 'charlie']) await fleet.register(registration(name, { port: app.port, tags: name === 'alpha' ? ['web'] : [], host: name === 'delta' ? 'Db.example' : '127.0.0.1' }))
  await check('alpha')
  await check('alpha')
  await fleet.pause('charlie')
  const names = (query?: object): string[] => fleet.list(query).apps.map(({ registration }) => registration.name)
  t.same(names(), ['Bravo', 'alpha', 'charlie', 'delta'])
  t.same(names({ state: 'HEALTHY' }), ['alpha'])
  t.same(names({ paused: true }), ['charlie'])
  t.same(names({ paused: false, tag: 'web' }), ['alpha'])
  t.same(names({ search: 'RA' }), ['Bravo'])
  t.same(names({ search: 'db.ex' }), ['delta'])
  t.match(fleet.list({ offset: 1, limit: 2 }), { total: 4, apps: [{ registration: { name: 'alpha' } }, { registration: { name: 'charlie' } }] })
  for (const query of [{ offset: -1 }, { limit: 1001 }]) t.throws(() => fleet.list(query), { code: 'ERR_OPTION_OUT_OF_RANGE' })
  t.same(fleet.list({ limit: 0 }), { total: 4, apps: [] })
  t.throws(() => fleet.list({ sate: 'HEALTHY' } as never), { code: 'ERR_UNKNOWN_OPTION' })
  for (const order of ['best', 1]) t.throws(() => fleet.list({ order } as never), { code: 'ERR_INVALID_OPTION', message: /"name" or "worst"/ })
  await t.rejects(fleet.select({ search: 1 } as never), { code: 'ERR_INVALID_OPTION' })
  const seen: string[] = []
  for (const { registration: { name } } of fleet) {
    seen.push(name)
    if (name === 'Bravo') await fleet.deregister('alpha')
  }
  t.same(seen, ['Bravo', 'charlie', 'delta'])
  await fleet.register(registration('bravo'))
  t.same(names(), ['Bravo', 'bravo', 'charlie', 'delta'])
})

t.test('protocols: TCP connects, SSL shakes hands, HTTPS asks over TLS; nonsense is RED', async (t) => {
  const app = await target(t)
  const garbage = createServer((socket) => { socket.on('error', () => {}).end('garbage\r\n\r\n') }).listen(0, '127.0.0.1')
  t.teardown(() => garbage.close())
  await new Promise((resolve) => garbage.once('listening', resolve))
  const { port } = garbage.address() as AddressInfo
  const { fleet, check } = await watching(t)
  const apps = [
    registration('tcp', { protocol: 'TCP', port: app.port, path: '' }),
    registration('tcp closed', { protocol: 'TCP', host: '::1', port: 1, path: '' }),
    registration('ssl', { protocol: 'SSL', port, path: '', expectStatus: [] }),
    registration('https', { protocol: 'HTTPS', port }),
    registration('garbage', { port, path: '/x?token=secret', interval: 60 }),
    registration('other code', { port: app.port, expectStatus: [404], interval: 60 }),
    registration('impossible', { port: app.port, expectStatus: [5] })
  ]
  for (const app of apps) await fleet.register(app)
  await check(...apps.map(({ name }) => name))
  await check('ssl')
  const errors = apps.map(({ name }) => fleet.get(name)?.lastCheck?.error)
  t.equal(errors[0], undefined)
  t.match(errors[1], /^no connection to it: E/)
  t.match(errors[2], /^no TLS connection to it: /)
  t.match(errors[3], /^no answer from it: /)
  t.match(errors[4], /^no answer from it: HPE_/)
  t.equal(errors[5], 'it answered 200')
  t.equal(errors[6], 'RangeError ERR_OPTION_OUT_OF_RANGE')
  t.notMatch(JSON.stringify([...fleet].map(({ status, lastCheck }) => [status, lastCheck])), 'secret')
})

t.test('a connection is kept for the next check where checks are close together and the peer keeps it too', async (t) => {
  const app = await target(t)
  const connections = new Set<unknown>()
  app.server.on('connection', (socket) => connections.add(socket))
  const { fleet, check } = await watching(t)
  await fleet.register(registration('close', { port: app.port, interval: 15 }))
  for (let turn = 0; turn < 5; turn++) await check('close')
  t.equal(connections.size, 1)
  connections.clear()
  await fleet.deregister('close')
  await fleet.register(registration('far apart', { port: app.port, interval: 16 }))
  for (let turn = 0; turn < 3; turn++) await check('far apart')
  t.equal(connections.size, 3)

  // One that the peer closes before the next check is of no use: after two in a row none is kept any more.
  const other = await target(t, (_request, response) => {
    const { socket } = response
    response.end('OK', () => setTimeout(() => socket?.destroy(), 200))
  })
  other.server.keepAliveTimeout = 0
  await fleet.register(registration('other', { port: other.port, interval: 15 }))
  const closedBy: string[] = []
  for (let turn = 0; turn < 4; turn++) {
    const closed = new Promise<void>((resolve) => other.server.once('connection', (socket) => {
      let by = 'peer'
      socket.on('end', () => { by = 'checker' }).on('close', () => {
        closedBy.push(by)
        resolve()
      })
    }))
    await check('other')
    await closed
    // The checker sees it a moment later.
    for (let wait = 0; wait < 10; wait++) await new Promise((resolve) => setImmediate(resolve))
  }
  t.same(closedBy, ['peer', 'peer', 'checker', 'checker'])
  t.equal(fleet.get('other')?.state, 'HEALTHY')
})

t.test('no check begins while the one before is under way, and one that waits for its turn all the time says so', async (t) => {
  let release = (): void => {}
  const app = await target(t, (_request, response) => { release = () => response.end() })
  const time = new FakeTime()
  const { fleet, schedule, check } = await watching(t, { maxConcurrent: 1, clock: time })
  for (const name of ['a', 'b']) await fleet.register(registration(name, { port: app.port }))
  const first = check('a')
  schedule.turn('a')
  schedule.turn('b')
  t.same(fleet.trouble, [])
  schedule.turn('b')
  t.match(fleet.trouble, [{ code: 'BEHIND' }])
  t.match(await fleet.registry.getStatus('healthchecker checks'), { state: 'YELLOW', detail: /^BEHIND since \S+Z: checks are late/, metrics: { missed: 1, failing: 0, checked: 2 } })
  while (app.asked < 1) await new Promise((resolve) => setImmediate(resolve))
  release()
  await first
  while (app.asked < 2) await new Promise((resolve) => setImmediate(resolve))
  release()
  await time.advance(60_001)
  app.answer = healthy
  schedule.turn('nobody')
  await check('a')
  t.same(fleet.trouble, [])
  t.match(await fleet.registry.getStatus('healthchecker checks'), { state: 'OK', metrics: { missed: 1 } })
  t.equal(app.asked, 3)
})

t.test('an app that is paused or removed while it waits for its check is not asked', async (t) => {
  let release = (): void => {}
  const app = await target(t, (_request, response) => { release = () => response.end() })
  const { fleet, schedule, check } = await watching(t, { maxConcurrent: 1 })
  for (const name of ['a', 'paused', 'removed', 'b']) await fleet.register(registration(name, { port: app.port, path: `/${name}` }))
  const asked: unknown[] = []
  app.server.on('request', ({ url }) => asked.push(url))
  const first = check('a')
  for (const name of ['paused', 'removed']) schedule.turn(name)
  const last = check('b')
  await fleet.pause('paused')
  await fleet.deregister('removed')
  while (app.asked < 1) await new Promise((resolve) => setImmediate(resolve))
  app.answer = healthy
  release()
  await Promise.all([first, last])
  t.same(asked, ['/a', '/b'])
  await fleet.resume('paused')
  await check('paused')
  t.same(asked.at(-1), '/paused', 'it has its turns again')
})

t.test('nor is one that is paused while all are checked once, and nobody waits for it', async (t) => {
  let release = (): void => {}
  const app = await target(t, (_request, response) => { release = () => response.end() })
  const store = memoryFleetStore()
  await store.write(['a', 'b'].map((name) => ({ kind: 'put', app: { ...stored(name), registration: registration(name, { port: app.port }) } } as const)))
  const fleet = new WatchedFleet({ store, maxConcurrent: 1, schedule: new HandSchedule() })
  t.teardown(async () => await fleet.close())
  const checking = fleet.checkOnce()
  while (app.asked < 1) await new Promise((resolve) => setImmediate(resolve))
  await fleet.pause('b')
  release()
  await checking
  t.equal(app.asked, 1)
})

t.test('what comes of a check is dropped where nobody wants it any more', async (t) => {
  const waiting: Array<() => void> = []
  const app = await target(t, (_request, response) => { waiting.push(() => response.writeHead(500).end()) })
  const { fleet, schedule } = await watching(t)
  const checks: string[] = []
  fleet.on('check', (name) => checks.push(name))
  for (const name of ['removed', 'paused', 'changed']) {
    await fleet.register(registration(name, { port: app.port }))
    schedule.turn(name)
  }
  while (waiting.length < 3) await new Promise((resolve) => setImmediate(resolve))
  await fleet.deregister('removed')
  await fleet.pause('paused')
  await fleet.register(registration('changed', { port: app.port, path: '/other' }))
  for (const release of waiting) release()
  app.answer = healthy
  await new Promise<void>((resolve) => {
    fleet.on('check', () => resolve())
    const again = setInterval(() => schedule.turn('changed'), 5)
    t.teardown(() => clearInterval(again))
  })
  t.equal(checks[0], 'changed')
  t.match(fleet.get('changed'), { state: 'UNKNOWN', successes: Number })
  t.match(fleet.get('paused'), { state: 'UNKNOWN' })
})

t.test('an IPv6 address is found in a certificate, over a connection that is kept and over one that is not', async (t) => {
  const server = createSecureServer(certificate('good'), (_request, response) => response.end('OK')).listen(0, '::1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const { fleet, check } = await watching(t, { ca })
  for (const interval of [5, 60]) {
    await fleet.register(registration(`every ${interval}`, { protocol: 'HTTPS', host: '::1', port, interval, timeout: 4 }))
    await check(`every ${interval}`)
    t.match(fleet.get(`every ${interval}`)?.lastCheck, { result: 'OK' })
  }
})

t.test('HTTPS connections are kept as well, and a certificate that nobody trusts is RED', async (t) => {
  let connections = 0
  const server = createSecureServer(certificate('good'), (_request, response) => response.end('OK')).on('secureConnection', () => connections++).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  for (const [trusted, result] of [[ca, 'OK'], [undefined, 'RED']] as const) {
    const { fleet, check } = await watching(t, { ca: trusted })
    await fleet.register(registration('https', { protocol: 'HTTPS', host: 'localhost', port }))
    await fleet.register(registration('ssl', { protocol: 'SSL', host: 'localhost', port, path: '' }))
    connections = 0
    await check('https')
    await check('https')
    t.match(fleet.get('https')?.lastCheck, { result })
    if (result === 'OK') t.equal(connections, 1)
    await check('ssl')
    t.equal(fleet.get('ssl')?.lastCheck?.result, result)
  }
})

t.test('a handler of a fleet can stand behind another, and is told of no more once it is removed', async (t) => {
  const app = await target(t)
  const registry = new StatusRegistry()
  const { fleet, check } = await watching(t, { registry })
  await fleet.register(registration('shop', { port: app.port }))
  const handler = registry.handler('shop') as StatusProvider
  t.match(await handler.getStatus({} as never), { state: 'YELLOW' })
  registry.removeStatusHandler('shop')
  await check('shop')
  await check('shop')
  t.match(await handler.getStatus({} as never), { state: 'OK' })
})

t.test('checks all once, without a schedule', async (t) => {
  const app = await target(t)
  const store = memoryFleetStore()
  await store.write(['c', 'a', 'b'].map((name) => ({ kind: 'put', app: { ...stored(name), registration: registration(name, { port: app.port }), paused: name === 'c' ? { at: 0 } : undefined } } as const)))
  const schedule = new HandSchedule()
  const fleet = new WatchedFleet({ store, schedule })
  t.teardown(async () => await fleet.close())
  await fleet.checkOnce()
  t.equal(app.asked, 2)
  t.same([...fleet].map(({ lastCheck }) => lastCheck?.result), ['OK', 'OK', undefined])
  await fleet.checkOnce()
  t.equal(app.asked, 4)
  t.notOk(schedule.running)
})

t.test('checks by itself, each app in every interval, and needs no logger to live with a store that fails', async (t) => {
  const app = await target(t)
  const time = new FakeTime()
  t.teardown(time.install())
  const store = failing()
  const fleet = new WatchedFleet({ clock: time, store })
  t.teardown(async () => await fleet.close())
  await fleet.start()
  for (const name of ['a', 'b']) await fleet.register(registration(name, { port: app.port }))
  t.ok((fleet.get('a')?.nextCheck as number) - time.now() <= 5_000)
  for (let round = 1; round <= 3; round++) {
    await time.advance(5_100)
    while (fleet.recent('a').length < round - 1 || fleet.recent('b').length < round - 1) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(app.asked >= 4)
  store.fails = 'STORE_FULL'
  await fleet.register(registration('c')).catch(({ code }) => t.equal(code, 'ERR_STORE_FAILED'))
  t.match(fleet.trouble, [{ code: 'STORE_FULL' }])
})

t.test('a listener that throws is logged, and disturbs nobody', async (t) => {
  const lines: unknown[] = []
  const { fleet } = await watching(t, { logger: { info: () => {}, warn: () => {}, error: (...line: unknown[]) => lines.push(line) } })
  const names: string[] = []
  fleet.on('deregistered', () => { throw new Error('no') })
  fleet.on('deregistered', (name) => names.push(name))
  await fleet.register(registration('a'))
  await fleet.deregister('a')
  t.same(names, ['a'])
  t.equal(lines.length, 1)
  t.throws(() => fleet.on('trouble', 5 as never), { code: 'ERR_INVALID_OPTION' })
})

t.test('a closed fleet, and one that was not started, takes no registrations and hangs nobody', async (t) => {
  const fleet = new WatchedFleet({ schedule: new HandSchedule() })
  await t.rejects(fleet.register(registration('a')), { code: 'ERR_FLEET_CLOSED', statusCode: 503 })
  await fleet.close()
  await fleet.close()
  await t.rejects(fleet.start(), { code: 'ERR_FLEET_CLOSED' })

  const app = await target(t, () => {})
  const registry = new StatusRegistry()
  const other = await watching(t, { registry, maxConcurrent: 1 })
  for (const name of ['hangs', 'waits']) {
    await other.fleet.register(registration(name, { port: app.port, timeout: 60, interval: 300 }))
    other.schedule.turn(name)
  }
  while (app.asked < 1) await new Promise((resolve) => setImmediate(resolve))
  await Promise.all([other.fleet.close(), other.fleet.register(registration('late')).catch(({ code }) => t.equal(code, 'ERR_FLEET_CLOSED'))])
  t.notOk(other.schedule.running)
  t.notOk(registry.has('hangs'))
  await t.rejects(other.fleet.pause('hangs'), { code: 'ERR_FLEET_CLOSED' })
})

t.test('a fleet that is closed lets nobody wait for a check that has not begun', async (t) => {
  const app = await target(t, () => {})
  const store = memoryFleetStore()
  await store.write(['a', 'b', 'c'].map((name) => ({ kind: 'put', app: { ...stored(name), registration: registration(name, { port: app.port, timeout: 60, interval: 300 }) } } as const)))
  const fleet = new WatchedFleet({ store, schedule: new HandSchedule(), maxConcurrent: 1 })
  const checking = fleet.checkOnce()
  while (app.asked < 1) await new Promise((resolve) => setImmediate(resolve))
  await fleet.close()
  await checking
  t.equal(app.asked, 1)
})

t.test('a fleet that is closed while it starts lets go of its store, and checks nobody', async (t) => {
  const store = memoryFleetStore()
  const { open, close } = store
  let opened = (): void => {}
  const calls: string[] = []
  store.open = async (onApps) => {
    await new Promise<void>((resolve) => { opened = resolve })
    calls.push('open')
    return await open.call(store, onApps)
  }
  store.close = async () => {
    calls.push('close')
    await close.call(store)
  }
  await store.write([{ kind: 'put', app: stored('a') }])
  for (const begin of ['start', 'checkOnce'] as const) {
    const schedule = new HandSchedule()
    const fleet = new WatchedFleet({ store, schedule })
    const started = [fleet[begin](), fleet[begin]()]
    const closing = [fleet.close(), fleet.close()]
    await new Promise((resolve) => setImmediate(resolve))
    opened()
    for (const one of started) await t.rejects(one, { code: 'ERR_FLEET_CLOSED' })
    await Promise.all(closing)
    t.same(calls.splice(0), ['open', 'close'])
    t.notOk(schedule.running)
    t.notOk(fleet.registry.has('a'))
    await t.rejects(fleet.register(registration('b')), { code: 'ERR_FLEET_CLOSED' })
  }
})

t.test('a fleet that is closed while it plans its checks begins none', async (t) => {
  const store = memoryFleetStore()
  await store.write([{ kind: 'put', app: stored('a') }])
  const schedule = new HandSchedule()
  const fleet = new WatchedFleet({ store, schedule })
  const { set } = schedule
  schedule.set = (...turn) => {
    set.apply(schedule, turn)
    t.resolves(fleet.close())
  }
  await t.rejects(fleet.start(), { code: 'ERR_FLEET_CLOSED' })
  t.notOk(schedule.running)
})

t.test('a fleet whose store could not be had can be started again, and a second start joins the first', async (t) => {
  const store = memoryFleetStore()
  const { open } = store
  let opened = 0
  store.open = async (onApps) => {
    if (opened++ === 0) throw new Error('in use')
    return await open.call(store, onApps)
  }
  let started = 0
  const fleet = new WatchedFleet({ store, schedule: Object.assign(new HandSchedule(), { start: () => { started++ } }) })
  t.teardown(async () => await fleet.close())
  await t.rejects(fleet.start(), { message: 'in use' })
  await Promise.all([fleet.start(), fleet.start(), fleet.checkOnce()])
  await fleet.start()
  t.same([opened, started], [2, 1])
  const neverOpened = new WatchedFleet({ store: Object.assign(memoryFleetStore(), { open: async () => { throw new Error('in use') } }) })
  const starting = t.rejects(neverOpened.start(), { message: 'in use' })
  await neverOpened.close()
  await starting
})

t.test('it goes on where it was, after a restart', async (t) => {
  const app = await target(t)
  const store = memoryFleetStore()
  const before = await watching(t, { store })
  await before.fleet.register(registration('shop', { port: app.port, interval: 60 }), { trusted: true })
  await before.check('shop')
  await before.check('shop')
  app.answer = broken
  await before.check('shop')
  const known = before.fleet.get('shop')
  const recent = before.fleet.recent('shop')
  await before.fleet.close()

  const after = await watching(t, { store })
  t.match(after.fleet.get('shop'), { ...known, nextCheck: Number })
  t.same(after.fleet.recent('shop'), recent)
  t.equal(after.schedule.intervals.get('shop'), 60_000)
  t.same(after.transitions, [])
  await after.check('shop')
  t.match(after.transitions, [{ id: 3, from: 'DEGRADING', to: 'UNHEALTHY' }], 'ids go on, none is used again')
  const history = await after.fleet.history('shop')
  t.equal(history?.checks.length, 4)
  t.equal(history?.hours.reduce((sum, { checks }) => sum + checks, 0), 4)
  t.match(history?.uptime, { day: 0.5, week: 0.5, month: 0.5 })
  t.match((await after.fleet.history('shop'))?.hours[0].maxDuration, Number)
})

t.test('while its store fails it goes on checking, says so loudly, refuses registrations and loses no transition', async (t) => {
  const app = await target(t)
  const store = failing()
  const lines: string[] = []
  const log = (...line: unknown[]): void => { lines.push(String(line.at(-1))) }
  const time = new FakeTime()
  t.teardown(time.install())
  const { fleet, transitions, check } = await watching(t, { store, logger: { info: log, warn: log, error: log }, owe: () => ['a@example.org'] })
  await fleet.register(registration('shop', { port: app.port }))
  await check('shop')
  store.fails = 'STORE_FULL'
  await check('shop')
  t.equal(fleet.get('shop')?.state, 'HEALTHY')
  t.equal(transitions.length, 1, 'it is told of, stored or not')
  t.match(fleet.trouble, [{ code: 'STORE_FULL', detail: 'no space left' }])
  t.match(await fleet.registry.getStatus('healthchecker store'), { state: 'RED', detail: /^STORE_FULL since \S+Z: no space left$/, metrics: { waiting: 1, forgotten: 0 } })
  t.match(await fleet.registry.getStatus('healthchecker checks'), { state: 'OK' }, 'the checks are none the worse for it')
  t.match(lines, [/goes on checking, and takes no registrations/])

  const refused = [fleet.register(registration('new')), fleet.register(registration('shop', { port: 1 })), fleet.deregister('shop')].map(async (asked) => await asked.catch(({ code }) => code))
  await time.advance(1_000)
  t.same(await Promise.all(refused.slice(0, 2)), ['ERR_STORE_FAILED', 'ERR_STORE_FAILED'])
  await time.advance(2_000)
  t.same(await refused[2], 'ERR_STORE_FAILED')
  const pausing = fleet.pause('shop').catch(({ code }) => code)
  await time.advance(1_000)
  t.equal(await pausing, 'ERR_STORE_FAILED')
  t.match(fleet.get('shop'), { paused: undefined, nextCheck: Number, registration: { port: app.port } })
  t.equal(fleet.get('new'), undefined)
  t.equal(lines.length, 1, 'said once')
  store.fails = 'STORE_READ_ONLY'
  await time.advance(1_000)
  t.match(fleet.trouble, [{ code: 'STORE_READ_ONLY' }])
  app.answer = broken
  await check('shop')

  store.fails = undefined
  await time.advance(1_000)
  t.same(fleet.trouble, [])
  t.same(await fleet.registry.getStatus('healthchecker store'), { state: 'OK', metrics: { waiting: 0, forgotten: 0 } })
  t.match(store.written.filter(({ kind }) => kind === 'notice'), [{ notice: transitions[0] }, { notice: transitions[1] }], 'in their order, each once')
  t.equal((await fleet.outbox.owed()).count, 2)
  t.equal(await fleet.register(registration('new')), 'created')

  await fleet.pause('shop')
  store.fails = 'STORE_FULL'
  const resuming = fleet.resume('shop').catch(({ code }) => code)
  await time.advance(1_000)
  t.equal(await resuming, 'ERR_STORE_FAILED')
  t.match(fleet.get('shop'), { state: 'DEGRADING', paused: { at: Number } })
  app.answer = healthy
  await fleet.close()
  t.match(lines.at(-1), /can be written again|cannot be written/)
})

t.test('how it does itself is a status handler beside those of its apps, while it is open, and no app can have its name', async (t) => {
  const registry = new StatusRegistry()
  const { fleet } = await watching(t, { registry })
  await fleet.register(registration('healthchecker'))
  t.same((await registry.snapshot()).entries.map(({ name, status }) => [name, status?.state]), [['healthchecker', 'YELLOW'], ['healthchecker checks', 'OK'], ['healthchecker store', 'OK']])
  for (const name of ['healthchecker store', 'healthchecker checks', 'healthchecker mail']) {
    await t.rejects(fleet.register(registration(name)), { code: 'ERR_INVALID_REGISTRATION', statusCode: 400, message: /^the parameter "name" must not be "healthchecker \w+": by that name the healthchecker says how it does itself$/ })
  }
  t.equal(fleet.size, 1)
  await fleet.close()
  t.same((await registry.snapshot()).entries, [])
})
