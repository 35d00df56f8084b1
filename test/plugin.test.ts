import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import defaultExport, { defaultRegistry, memoryStore, OK, RED, StateHandler, statusPlugin, StatusRegistry, type StatusPluginOptions } from '../lib/index.js'

async function appWith (t: Pick<Test, 'teardown'>, options: StatusPluginOptions = {}): Promise<FastifyInstance> {
  const app = fastify()
  t.teardown(async () => { await app.close() })
  await app.register(statusPlugin, { registry: new StatusRegistry(), ...options })
  return app
}

t.test('fastify.register(statusPlugin) is all there is to do', async (t) => {
  const app = fastify()
  t.teardown(async () => { await app.close() })
  await app.register(defaultExport)
  t.equal(defaultExport, statusPlugin)
  t.equal(app.svcStatus.registry, defaultRegistry)
  app.svcStatus.addStatusHandler('db', () => OK)
  t.equal((await app.inject('/svc_status')).body, 'db\tOK\n')
  t.equal((await app.inject('/probe_status')).body, 'OK')
  t.equal((await app.inject('/live_status')).body, 'OK')
})

t.test('handlers come bare, as objects, or with their options', async (t) => {
  const worker = new StateHandler()
  worker.setState(OK)
  const app = await appWith(t, {
    handlers: {
      bare: () => OK,
      object: worker,
      options: { handler: async () => RED, critical: false, description: 'with options', tags: ['x'] }
    }
  })
  const { state, entries } = await app.svcStatus.registry.snapshot()
  t.equal(state, 'YELLOW')
  t.match(entries, [{ name: 'bare' }, { name: 'object', status: { state: OK } }, { name: 'options', critical: false, description: 'with options', tags: ['x'] }])
})

t.test('what the app was given leaves the registry when it closes, and background work is stopped', async (t) => {
  const registry = new StatusRegistry()
  const lines: string[] = []
  const app = fastify({ logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } } })
  let stopped = 0
  const background = { getStatus: () => OK, stop: async () => { stopped++ } } as const
  const broken = { getStatus: () => OK, stop () { throw new Error('does not stop') } } as const
  await app.register(statusPlugin, { registry, handlers: { background, broken, replaced: () => OK } })
  app.svcStatus.addStatusHandler('own', () => OK)
  registry.addStatusHandler('other', () => OK)
  registry.addStatusHandler('replaced', () => OK, { replace: true })
  t.ok(registry.logger)
  await app.close()
  t.strictSame(registry.latest().entries.map(({ name }) => name), ['other', 'replaced'])
  t.equal(stopped, 1)
  t.equal(registry.logger, undefined)
  t.match(lines, [/"handler":"broken".*status handler did not stop/])
})

t.test('a registry without a logger has that of an app that still runs', async (t) => {
  const registry = new StatusRegistry()
  const [a, b] = [await appWith(t, { registry }), await appWith(t, { registry })]
  t.equal(registry.logger, a.log)
  await a.close()
  t.equal(registry.logger, b.log)
  await b.close()
  t.equal(registry.logger, undefined)
})

t.test('a registry with a logger keeps it', async (t) => {
  const logger = { info () {}, warn () {}, error () {} }
  const registry = new StatusRegistry({ logger })
  const app = await appWith(t, { registry })
  t.equal(registry.logger, logger)
  await app.close()
  t.equal(registry.logger, logger)
})

t.test('a prefix goes before every route, once, also inside a prefixed plugin', async (t) => {
  const app = fastify()
  t.teardown(async () => { await app.close() })
  await app.register(async (scope) => {
    await scope.register(statusPlugin, { registry: new StatusRegistry(), prefix: '/inner/', svcStatus: { health: true } })
  }, { prefix: '/outer' })
  for (const path of ['/svc_status', '/svc_status.json', '/probe_status', '/live_status', '/health']) {
    t.equal((await app.inject(`/outer/inner${path}`)).statusCode, 200, path)
    t.equal((await app.inject(`/outer/inner/inner${path}`)).statusCode, 404, path)
    t.equal((await app.inject(path)).statusCode, 404, path)
  }
})

t.test('routes can be moved and left out', async (t) => {
  const app = await appWith(t, { svcStatus: { path: '/status', health: '/healthz' }, probeStatus: { path: '/ready' }, liveStatus: { path: '/alive' } })
  for (const path of ['/status', '/status.csv', '/healthz', '/ready', '/alive']) t.equal((await app.inject(path)).statusCode, 200, path)
  const none = await appWith(t, { svcStatus: false, probeStatus: false, liveStatus: false })
  for (const path of ['/svc_status', '/svc_status.csv', '/probe_status', '/live_status']) t.equal((await none.inject(path)).statusCode, 404, path)
  await none.svcStatus.decommission()
  t.equal(none.svcStatus.decommissioned?.body, 'OFF')
})

t.test('two apps may share a registry, and close one after the other', async (t) => {
  const registry = new StatusRegistry()
  const [a, b] = [await appWith(t, { registry, handlers: { a: () => OK } }), await appWith(t, { registry, handlers: { b: () => OK } })]
  t.equal((await a.inject('/svc_status')).body, (await b.inject('/svc_status')).body)
  await a.svcStatus.decommission()
  t.equal((await b.inject('/probe_status')).statusCode, 200, 'each has a decommission of its own')
  await a.close()
  t.equal((await b.inject('/svc_status')).body, 'b\tOK\n')
})

t.test('a second registration on an app adds routes and shows the decommission of the first', async (t) => {
  const [first, second] = [new StatusRegistry(), new StatusRegistry()]
  first.addStatusHandler('first', () => OK)
  second.addStatusHandler('second', () => OK)
  const app = await appWith(t, { registry: first })
  await app.register(statusPlugin, { registry: second, prefix: '/internal' })
  t.equal(app.svcStatus.registry, first)
  t.equal((await app.inject('/svc_status')).body, 'first\tOK\n')
  t.equal((await app.inject('/internal/svc_status')).body, 'second\tOK\n')
  await app.svcStatus.decommission('OFF')
  for (const path of ['/probe_status', '/internal/probe_status']) t.equal((await app.inject(path)).statusCode, 503, path)
  t.match((await app.inject('/internal/svc_status.prometheus')).body, /svc_status_decommissioned 1/)
})

t.test('handlers of a second registration with another registry go to that one, with the log of the app, until the app closes', async (t) => {
  const [first, second] = [new StatusRegistry(), new StatusRegistry()]
  let stopped = 0
  const background = { getStatus: () => OK, stop () { stopped++ } }
  const lines: string[] = []
  const app = fastify({ logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(() => app.close())
  await app.register(statusPlugin, { registry: first, handlers: { one: () => OK } })
  await app.register(statusPlugin, { registry: second, prefix: '/other', handlers: { one: () => OK, two: background } })
  second.addStatusHandler('bad', () => { throw new Error('x') })
  t.equal((await app.inject('/svc_status')).body, 'one\tOK\n')
  t.equal((await app.inject('/other/svc_status')).body, 'bad\tRED\none\tOK\ntwo\tOK\n')
  t.match(lines, [/status handler threw/])
  await app.close()
  t.strictSame([second.has('one'), second.has('two'), second.has('bad'), stopped, second.logger], [false, false, true, 1, undefined])
})

t.test('a store belongs to the first registration', async (t) => {
  const app = await appWith(t, { probeStatus: { store: memoryStore() } })
  await t.rejects(async () => await app.register(statusPlugin, { prefix: '/second', probeStatus: { store: memoryStore() } }),
    { code: 'ERR_INVALID_OPTION', message: /"probeStatus.store" must be given to the first registration/ })
})

t.test('a plugin timeout holds for handlers without one of their own', async (t) => {
  const app = await appWith(t, { timeout: 10, handlers: { a: () => new Promise(() => {}), b: { handler: () => new Promise(() => {}), timeout: 20 } } })
  t.match((await app.inject('/svc_status.json')).json(), { a: { detail: 'timed out after 10 ms' }, b: { detail: 'timed out after 20 ms' } })
})

t.test('decommission and recommission in code', async (t) => {
  const app = await appWith(t)
  await app.svcStatus.decommission()
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  t.match(app.svcStatus.decommissioned, { body: 'OFF', since: Number })
  await app.svcStatus.decommission('maintenance until noon')
  t.equal((await app.inject('/probe_status')).body, 'maintenance until noon')
  await app.svcStatus.recommission()
  t.equal((await app.inject('/probe_status')).statusCode, 200)
  t.equal(app.svcStatus.decommissioned, undefined)
  for (const body of ['ok', 'OK', '', 'a\nb', 'x'.repeat(257), 5]) {
    await t.rejects(app.svcStatus.decommission(body as never), { code: 'ERR_INVALID_DECOMMISSION' })
  }
  t.equal(app.svcStatus.decommissioned, undefined)
})

const badOptions: Array<[string, unknown, string, RegExp]> = [
  ['an unknown option', { regsitry: 1 }, 'ERR_UNKNOWN_OPTION', /the status plugin has no option "regsitry"/],
  ['a store without a name', { probeStatus: { store: { open () {}, write () {}, close () {} } } }, 'ERR_INVALID_OPTION', /name of the option "probeStatus.store" must be a string, not undefined/],
  ['health at the path of svcStatus', { svcStatus: { path: '/health', health: true } }, 'ERR_INVALID_OPTION', /"svcStatus.health" must be another path than "svcStatus.path"/],
  ['a format whose headers are no object', { formats: [{ name: 'x', contentTypes: ['text/x'], headers: 5, render: () => '' }] }, 'ERR_INVALID_OPTION', /headers of the format "x" must be an object, not 5/],
  ['a registry that is none', { registry: {} }, 'ERR_INVALID_OPTION', /"registry" must be a StatusRegistry, not an object/],
  ['handlers that are no object', { handlers: [] }, 'ERR_INVALID_OPTION', /"handlers" must be an object, not an array/],
  ['a handler that is none', { handlers: { a: 5 } }, 'ERR_INVALID_HANDLER', /"a"/],
  ['a handler with an unknown option', { handlers: { a: { handler: () => true, tmeout: 5 } } }, 'ERR_UNKNOWN_OPTION', /"tmeout"/],
  ['a handler with a bad name', { handlers: { '': () => true } }, 'ERR_INVALID_NAME', /1 to 100/],
  ['a prefix without a slash', { prefix: 'x' }, 'ERR_INVALID_OPTION', /"prefix" must be a path such as "\/status", without parameters, not "x"/],
  ['a prefix that is no string', { prefix: 5 }, 'ERR_INVALID_OPTION', /"prefix"/],
  ['a path with a parameter', { svcStatus: { path: '/:x' } }, 'ERR_INVALID_OPTION', /"svcStatus.path"/],
  ['svcStatus that is no object', { svcStatus: true }, 'ERR_INVALID_OPTION', /"svcStatus" must be an object with options, not true/],
  ['an unknown option of svcStatus', { svcStatus: { pth: '/x' } }, 'ERR_UNKNOWN_OPTION', /"svcStatus" has no option "pth"/],
  ['health that is no path', { svcStatus: { health: 5 } }, 'ERR_INVALID_OPTION', /"svcStatus.health" must be true, false or a path, not 5/],
  ['unavailableOnRed that is no list', { svcStatus: { unavailableOnRed: 'json' } }, 'ERR_INVALID_OPTION', /"svcStatus.unavailableOnRed"/],
  ['unavailableOnRed with a format there is not', { svcStatus: { unavailableOnRed: ['yaml'] } }, 'ERR_INVALID_OPTION', /names the format "yaml"; there is csv, json/],
  ['an unknown option of the probe', { probeStatus: { token: 'x' } }, 'ERR_UNKNOWN_OPTION', /"probeStatus" has no option "token"/],
  ['auth that is no function', { probeStatus: { auth: 'secret' } }, 'ERR_INVALID_OPTION', /"probeStatus.auth" must be a function/],
  ['a store that is none', { probeStatus: { store: { open () {} } } }, 'ERR_INVALID_OPTION', /write\(\) of the option "probeStatus.store" must be a function, not undefined/],
  ['a store that is no object', { probeStatus: { store: 'memory' } }, 'ERR_INVALID_OPTION', /"probeStatus.store" must be an object/],
  ['an unknown option of the live route', { liveStatus: { url: '/x' } }, 'ERR_UNKNOWN_OPTION', /"liveStatus" has no option "url"/],
  ['details that are neither', { details: 'sometimes' }, 'ERR_INVALID_OPTION', /"details" must be "always", "never" or a function of the request, not "sometimes"/],
  ['a timeout that is no time', { timeout: '5s' }, 'ERR_INVALID_OPTION', /"timeout"/],
  ['a log level there is not', { logLevel: 'loud' }, 'ERR_INVALID_OPTION', /"logLevel" must be trace, debug/],
  ['formats that are no list', { formats: {} }, 'ERR_INVALID_OPTION', /"formats" must be an array/],
  ['a bad CSV option', { svcStatus: { csv: { delimiter: '"' } } }, 'ERR_INVALID_OPTION', /"csv.delimiter"/],
  ['a bad metrics option', { metrics: { registries: [{}] } }, 'ERR_INVALID_OPTION', /"metrics.registries"/],
  ['a bad page option', { svcStatus: { html: { refresh: 10 } } }, 'ERR_OPTION_OUT_OF_RANGE', /"html.refresh"/]
]

for (const [title, options, code, message] of badOptions) {
  t.test(`${title} fails the registration with ${code}`, async (t) => {
    const app = fastify()
    t.teardown(async () => { await app.close() })
    await t.rejects(async () => await app.register(statusPlugin, options as never), { code, message })
  })
}

t.test('a registration that fails adds no handler', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('b', () => OK)
  const app = fastify()
  await t.rejects(async () => await app.register(statusPlugin, { registry, handlers: { a: () => OK, b: () => OK } }), { code: 'ERR_DUPLICATE_HANDLER' })
  t.strictSame(registry.latest().entries.map(({ name }) => name), ['b'])
  await app.close()
  t.strictSame(registry.latest().entries.map(({ name }) => name), ['b'])
})

t.test('after the app is closed nothing of ours is left', async (t) => {
  const resources = (): string[] => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').sort()
  const before = resources()
  const app = await appWith(t, { handlers: { a: async () => OK, b: new StateHandler() } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address() as { port: number }
  await (await fetch(`http://127.0.0.1:${address.port}/svc_status`, { headers: { connection: 'close' } })).text()
  await app.svcStatus.decommission()
  await app.close()
  t.equal(app.server.listenerCount('request'), 1, 'only Fastify\'s own')
  t.notOk(resources().some((name) => name === 'Timeout' && !before.includes(name)), resources().join())
})
