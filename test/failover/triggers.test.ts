import { EventEmitter } from 'node:events'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { failoverLogMethod, failoverPlugin, monitored, recoverFromOutages, Service, ServiceMonitor, type FailoverPluginOptions, type OutageErrorOptions } from '../../lib/failover/index.js'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { settled } from '../policies/support/fake-time.js'
import { logLines } from '../support/app.js'

/** A service that is asked at every trigger, and counts. */
function counting (options: { up?: boolean, frequency?: number } = {}): { service: Service, asked: number, up: boolean } {
  const { up = true, frequency = 0 } = options
  const counter = {
    up,
    asked: 0,
    service: new Service({
      name: 'db',
      failoverSettings: { x: 1 },
      monitoringPingFrequency: frequency,
      outagePingFrequency: 0,
      errorPingFrequency: 0,
      ping () { counter.asked++; if (!counter.up) throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }) }
    })
  }
  return counter
}

async function appWith (t: Test, options: FailoverPluginOptions, server = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(async () => await app.close())
  await app.register(failoverPlugin, options)
  app.get('/', async () => 'hello')
  app.get('/live/:id', async () => 'hello')
  app.get('/throws/:code', async (request) => { throw Object.assign(new Error('x'), { code: (request.params as { code: string }).code }) })
  return app
}

t.test('a request triggers monitoring, and does not wait for it', async (t) => {
  let end = (): void => {}
  const service = new Service({ name: 'slow', ping: () => new Promise<void>((resolve) => { end = resolve }) })
  const app = await appWith(t, { services: [service] })
  t.equal((await app.inject('/')).body, 'hello')
  t.equal((await app.inject('/')).body, 'hello')
  t.equal(app.serviceMonitor.services[0], service)
  end()
})

t.test('with wait, a request is held until a due ping and what follows from it is done', async (t) => {
  const order: string[] = []
  const service = new Service({
    name: 'db',
    ping: async () => { await settled(); order.push('ping'); return false },
    failover: async () => { await settled(); order.push('failover') }
  })
  const app = await appWith(t, { services: [service], wait: true })
  app.get('/ordered', async () => { order.push('request'); return '' })
  await Promise.all([app.inject('/ordered'), app.inject('/ordered')])
  t.strictSame(order, ['ping', 'failover', 'request', 'request'])
  await app.inject('/ordered')
  t.equal(order.length, 5, 'nothing is due')
})

t.test('with wait, every request that comes during a due ping is held, not only the first', async (t) => {
  let end = (): void => {}
  const service = new Service({ name: 'db', ping: () => new Promise<void>((resolve) => { end = resolve }) })
  const app = await appWith(t, { services: [service], wait: true })
  let answered = 0
  const requests: Array<Promise<unknown>> = []
  for (let time = 0; time < 4; time++) {
    requests.push(app.inject('/').then(() => { answered++ }))
    for (let turn = 0; turn < 20; turn++) await settled()
  }
  t.equal(answered, 0)
  end()
  await Promise.all(requests)
})

t.test('a service that is registered when requests have come already is triggered by the next', async (t) => {
  const app = await appWith(t, {})
  await app.inject('/')
  const counter = counting()
  app.serviceMonitor.register(counter.service)
  await app.inject('/')
  await settled()
  t.equal(counter.asked, 1)
})

t.test('with wait, what asks for the status itself is not held', async (t) => {
  for (const statusFirst of [true, false]) {
    const order: string[] = []
    let end = (): void => {}
    const service = new Service({ name: 'slow', ping: () => new Promise<void>((resolve) => { end = resolve }) })
    const app = Fastify()
    t.teardown(async () => await app.close())
    const status = async (): Promise<void> => { await app.register(statusPlugin, { registry: new StatusRegistry(), probeStatus: { auth: () => true } }) }
    if (statusFirst) await status()
    await app.register(failoverPlugin, { services: [service], wait: true })
    if (!statusFirst) await status()
    const asked = ([['GET', '/live_status'], ['GET', '/probe_status'], ['POST', '/probe_status?body=OFF'], ['GET', '/nowhere']] as const)
      .map(async ([method, url]) => { order.push(`${method} ${url} ${(await app.inject({ method, url })).statusCode}`) })
    for (let turn = 0; turn < 100; turn++) await settled()
    order.push('ping')
    end()
    await Promise.all(asked)
    t.strictSame([order.slice(0, 3).sort(), order.slice(3)], [['GET /live_status 200', 'GET /probe_status 200', 'POST /probe_status?body=OFF 200'], ['ping', 'GET /nowhere 404']])
  }
})

t.test('routes that are excluded trigger nothing, not even by an error', async (t) => {
  const counter = counting()
  const app = await appWith(t, { services: [counter.service], excludeRoutes: ['/live/:id', '/throws/:code'] })
  await app.inject('/live/5')
  await app.inject('/throws/ECONNRESET')
  await settled()
  t.equal(counter.asked, 0)
  await app.inject('/')
  await app.inject('/nowhere')
  await settled()
  t.equal(counter.asked, 2)
})

t.test('an error of an outage that a handler throws triggers monitoring, another error does not', async (t) => {
  const counter = counting({ frequency: 60_000 })
  const app = await appWith(t, { services: [counter.service] })
  await app.inject('/')
  await app.inject('/throws/EPERM')
  await settled()
  t.equal(counter.asked, 1)
  await app.inject('/throws/ECONNRESET')
  await settled()
  t.equal(counter.asked, 2)
})

t.test('services are shown in the status of the app; the monitor of the plugin ends with the app and logs to its log', async (t) => {
  const registry = new StatusRegistry()
  const { lines, stream } = logLines()
  const app = Fastify({ logger: { level: 'info', stream } })
  await app.register(statusPlugin, { registry })
  const counter = counting({ up: false })
  await app.register(failoverPlugin, { services: [counter.service] })
  t.equal((await app.inject('/svc_status/db')).statusCode, 503, 'a reader waits for the ping, not for the switch')
  await settled()
  t.equal((await app.inject('/svc_status/db')).statusCode, 200)
  t.match((await app.inject('/svc_status.json')).json(), { db: { state: 'YELLOW', detail: /failed over/ } })
  t.match((await app.inject('/svc_status.prometheus')).body, /svc_status_metric\{name="db",metric="failovers"\} 1\n/)
  t.match(lines.find(({ level }) => level === 60), { service: 'db', err: { code: 'ECONNREFUSED' }, msg: 'db outage: failover initiated' })
  const { serviceMonitor } = app
  await app.close()
  t.notOk(registry.has('db'))
  t.throws(() => serviceMonitor.register(counter.service), { code: 'ERR_MONITOR_CLOSED' })
})

t.test('a monitor that was given is lent the log, and outlives the app', async (t) => {
  const monitor = new ServiceMonitor()
  const app = await appWith(t, { monitor })
  t.equal(monitor.logger, app.log)
  const logger = monitor.logger
  await app.register(failoverPlugin, { monitor })
  await app.close()
  t.equal(monitor.logger, logger)
  t.ok(monitor.register(counting().service))
  await monitor.close()
})

t.test('a monitor that has a log keeps it', async (t) => {
  const ignore = (): void => {}
  const logger = { info: ignore, warn: ignore, error: ignore, fatal: ignore }
  const monitor = new ServiceMonitor({ logger })
  await appWith(t, { monitor })
  t.equal(monitor.logger, logger)
})

t.test('wrong options reject the registration', async (t) => {
  const wrong: Array<[object, string]> = [
    [{ servces: [] }, 'ERR_UNKNOWN_OPTION'],
    [{ services: 5 }, 'ERR_INVALID_OPTION'],
    [{ services: [5] }, 'ERR_INVALID_SERVICE'],
    [{ monitor: {} }, 'ERR_INVALID_OPTION'],
    [{ wait: 'yes' }, 'ERR_INVALID_OPTION'],
    [{ excludeRoutes: '/' }, 'ERR_INVALID_OPTION'],
    [{ errorClasses: ['Error'] }, 'ERR_INVALID_OPTION'],
    [{ errorCodes: [5] }, 'ERR_INVALID_OPTION']
  ]
  for (const [options, code] of wrong) await t.rejects(async () => await Fastify().register(failoverPlugin, options), { code })
})

/** A real pino by way of Fastify. */
async function logging (t: Test, options?: OutageErrorOptions): Promise<{ log: FastifyInstance['log'], counter: ReturnType<typeof counting>, lines: unknown[] }> {
  const monitor = new ServiceMonitor()
  const { lines, stream } = logLines()
  const app = Fastify({ logger: { level: 'debug', stream, hooks: { logMethod: failoverLogMethod(monitor, options) } } })
  const counter = counting()
  monitor.register(counter.service)
  monitor.logger = app.log
  t.teardown(async () => await Promise.all([app.close(), monitor.close()]))
  return { log: app.log, counter, lines }
}

const refused = (): Error => Object.assign(new Error('x'), { code: 'ECONNREFUSED' })

t.test('what is logged with an error of an outage triggers monitoring, in whatever form it is logged', async (t) => {
  const { log, counter, lines } = await logging(t)
  const triggers: Array<() => void> = [
    () => log.error(refused()),
    () => log.error({ err: refused() }, 'a query failed'),
    () => log.error({ error: refused() }),
    () => log.fatal({ err: refused() }),
    () => log.error(new Error('outer', { cause: new Error('middle', { cause: refused() }) })),
    () => log.error(new AggregateError([new Error('y'), refused()])),
    () => log.error('it failed: %s', refused() as never)
  ]
  for (const [index, trigger] of triggers.entries()) {
    trigger()
    await settled()
    t.equal(counter.asked, index + 1, String(trigger))
  }
  t.equal(lines.length, triggers.length)
})

t.test('what a service says in the log that it was given triggers nothing, and is written', async (t) => {
  const monitor = new ServiceMonitor()
  const { lines, stream } = logLines()
  const app = Fastify({ logger: { level: 'debug', stream, hooks: { logMethod: failoverLogMethod(monitor) } } })
  t.teardown(async () => await Promise.all([app.close(), monitor.close()]))
  monitor.logger = app.log
  let asked = 0
  monitor.register(new Service({
    name: 'talkative',
    errorPingFrequency: 0,
    ping ({ log }) {
      asked++
      log.error(refused(), 'no answer')
      throw refused()
    }
  }))
  await monitor.monitor()
  for (let turn = 0; turn < 20; turn++) await settled()
  t.equal(asked, 1)
  t.match(lines, [{ msg: 'no answer' }, { msg: /^talkative outage/ }])
})

t.test('what is no error of an outage, or not logged as an error, triggers nothing', async (t) => {
  const { log, counter } = await logging(t)
  const circular = new Error('circular')
  circular.cause = circular
  const unreadable = Object.defineProperty(new Error('x'), 'code', { get () { throw new Error('no') } })
  log.warn(refused())
  log.error(new TypeError('x'))
  log.error({ err: circular })
  log.error('ECONNREFUSED')
  log.error({ err: 'ECONNREFUSED' })
  failoverLogMethod(new ServiceMonitor())([unreadable, null], () => {}, 50)
  const inherited = Object.create({ get error () { throw new Error('x') } }) as object
  failoverLogMethod(new ServiceMonitor())([inherited, 'text'], () => {}, 50)
  await settled()
  t.equal(counter.asked, 0)
})

t.test('what the monitor logs itself triggers nothing', async (t) => {
  const { log, counter, lines } = await logging(t)
  counter.up = false
  log.error(refused())
  await settled()
  await settled()
  t.equal(counter.asked, 1)
  t.match(lines.slice(1), [{ level: 60, err: { code: 'ECONNREFUSED' } }, { level: 30, msg: 'failover of db is done' }])
})

t.test('the errors of drivers are known by code, by name and by text', async (t) => {
  const { log, counter } = await logging(t)
  const errors = [
    ...[
      'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN',
      'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET',
      '08000', '08001', '08003', '08004', '08006', '08007', '57P01', '57P02', '57P03',
      'PROTOCOL_CONNECTION_LOST', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR', 'ER_SERVER_SHUTDOWN'
    ].map((code) => Object.assign(new Error('x'), { code })),
    ...[
      'Connection terminated', 'Connection terminated unexpectedly', 'Connection terminated due to connection timeout', 'timeout expired',
      'timeout exceeded when trying to connect', 'Client has encountered a connection error and is not queryable',
      "Can't add new command when connection is in closed state", "Can't write in closed state",
      'Connection is closed.', "Stream isn't writeable and enableOfflineQueue options is false"
    ].map((message) => new Error(message)),
    Object.assign(new Error('x'), { name: 'MaxRetriesPerRequestError' })
  ]
  for (const [index, error] of errors.entries()) {
    log.error(error)
    await settled()
    t.equal(counter.asked, index + 1, String(error))
  }
})

t.test('classes and codes can be replaced, and classes added', async (t) => {
  class Own extends Error {}
  const cases: Array<[OutageErrorOptions, Error, number]> = [
    [{ errorClasses: [Own] }, new Own(), 1],
    [{ errorClasses: [Own] }, new Error('Connection is closed.'), 0],
    [{ errorClasses: [Own] }, refused(), 1],
    [{ extraErrorClasses: [Own] }, new Own(), 1],
    [{ extraErrorClasses: [Own] }, new Error('Connection is closed.'), 1],
    [{ errorCodes: ['E_OWN'] }, refused(), 0],
    [{ errorCodes: ['E_OWN'] }, Object.assign(new Error('x'), { code: 'E_OWN' }), 1],
    [{ errorClasses: [], errorCodes: [] }, refused(), 0]
  ]
  for (const [options, error, asked] of cases) {
    const { log, counter } = await logging(t, options)
    log.error(error)
    await settled()
    t.equal(counter.asked, asked, JSON.stringify(options))
  }
})

t.test('wrong arguments of failoverLogMethod are refused', async (t) => {
  t.throws(() => failoverLogMethod({} as never), { code: 'ERR_INVALID_OPTION', message: /ServiceMonitor/ })
  t.throws(() => failoverLogMethod(new ServiceMonitor(), { classes: [] } as never), { code: 'ERR_UNKNOWN_OPTION' })
})

function watching (options?: Parameters<typeof counting>[0]): { monitor: ServiceMonitor, counter: ReturnType<typeof counting> } {
  const monitor = new ServiceMonitor()
  const counter = counting(options)
  monitor.register(counter.service)
  return { monitor, counter }
}

t.test('a monitored function is the function: this, arguments, result, errors and name', async (t) => {
  const { monitor, counter } = watching()
  function add (this: { base: number }, a: number, b: number): number { return this.base + a + b }
  const wrapped = monitored(add, monitor)
  t.equal(wrapped.call({ base: 1 }, 2, 3), 6)
  t.strictSame([wrapped.name, wrapped.length], ['add', 2])
  t.throws(() => monitored(() => { throw new TypeError('own') }, monitor)(), TypeError)
  t.equal(await monitored(async () => 5, monitor)(), 5)
  await t.rejects(monitored(async () => { throw new Error('own') }, monitor)(), { message: 'own' })
  await settled()
  t.ok(counter.asked > 0)
})

t.test('with wait, the function is called when a due ping and what follows from it is done', async (t) => {
  const { monitor, counter } = watching({ up: false })
  const settings = monitor.settings as { x?: number }
  t.equal(await monitored(() => settings.x, monitor, { wait: true })(), 1)
  counter.up = true
  t.equal(await recoverFromOutages(async () => settings.x, monitor, { wait: true })(), undefined)
})

t.test('recoverFromOutages pings what is down, and nothing else', async (t) => {
  const { monitor, counter } = watching()
  const run = recoverFromOutages(() => 'ran', monitor)
  t.equal(run(), 'ran')
  await settled()
  t.equal(counter.asked, 0)
  counter.up = false
  await monitor.monitor()
  counter.up = true
  run()
  await settled()
  t.equal(counter.asked, 2)
  t.strictSame(monitor.outages, [])
})

t.test('both decorate methods', async (t) => {
  const { monitor, counter } = watching()
  class Reports extends EventEmitter {
    readonly title = 'report'
    @monitored(monitor)
    sync (more: string): string { return this.title + more }

    @recoverFromOutages(monitor)
    async later (): Promise<string> { return this.title }

    @monitored(monitor, { wait: true })
    async waits (more: string): Promise<[string, number]> { return [this.title + more, counter.asked] }
  }
  const reports = new Reports()
  t.equal(reports.sync(' 1'), 'report 1')
  t.equal(reports.sync.name, 'sync')
  t.equal(await reports.later(), 'report')
  const before = counter.asked
  t.strictSame(await reports.waits(' 2'), ['report 2', before + 1])
})

t.test('wrong arguments of the wrappers are refused', async (t) => {
  const { monitor } = watching()
  t.throws(() => monitored(5 as never, monitor), { code: 'ERR_INVALID_OPTION', message: /first argument of monitored\(\)/ })
  t.throws(() => recoverFromOutages(() => {}, {} as never), { code: 'ERR_INVALID_OPTION', message: /second argument of recoverFromOutages\(\)/ })
  t.throws(() => monitored(() => {}, monitor, { wait: 5 } as never), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => monitored(monitor, { waits: true } as never), { code: 'ERR_UNKNOWN_OPTION' })
})

t.test('an error that contains itself many times over is looked through at once', async (t) => {
  const monitor = new ServiceMonitor()
  t.teardown(() => monitor.close())
  const all = new AggregateError([])
  all.errors = Array.from({ length: 40 }, () => Object.assign(new Error('x'), { cause: all }))
  const started = performance.now()
  failoverLogMethod(monitor)([all], () => {}, 50)
  t.ok(performance.now() - started < 2_000)
})

t.test('an async listener that fails is logged, and does not end the process', async (t) => {
  const lines: string[] = []
  const note = (_about: unknown, message?: string): void => { lines.push(String(message)) }
  const monitor = new ServiceMonitor({ logger: { info: note, warn: note, error: note, fatal: note } })
  t.teardown(() => monitor.close())
  monitor.register(new Service({ name: 'a', ping: () => { throw new Error('down') }, failoverSettings: {} }))
  monitor.on('outage', async () => { throw new Error('x') })
  await monitor.monitor()
  await new Promise(setImmediate)
  t.ok(lines.some((line) => line.includes('listener to "outage" threw')), lines.join())
})
