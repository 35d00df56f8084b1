import t from 'tap'
import { Connections, DatabaseService, failoverLogMethod, JobQueueService, ServiceMonitor, type JobQueue } from '../../lib/failover/index.js'
import { scene, Scripted, type Scene } from './support/monitor.js'
import { settled } from '../policies/support/fake-time.js'

// The story that django-failover's own tests tell, by what is public here.

const often = { monitoringPingFrequency: 0, outagePingFrequency: 0, errorPingFrequency: 0 }

function database (monitor: ServiceMonitor, frequencies = often): { up: boolean, pings: number, connections: Connections<{ default: { marker: string }, replica: { marker: string } }> } {
  const connections = new Connections({ default: { marker: 'default' }, replica: { marker: 'replica' } })
  const story = { up: true, pings: 0, connections }
  monitor.register(new DatabaseService({
    connections,
    ...frequencies,
    ping (pool) {
      if (pool !== connections.pool('replica')) return
      story.pings++
      if (!story.up) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    }
  }))
  return story
}

t.test('an alias fails over while its database is down, and comes back with it', async (t) => {
  const { monitor } = scene(t)
  const story = database(monitor)
  t.equal(story.connections.get('replica').marker, 'replica')
  story.up = false
  await monitor.monitor()
  t.equal(story.connections.get('replica').marker, 'default')
  story.up = true
  await monitor.monitor()
  t.equal(story.connections.get('replica').marker, 'replica')
})

t.test('jobs are eager while the broker is down', async (t) => {
  const { monitor } = scene(t)
  const ran: unknown[] = []
  const queued: unknown[] = []
  const queue: JobQueue = { add: async (_name, data) => { queued.push(data) } }
  class Jobs extends JobQueueService {
    up = true
    override async ping (): Promise<void> { if (!this.up) throw new Error('down') }
  }
  const jobs = new Jobs({ queue, process: ({ data }) => { ran.push(data) }, ...often })
  monitor.register(jobs)
  t.match(await jobs.add('a', 1), { where: 'queue' })
  jobs.up = false
  await monitor.monitor()
  t.equal(jobs.inline, true)
  t.match(await jobs.add('a', 2), { where: 'inline' })
  jobs.up = true
  await monitor.monitor()
  t.equal(jobs.inline, false)
  t.match(await jobs.add('a', 3), { where: 'queue' })
  t.strictSame([ran, queued], [[2], [1, 3]])
})

/** A log line as pino writes it through the hook. */
function log (monitor: ServiceMonitor, ...args: unknown[]): void {
  failoverLogMethod(monitor)(args, () => {}, 50)
}

t.test('a logged exception of an outage triggers the failover', async (t) => {
  const { monitor } = scene(t)
  const story = database(monitor)
  story.up = false
  log(monitor, Object.assign(new Error('x'), { code: 'ECONNRESET' }))
  await settled()
  t.equal(story.connections.get('replica').marker, 'default')
  story.up = true
  await monitor.monitor()
  t.equal(story.connections.get('replica').marker, 'replica')
})

t.test('an irrelevant exception triggers nothing', async (t) => {
  const { monitor } = scene(t)
  const story = database(monitor)
  log(monitor, new TypeError('x'))
  await settled()
  t.equal(story.pings, 0)
})

async function three (monitor: Scene['monitor'], error?: unknown): Promise<void> {
  for (let time = 0; time < 3; time++) await monitor.monitor({ error })
}

t.test('a service that is up is pinged as often as the monitoring frequency says', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock, { ...often, monitoringPingFrequency: 1_000 }))
  await three(monitor)
  t.strictSame(db.pings, [0])
  await clock.advance(1_000)
  await monitor.monitor()
  t.strictSame(db.pings, [0, 1_000])
})

t.test('a service that is down is pinged as often as the outage frequency says', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock, { monitoringPingFrequency: 3_000, outagePingFrequency: 0 }))
  db.up = false
  await three(monitor)
  t.equal(db.pings.length, 3)
})

t.test('a service is pinged as often as the error frequency says where an error asks', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock, { monitoringPingFrequency: 3_000, outagePingFrequency: 3_000, errorPingFrequency: 0 }))
  db.up = false
  await three(monitor, new Error('x'))
  t.equal(db.pings.length, 3)
})

t.test('the frequencies are 120, 30 and 5 seconds unless service or monitor say otherwise', async (t) => {
  const { clock, monitor } = scene(t)
  const db = monitor.register(new Scripted(clock))
  await monitor.monitor()
  await monitor.monitor()
  await clock.advance(119_999)
  t.strictSame(db.pings, [0])
  await clock.advance(1)
  t.strictSame(db.pings, [0, 120_000])
  await monitor.monitor({ error: 'x' })
  await clock.advance(4_999)
  t.equal(db.pings.length, 2)
  db.up = false
  await clock.advance(1)
  t.strictSame(db.pings.slice(2), [125_000])
  await clock.advance(60_000)
  t.strictSame(db.pings.slice(3), [155_000, 185_000])
})

t.test('an outage is logged at fatal when it is found, again after the frequency, and its end at info', async (t) => {
  const { clock, monitor, lines } = scene(t, { outageLoggingFrequency: 1_000 })
  const db = monitor.register(new Scripted(clock, often))
  db.up = false
  await three(monitor)
  const fatal = (): typeof lines => lines.filter(({ level }) => level === 'fatal')
  t.match(fatal(), [{ about: { service: 'db', err: { code: 'ECONNREFUSED' } }, message: 'db outage: failover initiated' }])
  t.equal(fatal().length, 1)
  await clock.advance(1_000)
  t.match(fatal()[1].message, /^db outage goes on: down since 2030-01-01T00:00:00\.000Z: threw Error ECONNREFUSED; failed over$/)
  t.equal(fatal().length, 2)
  db.up = true
  await clock.advance(1_000)
  t.match(lines.at(-1), { level: 'info', about: { service: 'db', outage: 2_000 }, message: 'db is back up: recovery complete' })
})
