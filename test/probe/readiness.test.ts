import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { second, StateHandler, statusPlugin, StatusRegistry, type State, type StatusHandler, type StatusPluginOptions } from '../../lib/index.js'
import { Readiness } from '../../lib/probe/readiness.js'
import { FakeTime, settled } from '../policies/support/fake-time.js'
import { statusApp, until } from '../support/app.js'

interface Subject {
  readonly registry: StatusRegistry
  readonly readiness: Readiness
  readonly time: FakeTime
  /** What the handlers answer, by name. */
  readonly states: Record<string, State>
  readonly asked: Record<string, number>
}

function subject (t: Test, settings: { requires?: string[], startup?: string[] }, tags: Record<string, string[]> = {}): Subject {
  const time = new FakeTime()
  t.teardown(time.install())
  const registry = new StatusRegistry({ clock: time })
  const states: Record<string, State> = { database: 'OK', cache: 'OK', other: 'RED' }
  const asked: Record<string, number> = {}
  for (const name of Object.keys(states)) {
    registry.addStatusHandler(name, () => {
      asked[name] = (asked[name] ?? 0) + 1
      return states[name]
    }, { tags: tags[name] })
  }
  const readiness = new Readiness(registry, { requires: [], startup: [], interval: 5_000, ...settings }, undefined)
  t.teardown(() => readiness.stop())
  return { registry, readiness, time, states, asked }
}

t.test('a handler that is required takes the probe out of service while it is RED, and others do not', async (t) => {
  const { readiness, time, states, asked } = subject(t, { requires: ['database', 'cache'] })
  t.equal(readiness.body, 'STARTING', 'what was not asked is not OK')
  readiness.start()
  await settled()
  t.equal(readiness.body, undefined)
  states.database = 'RED'
  t.equal(readiness.body, undefined, 'the probe asks nobody')
  await time.advance(5_000)
  t.equal(readiness.body, 'RED database')
  states.cache = 'RED'
  await time.advance(5_000)
  t.equal(readiness.body, 'RED database, cache')
  Object.assign(states, { database: 'YELLOW', cache: 'OK' })
  await time.advance(5_000)
  t.equal(readiness.body, undefined, 'YELLOW works')
  t.strictSame(asked, { database: 4, cache: 4 }, 'and nobody else is asked')
})

t.test('a tag stands for all that have it, each once', async (t) => {
  const { readiness, time, states, asked, registry } = subject(t, { requires: ['own', 'cache'] }, { database: ['own'], cache: ['own'] })
  states.cache = 'RED'
  readiness.start()
  await settled()
  t.equal(readiness.body, 'RED cache')
  t.strictSame(asked, { database: 1, cache: 1 })
  registry.addStatusHandler('queue', () => 'RED', { tags: ['own'] })
  await time.advance(5_000)
  t.equal(readiness.body, 'RED cache, queue', 'also for one that came later')
})

t.test('what somebody else finds out counts at once', async (t) => {
  const { readiness, states, registry } = subject(t, { requires: ['database'] })
  readiness.start()
  await settled()
  states.database = 'RED'
  await registry.snapshot()
  t.equal(readiness.body, 'RED database')
  states.other = 'OK'
  await registry.snapshot()
  t.equal(readiness.body, 'RED database')
})

t.test('until the named handlers were OK once the probe answers STARTING, and then never again', async (t) => {
  const { readiness, time, states, asked } = subject(t, { startup: ['database', 'warm'] }, { cache: ['warm'] })
  Object.assign(states, { database: 'YELLOW', cache: 'RED' })
  readiness.start()
  await settled()
  t.equal(readiness.body, 'STARTING')
  states.database = 'OK'
  await time.advance(5_000)
  t.equal(readiness.body, 'STARTING')
  Object.assign(states, { database: 'RED', cache: 'OK' })
  await time.advance(5_000)
  t.equal(readiness.body, undefined, 'each was OK once, if not at once')
  const { database } = asked
  states.cache = 'RED'
  await time.advance(60_000)
  t.equal(readiness.body, undefined)
  t.equal(asked.database, database, 'and nobody is asked any more')
  t.equal(time.waiting, 0)
})

t.test('startup comes before what is required', async (t) => {
  const { readiness, time, states } = subject(t, { requires: ['database'], startup: ['cache'] })
  Object.assign(states, { database: 'RED', cache: 'RED' })
  readiness.start()
  await settled()
  t.equal(readiness.body, 'STARTING')
  states.cache = 'OK'
  await time.advance(5_000)
  t.equal(readiness.body, 'RED database')
})

t.test('a handler that takes the place of one that was RED is not OK before it was asked', async (t) => {
  const { readiness, time, states, registry } = subject(t, { requires: ['database', 'cache'] })
  states.database = 'RED'
  readiness.start()
  await settled()
  registry.addStatusHandler('database', () => 'OK', { replace: true })
  states.cache = 'RED'
  await registry.getStatus('cache')
  t.equal(readiness.body, 'RED database, cache')
  await time.advance(5_000)
  t.equal(readiness.body, 'RED cache')
})

t.test('a handler that was removed is not OK', async (t) => {
  const { readiness, time, registry } = subject(t, { requires: ['database'], startup: ['cache'] })
  registry.addStatusHandler('cache', () => 'RED', { replace: true })
  readiness.start()
  registry.removeStatusHandler('cache')
  await settled()
  t.equal(readiness.body, 'STARTING')
  registry.addStatusHandler('cache', () => 'OK')
  await time.advance(5_000)
  t.equal(readiness.body, undefined)
  registry.removeStatusHandler('database')
  await time.advance(5_000)
  t.equal(readiness.body, 'RED database')
})

t.test('one refresh ends before the next begins, and none goes on after the end', async (t) => {
  const { readiness, time, registry, asked } = subject(t, { requires: ['slow', 'database'] })
  let running = 0
  let most = 0
  let finish: () => void = () => {}
  registry.addStatusHandler('slow', async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => { finish = resolve })
    running--
    return true
  }, { timeout: second(60) })
  readiness.start()
  await settled()
  t.equal(readiness.body, 'STARTING')
  await registry.snapshot({ tags: [] })
  await time.advance(20_000)
  t.equal(asked.database, 1, 'the first one is not at its end')
  finish()
  await settled()
  t.equal(readiness.body, undefined)
  await time.advance(5_000)
  t.equal(asked.database, 2)
  readiness.stop()
  finish()
  await settled()
  await time.advance(60_000)
  t.equal(asked.database, 2)
  t.equal(most, 1)
})

t.test('until all were asked once, what becomes of one of them does not make the probe OK', async (t) => {
  const { readiness, states, registry } = subject(t, { requires: ['slow', 'database'] })
  registry.addStatusHandler('slow', async () => await new Promise<State>(() => {}))
  readiness.start()
  await settled()
  for (const state of ['RED', 'OK'] as const) {
    states.database = state
    await registry.getStatus('database')
    t.equal(readiness.body, 'STARTING')
  }
})

t.test('what somebody else finds out after the end changes nothing', async (t) => {
  const { readiness, states, registry } = subject(t, { requires: ['database'] })
  readiness.start()
  await settled()
  readiness.stop()
  states.database = 'RED'
  await registry.snapshot()
  t.equal(readiness.body, undefined)
})

t.test('an answer that comes after the end changes nothing', async (t) => {
  const { readiness, registry } = subject(t, { requires: ['slow'] })
  let finish: (state: State) => void = () => {}
  registry.addStatusHandler('slow', async () => await new Promise<State>((resolve) => { finish = resolve }))
  readiness.start()
  readiness.stop()
  finish('RED')
  await settled()
  t.equal(readiness.body, 'STARTING')
})

async function app (t: Test, probeStatus: StatusPluginOptions['probeStatus'], handlers: Record<string, StatusHandler>) {
  return await statusApp(t, { probeStatus, handlers })
}

t.test('the probe of an app follows its handlers, below a decommission and a drain', async (t) => {
  const warm = new StateHandler()
  const database = new StateHandler()
  database.setState('RED')
  const { app: fastify } = await app(t, { requires: ['database'], startup: ['warm'], interval: 10 }, { warm, database })
  const probe = async (): Promise<string> => {
    const { statusCode, body, headers } = await fastify.inject('/probe_status')
    t.match(headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    return `${statusCode} ${body}`
  }
  t.equal(await probe(), '503 STARTING')
  warm.setState('OK')
  await until(async () => await probe() === '503 RED database', 'it has started')
  await fastify.svcStatus.decommission('OFF')
  t.equal(await probe(), '503 OFF')
  await fastify.svcStatus.recommission()
  database.setState('OK')
  t.equal(await probe(), '200 OK', 'at once')
  await fastify.svcStatus.decommission('OFF')
  t.equal(await probe(), '503 OFF')
  await fastify.svcStatus.recommission()
  const drained = fastify.svcStatus.drain({ delay: second(60) })
  t.equal(await probe(), '503 DRAINING')
  t.equal((await fastify.inject('/live_status')).body, 'OK')
  await fastify.close()
  await drained
})

t.test('a second registration has a probe of its own, beside which the first stays as it is', async (t) => {
  const { app: fastify } = await app(t, {}, { database: () => 'RED' })
  await fastify.register(statusPlugin, { registry: fastify.svcStatus.registry as StatusRegistry, prefix: '/deep', probeStatus: { requires: ['database'], interval: 10 } })
  await until(async () => (await fastify.inject('/deep/probe_status')).body === 'RED database', 'the second follows the handler')
  t.equal((await fastify.inject('/probe_status')).body, 'OK')
})

t.test('an app that is closed asks no more', async (t) => {
  const { app: fastify, registry } = await app(t, { requires: ['database'] }, { database: () => true })
  await fastify.ready()
  const ended: unknown[] = []
  const off = registry.off.bind(registry)
  registry.off = (event, listener) => { ended.push(event); return off(event, listener) }
  await fastify.close()
  t.ok(ended.includes('change'))
})

for (const option of ['requires', 'startup']) {
  t.test(`a name in ${option} that no handler has is an error when the app is ready`, async (t) => {
    const fastify = Fastify()
    t.teardown(async () => await fastify.close())
    await fastify.register(statusPlugin, { registry: new StatusRegistry(), handlers: { database: () => true }, probeStatus: { [option]: ['databse'] } })
    await t.rejects(Promise.resolve(fastify.ready()), { code: 'ERR_UNKNOWN_HANDLER', message: new RegExp(`"probeStatus.${option}" names "databse", which is neither the name nor a tag`) })
  })
}

t.test('a handler that is added before the app is ready is there', async (t) => {
  const fastify = Fastify()
  t.teardown(async () => await fastify.close())
  await fastify.register(statusPlugin, { registry: new StatusRegistry(), probeStatus: { requires: ['late'], interval: 10 } })
  fastify.svcStatus.addStatusHandler('late', () => true)
  await until(async () => (await fastify.inject('/probe_status')).statusCode === 200, 'it was asked')
})

for (const [what, options, code, message] of [
  ['a name that is no array', { requires: 'database' }, 'ERR_INVALID_OPTION', /"probeStatus.requires" must be an array/],
  ['an empty name', { startup: [''] }, 'ERR_INVALID_OPTION', /"probeStatus.startup" must be an array of non-empty strings/],
  ['no interval', { interval: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"probeStatus.interval"/]
] as const) {
  t.test(`${what} is refused`, async (t) => {
    await t.rejects(async () => await Fastify().register(statusPlugin, { registry: new StatusRegistry(), probeStatus: options as object }), { code, message })
  })
}
