import { EventEmitter } from 'node:events'
import t from 'tap'
import { Connections, DatabaseService, MySQLService, ServiceMonitor } from '../../../lib/failover/index.js'
import { settled } from '../../policies/support/fake-time.js'
import { scene, shown } from '../support/monitor.js'

// The drivers themselves, and real servers, are in test/system/failover-*.test.ts.

/** What a pool has done with a connection. */
type Log = string[]

interface Fake { pool: object, log: Log, behave: { connect: () => Promise<void>, query: () => Promise<void> } }

function fake (make: (log: Log, behave: Fake['behave']) => object): Fake {
  const log: Log = []
  const behave = { connect: async () => {}, query: async () => {} }
  return { log, behave, pool: make(log, behave) }
}

const pg = (): Fake => fake((log, behave) => ({
  async connect () {
    log.push('connect')
    await behave.connect()
    const client = new EventEmitter()
    return Object.assign(client, {
      async query (sql: string) {
        log.push(sql)
        // As the driver does beside the query that fails: an error that nobody hears ends the process.
        await behave.query().catch((error) => { client.emit('error', error); throw error })
      },
      release (broken: boolean) { log.push(broken ? 'destroy' : 'release', `${client.listenerCount('error')} listeners`) }
    })
  }
}))

const mysqlPromise = (): Fake => fake((log, behave) => ({
  async getConnection () {
    log.push('connect')
    await behave.connect()
    return {
      async query (sql: string) { log.push(sql); await behave.query() },
      async ping () { log.push('ping'); await behave.query() },
      release () { log.push('release') },
      destroy () { log.push('destroy') }
    }
  }
}))

function mysqlCallback (): Fake {
  const inner = mysqlPromise()
  return { ...inner, pool: { getConnection () { throw new Error('the one with callbacks') }, promise: () => inner.pool } }
}

const drivers = { pg, mysqlPromise, mysqlCallback }

for (const [name, make] of Object.entries(drivers)) {
  t.test(`a pool of ${name} is pinged on a connection of its own, which goes back`, async (t) => {
    const { monitor } = scene(t)
    const [own, other] = [make(), make()]
    const service = monitor.register(new DatabaseService({ connections: new Connections({ default: other.pool, replica: own.pool }) }))
    await monitor.monitor()
    t.match(await shown(service), { state: 'OK' })
    t.equal(service.name, 'database_replica')
    t.strictSame(own.log.slice(0, 3), ['connect', 'SELECT 1', 'release'])
    t.strictSame(other.log, [])
  })

  t.test(`while ${name} is down its alias leads to the other pool, which is pinged before`, async (t) => {
    const { clock, monitor } = scene(t)
    const [own, other] = [make(), make()]
    const connections = new Connections({ default: other.pool, replica: own.pool })
    monitor.register(new DatabaseService({ connections, outagePingFrequency: 1_000 }))
    own.behave.query = async () => { throw new Error('x') }
    other.behave.connect = async () => { throw new Error('x') }
    await monitor.monitor()
    t.equal(connections.get('replica'), own.pool)
    t.equal(own.log[2], 'destroy')
    if (name === 'pg') t.equal(own.log[3], '1 listeners', 'somebody hears the error of a client that is taken')
    other.behave.connect = async () => {}
    await clock.advance(1_000)
    t.equal(connections.get('replica'), other.pool)
    t.equal(other.log[2], 'SELECT 1')
    own.behave.query = async () => {}
    await clock.advance(1_000)
    t.equal(connections.get('replica'), own.pool)
  })

  t.test(`a query on ${name} that hangs is given up with its connection`, async (t) => {
    const { clock, monitor } = scene(t)
    const { pool, log, behave } = make()
    let end = (): void => {}
    behave.query = () => new Promise<void>((resolve) => { end = resolve })
    monitor.register(new DatabaseService({ connections: new Connections({ default: pg().pool, replica: pool }), timeout: 1_000 }))
    const run = monitor.monitor()
    await clock.advance(1_000)
    await run
    t.equal(log[2], 'destroy')
    end()
    await settled()
    t.equal(log.filter((line) => line === 'destroy' || line === 'release').length, 1, 'it goes back once')
  })
}

t.test('MySQLService asks with the ping of the protocol, and with a query where the driver has none', async (t) => {
  const { monitor } = scene(t)
  const [own, other] = [mysqlPromise(), pg()]
  monitor.register(new MySQLService({ connections: new Connections({ default: other.pool, replica: own.pool }) }))
  own.behave.query = async () => { throw new Error('x') }
  await monitor.monitor()
  t.strictSame(own.log, ['connect', 'ping', 'destroy'])
  t.strictSame(other.log, ['connect', 'SELECT 1', 'release', '0 listeners'])
})

t.test('a pool that has no connection to give counts as down, and one question waits there at most', async (t) => {
  const { clock, monitor } = scene(t)
  const { pool, log, behave } = pg()
  let give = (): void => {}
  behave.connect = () => new Promise<void>((resolve) => { give = resolve })
  const service = monitor.register(new DatabaseService({ connections: new Connections({ default: pg().pool, replica: pool }) }))
  const run = monitor.monitor()
  await clock.advance(2_000)
  await run
  t.match(await shown(service), { state: 'YELLOW', detail: /: a connection took longer than 2000 ms; failed over$/ })
  await clock.advance(30_000)
  t.match(await shown(service), { detail: /: a connection that was asked for before took longer than/ })
  t.strictSame(log, ['connect'])
  give()
  await settled()
  t.strictSame(log.slice(0, 2), ['connect', 'release'])
  behave.connect = async () => { throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }) }
  await clock.advance(30_000)
  t.match(await shown(service), { detail: /: threw Error ECONNREFUSED; failed over$/ })
})

t.test('a pool that fails after nobody waits for it any more disturbs nobody', async (t) => {
  const { clock, monitor } = scene(t)
  const { pool, behave } = pg()
  let refuse = (_error: Error): void => {}
  behave.connect = () => new Promise<void>((_resolve, reject) => { refuse = reject })
  monitor.register(new DatabaseService({ connections: new Connections({ default: pg().pool, replica: pool }) }))
  const run = monitor.monitor()
  await clock.advance(2_000)
  await run
  refuse(new Error('x'))
  await settled()
  t.equal(monitor.outages.length, 1)
})

t.test('a connection that comes when the ping was called off goes back', async (t) => {
  const { clock, monitor } = scene(t)
  const { pool, log, behave } = pg()
  let give = (): void => {}
  behave.connect = () => new Promise<void>((resolve) => { give = resolve })
  monitor.register(new DatabaseService({ connections: new Connections({ default: pg().pool, replica: pool }), timeout: 500 }))
  const run = monitor.monitor()
  await clock.advance(500)
  await run
  give()
  await settled()
  t.strictSame(log.slice(0, 2), ['connect', 'release'])
})

t.test('pools of another kind are pinged by a ping of one\'s own, the standby too', async (t) => {
  const { monitor } = scene(t)
  const pools = { main: { up: true }, reports: { up: false } }
  const connections = new Connections(pools)
  const asked: object[] = []
  const service = monitor.register(new DatabaseService({
    connections,
    alias: 'reports',
    failoverAlias: 'main',
    name: 'reports',
    ping: (pool) => { asked.push(pool); return pool.up }
  }))
  await monitor.monitor()
  t.strictSame(asked, [pools.reports, pools.main])
  t.equal(connections.get('reports'), pools.main)
  t.match(await shown(service), { state: 'YELLOW', detail: /: it said so itself; failed over$/ })
})

t.test('wrong options are refused', async (t) => {
  const connections = new Connections({ default: pg().pool, replica: pg().pool, other: {} })
  const wrong: Array<[object | undefined, string]> = [
    [undefined, 'ERR_INVALID_OPTION'],
    [{ connections: {} }, 'ERR_INVALID_OPTION'],
    [{ connections, alias: 'slave' }, 'ERR_UNKNOWN_ALIAS'],
    [{ connections, alias: 'default' }, 'ERR_INVALID_OPTION'],
    [{ connections, failoverAlias: 'master' }, 'ERR_UNKNOWN_ALIAS'],
    [{ connections, failoverAlias: 'other' }, 'ERR_INVALID_OPTION'],
    [{ connections, connectTimeout: 0 }, 'ERR_OPTION_OUT_OF_RANGE'],
    [{ connections, ping: 5 }, 'ERR_INVALID_OPTION'],
    [{ connections, host: 'x' }, 'ERR_UNKNOWN_OPTION']
  ]
  for (const [options, code] of wrong) t.throws(() => new DatabaseService(options as never), { code }, JSON.stringify(options))
  t.ok(new ServiceMonitor())
})
