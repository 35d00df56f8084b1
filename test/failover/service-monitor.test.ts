import t from 'tap'
import { Service, ServiceMonitor } from '../../lib/failover/index.js'
import { count, minute, second, StatusRegistry } from '../../lib/index.js'
import type { ServiceMonitorOptions, ServiceOptions } from '../../types/failover.js'
import { FakeTime, settled } from '../policies/support/fake-time.js'
import { context, recorder, scene, Scripted, shown } from './support/monitor.js'

const often = { monitoringPingFrequency: 0, outagePingFrequency: 0, errorPingFrequency: 0 }

t.test('a service goes from not asked yet to OK, YELLOW while it is failed over, and OK again', async (t) => {
  const { clock, monitor, settings } = scene(t)
  const db = monitor.register(new Scripted(clock))
  t.strictSame(monitor.outages, [])
  t.match(await shown(db), { state: 'OK', metrics: { up: 1, failed_over: 0, outages: 0, outage_seconds: 0, failovers: 0, recoveries: 0, ping_seconds: 0 } })
  await clock.advance(120_000)
  db.up = false
  t.match(await shown(db), { state: 'RED', detail: 'down since 2030-01-01T00:02:00.000Z: threw Error ECONNREFUSED; about to fail over' })
  await settled()
  t.match(await shown(db), { state: 'YELLOW', detail: 'down since 2030-01-01T00:02:00.000Z: threw Error ECONNREFUSED; failed over', metrics: { up: 0, failed_over: 1, outages: 1 } })
  t.strictSame(settings, { host: 'standby' })
  t.strictSame(monitor.outages, [{ name: 'db', since: Date.UTC(2030, 0, 1, 0, 2), failedOver: true }])
  await clock.advance(20_000)
  t.match(await shown(db), { metrics: { outage_seconds: 20 } }, 'an outage that lasts counts as well')
  db.up = true
  await clock.advance(10_000)
  t.match(await shown(db), { state: 'OK', metrics: { up: 1, failed_over: 0, outages: 1, outage_seconds: 30, failovers: 1, recoveries: 1, switch_seconds: 0 } })
  t.notOk('detail' in await shown(db))
  t.strictSame(settings, { host: 'primary' })
  t.strictSame(monitor.outages, [])
})

t.test('what a driver says in its message is not shown', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  db.up = false
  await monitor.monitor()
  t.notMatch(JSON.stringify(await shown(db)), /1234/)
})

t.test('a service with nowhere to go is RED, and nothing is switched', async (t) => {
  const { clock, monitor, settings, lines } = scene(t)
  const cache = monitor.register(new Scripted(clock, { name: 'cache', failoverSettings: {} }))
  cache.up = false
  await monitor.monitor()
  t.match(await shown(cache), { state: 'RED', detail: /there is nothing to fail over to$/ })
  t.match(lines, [{ level: 'fatal', message: /^cache outage: down since .*nothing to fail over to$/ }])
  cache.up = true
  await clock.advance(30_000)
  t.match(await shown(cache), { state: 'OK' })
  t.strictSame(settings, { host: 'primary' })
})

t.test('a service without a monitor is pinged for every reader', async (t) => {
  const up = new Service({ name: 'x', ping: () => {} })
  t.strictSame(await shown(up), { state: 'OK' })
  t.match(await shown(new Service({ name: 'x', ping: () => { throw new Error('secret') } })), { state: 'RED', detail: 'down: threw Error' })
  t.match(await shown(new Service({ name: 'x', ping: () => false })), { state: 'RED', detail: 'down: it said so itself' })
  t.match(await shown(new Service({ name: 'x', timeout: 20, ping: () => new Promise((resolve) => setTimeout(resolve, 1_000).unref()) })), { state: 'RED', detail: 'down: the ping took longer than 20 ms' })
})

t.test('a thousand errors at once cause one ping', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  await monitor.monitor()
  await clock.advance(10_000)
  db.up = false
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => monitor.monitor({ error: new Error(String(index)) })))
  t.strictSame(db.pings, [0, 10_000])
  await clock.advance(29_999)
  t.strictSame(db.pings, [0, 10_000])
})

t.test('an error that comes too early is made up for as soon as a ping is due', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  await monitor.monitor()
  await clock.advance(2_000)
  for (let time = 0; time < 1_000; time++) await monitor.monitor({ error: 1 })
  t.strictSame(db.pings, [0])
  await clock.advance(3_000)
  t.strictSame(db.pings, [0, 5_000])
  await clock.advance(200_000)
  t.strictSame(db.pings, [0, 5_000], 'nothing triggered any more')
})

t.test('a ping that was planned for later is not made besides one that came before', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  await monitor.monitor()
  await monitor.monitor()
  await clock.advance(60_000)
  await monitor.monitor({ error: 1 })
  await clock.advance(119_999)
  t.strictSame(db.pings, [0, 60_000])
})

/** A ping that ends when the test says so. */
function held (): { ping: ServiceOptions['ping'], begun: AbortSignal[], end: Array<(error?: Error) => void> } {
  const begun: AbortSignal[] = []
  const end: Array<(error?: Error) => void> = []
  return {
    begun,
    end,
    ping: ({ signal }) => new Promise<void>((resolve, reject) => {
      begun.push(signal)
      end.push((error) => error === undefined ? resolve() : reject(error))
    })
  }
}

t.test('pings never overlap: an error during one has another one follow, and all wait for that', async (t) => {
  const { clock, monitor } = scene(t)
  const { ping, begun, end } = held()
  monitor.register(new Service({ name: 'db', ping, ...often }))
  const first = monitor.monitor()
  await settled()
  const done: string[] = []
  for (const name of ['a', 'b']) monitor.monitor({ error: 1 }).then(() => done.push(name))
  first.then(() => done.push('first'))
  await settled()
  t.equal(begun.length, 1)
  end[0]()
  await settled()
  t.strictSame([begun.length, done], [2, ['first']])
  end[1]()
  await settled()
  t.strictSame([begun.length, done], [2, ['first', 'a', 'b']])
  await clock.advance(1_000)
  t.equal(begun.length, 2)
})

t.test('pings do not overlap where triggers come at every moment of the end of one', async (t) => {
  const { monitor } = scene(t)
  const { ping, begun, end } = held()
  monitor.register(new Service({ name: 'db', ping, ...often }))
  monitor.monitor()
  await settled()
  monitor.monitor({ error: 1 })
  end[0]()
  for (let moment = 0; moment < 40; moment++) {
    await undefined
    monitor.monitor({ error: 1 })
  }
  await settled()
  t.equal(begun.length, 2)
  end[1]()
  await settled()
  end[2]()
})

t.test('an error during a ping that is not due again has one follow when it is', async (t) => {
  const { clock, monitor } = scene(t)
  const { ping, begun, end } = held()
  monitor.register(new Service({ name: 'db', ping, timeout: 60_000, errorPingFrequency: 5_000 }))
  monitor.monitor()
  await clock.advance(1_000)
  monitor.monitor({ error: 1 })
  await clock.advance(9_000)
  t.equal(begun.length, 1)
  end[0]()
  await settled()
  t.equal(begun.length, 2)
  end[1]()
})

t.test('a ping that takes too long is called off and counts as down; it is not started again while it runs', async (t) => {
  const { clock, monitor } = scene(t, often)
  const { ping, begun, end } = held()
  const db = monitor.register(new Service({ name: 'db', ping }))
  const first = monitor.monitor()
  await clock.advance(2_999)
  t.equal(begun[0].aborted, false)
  await clock.advance(1)
  await first
  t.equal(begun[0].aborted, true)
  t.match(await shown(db), { state: 'RED', detail: /: the last ping, which still runs, took longer than 3000 ms;/ })
  await clock.advance(10_000)
  t.equal(begun.length, 1)
  end[0]()
  await clock.advance(1_000)
  t.equal(begun.length, 2)
  end[1]()
  await settled()
  t.match(db.getStatus(context), {})
  t.strictSame(monitor.outages, [])
  end[2]?.()
})

t.test('the standby is pinged before the switch: where it is down, nothing is switched', async (t) => {
  const { clock, monitor, settings, lines } = scene(t)
  let standbyUp = false
  const asked: string[] = []
  const db = monitor.register(new Scripted(clock, {
    standby: ({ name }) => { asked.push(name); if (!standbyUp) throw new Error('secret') }
  }))
  db.up = false
  await monitor.monitor()
  t.strictSame([settings, asked], [{ host: 'primary' }, ['db']])
  t.match(await shown(db), { state: 'RED', detail: /; the standby is down too: threw Error$/ })
  t.match(lines.at(-1)?.message, /^db outage: .*the standby is down too/)
  standbyUp = true
  await clock.advance(30_000)
  t.strictSame(settings, { host: 'standby' })
  t.match(await shown(db), { state: 'YELLOW' })
  standbyUp = false
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'RED', detail: /failed over, but the standby is down too: threw Error$/ })
  db.up = true
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'OK' })
})

t.test('a standby may be a check', async (t) => {
  const { clock, monitor, settings } = scene(t)
  const db = monitor.register(new Scripted(clock, { standby: { getStatus: () => ({ state: 'RED', detail: 'no connection' }) } }))
  db.up = false
  await monitor.monitor()
  t.strictSame(settings, { host: 'primary' })
  t.match(await shown(db), { state: 'RED', detail: /too: no connection$/ })
})

t.test('it is recovered after so many good pings in a row', async (t) => {
  const { clock, monitor, settings } = scene(t)
  const db = monitor.register(new Scripted(clock, { recoverAfter: count(3) }))
  db.up = false
  await monitor.monitor()
  db.up = true
  await clock.advance(60_000)
  t.match(await shown(db), { state: 'YELLOW', detail: 'up again, still failed over: 2 of 3 good pings' })
  db.up = false
  await clock.advance(30_000)
  db.up = true
  await clock.advance(60_000)
  t.strictSame(settings, { host: 'standby' })
  await clock.advance(30_000)
  t.strictSame(settings, { host: 'primary' })
  t.match(await shown(db), { state: 'OK', metrics: { outages: 1, failovers: 1, recoveries: 1, outage_seconds: 180 } })
})

t.test('it is recovered after so much time of good pings', async (t) => {
  const { clock, monitor, settings } = scene(t, { recoverAfter: minute(1) })
  const db = monitor.register(new Scripted(clock))
  db.up = false
  await monitor.monitor()
  db.up = true
  await clock.advance(60_000)
  t.match(await shown(db), { state: 'YELLOW', detail: 'up again, still failed over: good for 30000 of 60000 ms' })
  t.strictSame(settings, { host: 'standby' })
  await clock.advance(30_000)
  t.strictSame(settings, { host: 'primary' })
})

t.test('frozen, nothing is failed over or recovered, and thawed it is', async (t) => {
  const { clock, monitor, settings, lines } = scene(t)
  const db = monitor.register(new Scripted(clock))
  monitor.freeze()
  t.equal(monitor.frozen, true)
  db.up = false
  await monitor.monitor()
  await clock.advance(60_000)
  t.strictSame(settings, { host: 'primary' })
  t.match(await shown(db), { state: 'RED', detail: /; switching is frozen$/ })
  t.match(lines[0].message, /switching is frozen/)
  monitor.thaw()
  await clock.advance(30_000)
  t.strictSame(settings, { host: 'standby' })
  monitor.freeze()
  db.up = true
  await clock.advance(30_000)
  t.strictSame(settings, { host: 'standby' })
  t.match(await shown(db), { state: 'YELLOW', detail: 'up again, still failed over: switching is frozen' })
  monitor.thaw()
  await clock.advance(30_000)
  t.strictSame(settings, { host: 'primary' })
})

t.test('a service that is frozen while it is down, and comes back, has had an outage and no switch', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  monitor.freeze()
  db.up = false
  await monitor.monitor()
  db.up = true
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'OK', metrics: { outages: 1, failovers: 0, recoveries: 0 } })
})

t.test('a failover that throws is shown, logged and tried again at the next ping', async (t) => {
  const { clock, monitor, lines } = scene(t)
  let failing = true
  const calls: string[] = []
  const db = monitor.register(new Scripted(clock, {
    failover: () => { calls.push('failover'); if (failing) throw new Error('secret') },
    recover: () => { calls.push('recover'); if (failing) throw new Error('secret') }
  }))
  db.up = false
  await monitor.monitor()
  t.match(await shown(db), { state: 'RED', detail: /; failover failed: threw Error; it is tried again at the next ping$/, metrics: { failovers: 0 } })
  t.match(lines.at(-1), { level: 'error', about: { service: 'db', err: { message: 'secret' } }, message: /^failover of db failed/ })
  failing = false
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'YELLOW', metrics: { failovers: 1 } })
  failing = true
  db.up = true
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'YELLOW', detail: 'up again, still failed over: recover failed: threw Error; it is tried again at the next ping' })
  failing = false
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'OK' })
  t.strictSame(calls, ['failover', 'failover', 'recover', 'recover'])
})

t.test('a failover that takes too long is called off; nothing is switched before it has ended', async (t) => {
  const { clock, monitor, lines } = scene(t, { hookTimeout: second(2) })
  const ends: Array<(error?: Error) => void> = []
  let called = 0
  let aborted = 0
  const db = monitor.register(new Scripted(clock, {
    failover: ({ signal }) => {
      called++
      signal.addEventListener('abort', () => { aborted++ })
      return new Promise<void>((resolve, reject) => ends.push((error) => error === undefined ? resolve() : reject(error)))
    }
  }))
  db.up = false
  const run = monitor.monitor()
  await settled()
  t.match(await shown(db), { state: 'RED', detail: /; failover is running$/ })
  await clock.advance(2_000)
  await run
  t.equal(aborted, 1)
  t.match(await shown(db), { state: 'RED', detail: /; failover has not ended since 2030-01-01T00:00:00.000Z$/ })
  t.match(lines.at(-1), { level: 'error', message: /ran past its time; this service is not switched before/ })
  await clock.advance(60_000)
  t.equal(called, 1)
  db.up = true
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'YELLOW', detail: /^up again, not settled yet: failover has not ended/ })
  ends[0](new Error('x'))
  await settled()
  t.match(await shown(db), { state: 'OK', metrics: { failovers: 0 } })
  db.up = false
  await clock.advance(120_000)
  await shown(db)
  t.equal(called, 2)
  await clock.advance(5_000)
  ends[1]()
  await settled()
  t.match(await shown(db), { state: 'YELLOW', metrics: { failovers: 1 } })
})

t.test('a failover that ends when it is called off is no more than one that failed', async (t) => {
  const { clock, monitor, lines } = scene(t, { hookTimeout: second(2) })
  const db = monitor.register(new Scripted(clock, {
    failover: ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }))
  db.up = false
  const run = monitor.monitor()
  await clock.advance(2_000)
  await run
  t.match(await shown(db), { state: 'RED', detail: /failover failed: the call took longer than 2000 ms; it is tried again/ })
  t.match(lines.filter(({ level }) => level === 'error'), [{}])
})

t.test('switches of several services take turns, and a frozen monitor stops those that wait', async (t) => {
  const { clock, monitor } = scene(t)
  const running: string[] = []
  const ends: Array<() => void> = []
  const make = (name: string): Scripted => new Scripted(clock, {
    name, failover: () => new Promise<void>((resolve) => { running.push(name); ends.push(resolve) })
  })
  const [a, b] = [make('a'), make('b')]
  a.up = b.up = false
  for (const service of [a, b]) monitor.register(service)
  monitor.monitor()
  await settled()
  t.strictSame(running, ['a'])
  monitor.freeze()
  ends[0]()
  await settled()
  t.strictSame(running, ['a'])
  monitor.thaw()
  await clock.advance(30_000)
  t.strictSame(running, ['a', 'b'])
  ends[1]()
})

t.test('outagesOnly leaves services alone that are up', async (t) => {
  const { clock, monitor } = scene(t, often)
  const [up, down] = [new Scripted(clock, { name: 'up' }), new Scripted(clock, { name: 'down' })]
  for (const service of [up, down]) monitor.register(service)
  down.up = false
  await monitor.monitor({ outagesOnly: true })
  t.strictSame([up.pings.length, down.pings.length], [0, 0])
  await monitor.monitor()
  await monitor.monitor({ outagesOnly: true })
  t.strictSame([up.pings.length, down.pings.length], [1, 2])
})

t.test('outages and recoveries are told, and a listener that throws disturbs nobody', async (t) => {
  const { clock, monitor, lines } = scene(t)
  const db = monitor.register(new Scripted(clock))
  const told: unknown[] = []
  const listener = (event: unknown): void => { told.push(event) }
  monitor.on('outage', () => { throw new Error('x') }).on('outage', listener).on('recovery', listener)
  db.up = false
  await monitor.monitor()
  db.up = true
  await clock.advance(30_000)
  t.ok(told.every((event) => Object.isFrozen(event)), 'no listener changes what the next one hears')
  t.match(told, [{ name: 'db', error: { code: 'ECONNREFUSED' }, at: Date.UTC(2030, 0, 1) }, { name: 'db', duration: 30_000, at: Date.UTC(2030, 0, 1, 0, 0, 30) }])
  t.match(lines.find(({ message }) => message.includes('listener')), { level: 'error', about: { service: 'db' }, message: 'a listener to "outage" threw' })
  monitor.off('outage', listener).off('recovery', listener)
  db.up = false
  await clock.advance(120_000)
  await monitor.monitor()
  t.equal(told.length, 2)
})

t.test('services are registered by instance, by class and by decorator, each once', async (t) => {
  const { monitor } = scene(t)
  @monitor.register
  class Decorated extends Service {
    override ping (): void {}
  }
  class Search extends Service {
    override name = 'search'
    override host = '127.0.0.1'
    override port = 9
  }
  const one = new Service({ name: 'one', host: '127.0.0.1', port: 'smtp' })
  t.equal(monitor.register(Search), Search)
  t.equal(monitor.register(Search), Search)
  t.equal(monitor.register(Decorated), Decorated)
  t.equal(monitor.register(one), one)
  t.equal(monitor.register(one), one)
  t.strictSame(monitor.services.map(({ name }) => name), ['Decorated', 'search', 'one'])
})

t.test('every service is a handler of the registries, until the monitor is closed', async (t) => {
  const registry = new StatusRegistry()
  const another = new StatusRegistry()
  const { clock, monitor } = scene(t, { registry })
  const db = monitor.register(new Scripted(clock))
  monitor.showIn(another)
  monitor.showIn(another)
  monitor.register(new Scripted(clock, { name: 'later' }))
  t.match((await registry.snapshot()).entries, [{ name: 'db', status: { state: 'OK' } }, { name: 'later', status: { state: 'OK' } }])
  t.ok(another.has('db') && another.has('later'))
  another.addStatusHandler('db', () => true, { replace: true })
  another.addStatusHandler('full', () => true)
  t.throws(() => monitor.register(new Scripted(clock, { name: 'full' })), { code: 'ERR_DUPLICATE_HANDLER' })
  t.notOk(registry.has('full'))
  const third = new StatusRegistry()
  third.addStatusHandler('later', () => true)
  t.throws(() => monitor.showIn(third), { code: 'ERR_DUPLICATE_HANDLER' })
  t.notOk(third.has('db'))
  await monitor.close()
  t.strictSame([registry.has('db'), another.has('db'), another.has('later'), third.has('later')], [false, true, false, true])
  t.match(await shown(db), { state: 'OK' })
})

t.test('closed, it begins nothing, says what it knows, and leaves no timer', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  const watched = db.getStatus(context)
  await watched
  db.up = false
  await monitor.monitor({ error: 1 })
  t.equal(clock.waiting, 1)
  await monitor.close()
  await monitor.close()
  t.equal(clock.waiting, 0)
  await monitor.monitor({ error: 1 })
  await clock.advance(200_000)
  t.strictSame(db.pings, [0])
  t.throws(() => monitor.register(db), { code: 'ERR_MONITOR_CLOSED' })
})

t.test('close calls off what runs, and waits for it', async (t) => {
  const { clock, monitor, lines } = scene(t)
  let aborted = 0
  const until = (signal: AbortSignal): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => { aborted++; resolve() }))
  monitor.register(new Service({ name: 'ping', ping: ({ signal }) => until(signal) }))
  monitor.register(new Service({ name: 'standby', ping: () => false, standby: ({ signal }) => until(signal) }))
  monitor.register(new Service({ name: 'failover', ping: () => false, failover: ({ signal }) => until(signal) }))
  monitor.register(new Service({ name: 'waiting', ping: () => false, failover: () => { t.fail('it is closed') } }))
  const run = monitor.monitor()
  await settled()
  monitor.monitor({ error: 1 })
  await monitor.close()
  await run
  t.equal(aborted, 3)
  t.equal(clock.waiting, 0)
  t.strictSame(lines.filter(({ level, about }) => level === 'fatal' && /ping|standby/.test(String(about.service))), [], 'it has found out nothing')
})

t.test('what was failed over when its monitor was closed is recovered by the next one', async (t) => {
  const { clock, monitor, settings } = scene(t)
  const db = monitor.register(new Scripted(clock))
  db.up = false
  await monitor.monitor()
  await monitor.close()
  t.strictSame(settings, { host: 'standby' })
  const next = new ServiceMonitor({ settings, clock })
  next.register(db)
  t.match(await shown(db), { state: 'YELLOW', detail: /; failed over$/ })
  t.match(next.outages, [{ name: 'db', failedOver: true }])
  t.strictSame(db.pings, [0, 0], 'it is asked at once')
  db.up = true
  await clock.advance(30_000)
  t.match(await shown(db), { state: 'OK', metrics: { outages: 1, failovers: 1, recoveries: 1 } })
  t.strictSame(settings, { host: 'primary' })
  await next.close()
  const third = new ServiceMonitor({ settings, clock })
  third.register(db)
  t.match(await shown(db), { state: 'OK', metrics: { outages: 0 } }, 'what was recovered is as new')
  await third.close()
})

t.test('a recover that hung when its monitor was closed is called again by the next one', async (t) => {
  const { clock, monitor } = scene(t, { ...often, hookTimeout: 500 })
  let recovered = 0
  const db = monitor.register(new Scripted(clock, { recover: () => ++recovered === 1 ? new Promise(() => {}) : undefined }))
  db.up = false
  await monitor.monitor()
  db.up = true
  monitor.monitor()
  await settled()
  const closing = monitor.close()
  await clock.advance(500)
  await closing
  const next = new ServiceMonitor({ clock, ...often })
  next.register(db)
  await next.monitor()
  t.strictSame([recovered, next.outages], [2, []])
  await next.close()
})

t.test('a class that was failed over when its monitor was closed is recovered by the next one', async (t) => {
  const { clock, monitor, settings } = scene(t, often)
  let up = false
  class Db extends Service {
    override failoverSettings = { host: 'standby' }
    override ping (): boolean { return up }
  }
  monitor.register(Db)
  await monitor.monitor()
  const beside = new ServiceMonitor({ clock })
  beside.register(Db)
  t.strictSame([settings, beside.outages], [{ host: 'standby' }, []], 'two monitors at a time have an instance each')
  await beside.close()
  await monitor.close()
  up = true
  const next = new ServiceMonitor({ settings, clock, ...often })
  next.register(Db)
  await next.monitor()
  t.strictSame([settings, next.outages], [{ host: 'primary' }, []])
  await next.close()
  const third = new ServiceMonitor({ clock })
  third.register(Db)
  t.not(third.services[0], next.services[0])
  await third.close()
})

t.test('what was failed over is recovered by the next monitor also where a ping hung when the first one was closed', async (t) => {
  const { clock, monitor, settings } = scene(t, { ...often, hookTimeout: 500 })
  const { ping, end } = held()
  const db = monitor.register(new Service({ name: 'db', timeout: 100, failoverSettings: { host: 'standby' }, ping }))
  monitor.monitor()
  await settled()
  end[0](new Error('down'))
  await settled()
  t.strictSame(settings, { host: 'standby' })
  monitor.monitor()
  await settled()
  const closing = monitor.close()
  await clock.advance(500)
  await closing
  const next = new ServiceMonitor({ settings, clock, ...often })
  next.register(db)
  t.match(next.outages, [{ name: 'db', failedOver: true }])
  const asked = next.monitor()
  await settled()
  end[2]()
  await asked
  t.strictSame([settings, next.outages], [{ host: 'primary' }, []])
  await next.close()
  end[1]()
  await settled()
  const third = new ServiceMonitor({ settings, clock, ...often })
  third.register(db)
  t.strictSame(third.outages, [], 'what ends too late changes nothing')
  await third.close()
})

t.test('a ping that would begin when the monitor is closed does not begin', async (t) => {
  const { clock, monitor } = scene(t, often)
  const db = monitor.register(new Scripted(clock))
  const run = monitor.monitor()
  const end = monitor.close()
  await Promise.all([run, end])
  t.strictSame(db.pings, [])
})

t.test('a trigger that waits for another one is called off by close, too', async (t) => {
  const { monitor } = scene(t, often)
  const { ping, begun, end } = held()
  monitor.register(new Service({ name: 'db', ping }))
  monitor.monitor()
  await settled()
  const second = monitor.monitor({ error: 1 })
  const closing = monitor.close()
  end[0]()
  await Promise.all([second, closing])
  t.equal(begun.length, 1)
})

t.test('close takes no longer than hookTimeout, and says what did not end or failed', async (t) => {
  for (const [close, message] of [
    [() => new Promise(() => {}), /have not ended in time/],
    [() => { throw new Error('x') }, /could not be closed/]
  ] as const) {
    const { clock, monitor, lines } = scene(t, { hookTimeout: 500 })
    class Closing extends Scripted {
      override close = close
    }
    monitor.register(new Closing(clock))
    const closing = monitor.close()
    await clock.advance(500)
    await closing
    t.match(lines.at(-1), { level: 'error', message })
  }
})

t.test('a ping that ignores its signal does not keep its service from closing what it holds', async (t) => {
  const { clock, monitor } = scene(t, { hookTimeout: 500 })
  let closed = 0
  class Holding extends Service {
    override ping (): Promise<never> { return new Promise(() => {}) }
    override close (): void { closed++ }
  }
  monitor.register(Holding)
  const run = monitor.monitor()
  await settled()
  const closing = monitor.close()
  await run
  t.pass('who waits for the ping is let go at once')
  await clock.advance(500)
  await closing
  t.equal(closed, 1)
})

t.test('a service that cannot say more, says no more', async (t) => {
  const { clock, monitor } = scene(t)
  class Broken extends Scripted {
    override details (): object { throw new Error('x') }
  }
  t.match(await shown(monitor.register(new Broken(clock))), { state: 'OK' })
})

t.test('a log that throws stops nothing', async (t) => {
  const tried: unknown[] = []
  const broken = (...line: unknown[]): void => { tried.push(line.length); throw new Error('x') }
  const { clock, monitor, settings } = scene(t, { logger: { info: broken, warn: broken, error: broken, fatal: broken } })
  const db = monitor.register(new Scripted(clock))
  db.up = false
  await monitor.monitor()
  t.strictSame(settings, { host: 'standby' })
  t.strictSame(tried.slice(0, 2), [2, 1])
})

t.test('the logger can be given later', async (t) => {
  const monitor = new ServiceMonitor()
  t.equal(monitor.logger, undefined)
  const { logger, lines } = recorder()
  monitor.logger = logger
  t.equal(monitor.logger, logger)
  monitor.register(new Service({ name: 'x', ping: () => false }))
  await monitor.monitor()
  t.equal(lines.length, 1)
  monitor.logger = undefined
  t.equal(monitor.logger, undefined)
  await monitor.close()
})

t.test('no timer keeps the process alive, and none is left', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const monitor = new ServiceMonitor()
  monitor.register(new Service({ name: 'x', ping: () => false }))
  await monitor.monitor()
  t.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before)
  await monitor.close()
})

t.test('wrong options of a monitor are refused', async (t) => {
  const wrong: Array<[object, string]> = [
    [{ setings: {} }, 'ERR_UNKNOWN_OPTION'],
    [{ settings: 5 }, 'ERR_INVALID_OPTION'],
    [{ logger: console.log }, 'ERR_INVALID_OPTION'],
    [{ logger: { info () {}, warn () {}, error () {} } }, 'ERR_INVALID_OPTION'],
    [{ outageLoggingFrequency: -1 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ monitoringPingFrequency: '5s' }, 'ERR_INVALID_OPTION'],
    [{ outagePingFrequency: -1 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ errorPingFrequency: Infinity }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ recoverAfter: 0 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ recoverAfter: 1.5 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ recoverAfter: 'soon' }, 'ERR_INVALID_OPTION'],
    [{ hookTimeout: 0 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ registry: 'x' }, 'ERR_INVALID_OPTION'],
    [{ clock: 5 }, 'ERR_INVALID_OPTION']
  ]
  for (const [options, code] of wrong) t.throws(() => new ServiceMonitor(options as ServiceMonitorOptions), { code }, JSON.stringify(options))
  const monitor = new ServiceMonitor({ recoverAfter: 3 })
  t.throws(() => monitor.monitor({ outagesOnly: 1 } as never), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => monitor.monitor({ only: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' })
  t.throws(() => monitor.on('outages' as never, () => {}), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => monitor.off('outage', 5 as never), { code: 'ERR_INVALID_OPTION' })
})

t.test('wrong services are refused, and say what is wrong', async (t) => {
  const monitor = new ServiceMonitor()
  const ping = (): void => {}
  const wrong: Array<[ServiceOptions, string, RegExp]> = [
    [{ name: '', ping }, 'ERR_INVALID_NAME', /name/],
    [{ name: 'x' }, 'ERR_INVALID_OPTION', /"host" of the service "x"/],
    [{ name: 'x', host: 'db' }, 'ERR_INVALID_OPTION', /"port" of the service "x"/],
    [{ name: 'x', host: 'a b', port: 1 }, 'ERR_INVALID_OPTION', /"host"/],
    [{ name: 'x', host: 'db', port: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"port"/],
    [{ name: 'x', ping, timeout: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"timeout" of the service "x"/],
    [{ name: 'x', ping, failoverSettings: 5 as never }, 'ERR_INVALID_OPTION', /"failoverSettings"/],
    [{ name: 'x', ping: 5 as never }, 'ERR_INVALID_OPTION', /"ping"/],
    [{ name: 'x', ping, recover: 5 as never }, 'ERR_INVALID_OPTION', /"recover"/],
    [{ name: 'x', ping, standby: 'db' as never }, 'ERR_INVALID_OPTION', /"standby"/],
    [{ name: 'x', ping, recoverAfter: second(-0) as never, errorPingFrequency: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /"errorPingFrequency" of the service "x"/]
  ]
  class Unset extends Service {
    override name = 'x'
    override ping = ping
    override failoverSettings = undefined as never
  }
  t.throws(() => new ServiceMonitor().register(Unset), { code: 'ERR_INVALID_OPTION', message: '"failoverSettings" of the service "x" must be an object, not undefined' })
  for (const [options, code, message] of wrong) t.throws(() => monitor.register(new Service(options)), { code, message })
  t.throws(() => new Service({ hots: 'db' } as never), { code: 'ERR_UNKNOWN_OPTION' })
  for (const none of [5, undefined, {}, class {}, () => {}]) t.throws(() => monitor.register(none as never), { code: 'ERR_INVALID_SERVICE' })
  const service = monitor.register(new Service({ name: 'x', ping }))
  t.throws(() => monitor.register(new Service({ name: 'x', ping })), { code: 'ERR_DUPLICATE_SERVICE' })
  t.throws(() => new ServiceMonitor().register(service), { code: 'ERR_DUPLICATE_SERVICE' })
  t.strictSame(monitor.services, [service])
  await monitor.close()
  const clock = new FakeTime()
  t.equal(new ServiceMonitor({ clock }).register(service), service, 'a closed monitor lets its services go')
})
