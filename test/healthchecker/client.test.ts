import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { Announcement } from '../../lib/healthchecker/announcement.js'
import { healthcheckerPlugin, ownAddress, registerWith } from '../../lib/healthchecker/client-plugin.js'
import { HealthcheckerClient } from '../../lib/healthchecker/client.js'
import { Healthchecker } from '../../lib/healthchecker/server.js'
import type { HealthcheckerPluginOptions } from '../../types/healthchecker-client.js'
import type { HealthcheckerOptions } from '../../types/healthchecker-server.js'
import type { Logger } from '../../types/logger.js'
import { logLines, until } from '../support/app.js'
import { FakeFleet } from './support/fake-fleet.js'
import { freePort } from './support/free-port.js'

const file = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../checks/support/certificates', name))

const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} }

async function checker (t: Test, options: Partial<HealthcheckerOptions> = {}, mdnsPort?: number): Promise<{ server: string, fleet: FakeFleet, close: () => Promise<void> }> {
  const fleet = new FakeFleet()
  const healthchecker = new Healthchecker({ fleet, port: 0, mailAllow: ['*'], announce: mdnsPort !== undefined, fastify: {}, ...options }, mdnsPort)
  t.teardown(() => healthchecker.close())
  return { server: await healthchecker.listen(), fleet, close: () => healthchecker.close() }
}

/** Somebody who answers as the test says. */
async function stranger (t: Test, answer: RequestListener): Promise<{ server: string, port: number }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close().closeAllConnections() })
  const { port } = server.address() as AddressInfo
  return { server: `http://127.0.0.1:${port}`, port }
}

const url = 'http://10.0.0.5:9090'

t.test('an app is monitored, asked about, paused, resumed and stopped', async (t) => {
  const { server, fleet } = await checker(t)
  const client = new HealthcheckerClient({ app: 'a/b ü', url, server: `${server}/` })
  t.equal(await client.isAvailable(), true)
  t.equal(await client.find(), server)
  t.match(await client.info(), { ok: false, found: true, server, statusCode: 404, message: 'there is no app "a/b ü"' })
  t.match(await client.monitor({ path: '/health', interval: 10, unhealthyThreshold: 2, healthyThreshold: 4, email: 'me@example.org' }), {
    ok: true, found: true, server, statusCode: 201, registered: 'created', app: { name: 'a/b ü', state: 'UNKNOWN' }
  })
  t.match(fleet.get('a/b ü')?.registration, { host: '10.0.0.5', port: 9090, path: '/health', interval: 10, unhealthyThreshold: 2, healthyThreshold: 4, email: ['me@example.org'] })
  t.match(await client.monitor({ path: '/health', interval: 10, unhealthyThreshold: 2, healthyThreshold: 4, email: 'me@example.org' }), { ok: true, registered: 'unchanged' })
  t.match(await client.monitor({ url: 'tcp://db:5432' }), { ok: true, registered: 'changed', statusCode: 200 })
  t.match(await client.pause('moving'), { ok: true, app: { paused: { why: 'moving' } } })
  t.match(await client.pause(), { ok: true })
  t.notOk('paused' in (await client.resume()).app!)
  t.match(await client.info(), { ok: true, app: { url: 'tcp://db:5432' } })
  t.strictSame(await client.stop(), { server, ok: true, found: true, statusCode: 204, app: undefined })
  t.match(await client.stop(), { ok: false, statusCode: 404 })
})

t.test('what the healthchecker refuses is a result with its reason', async (t) => {
  const { server } = await checker(t)
  const client = new HealthcheckerClient({ app: 'shop', server })
  t.match(await client.monitor({ url, interval: 4 }), { ok: false, found: true, statusCode: 400, message: /"interval" must be a whole number from 5 to 300 seconds, not 4/ })
  t.match(await client.monitor(), { ok: false, statusCode: 400, message: /either the parameter "url" or/ })
})

t.test('a token is sent to a healthchecker that was named', async (t) => {
  const { server, fleet } = await checker(t, { token: 'a secret of some length' })
  t.match(await new HealthcheckerClient({ app: 'shop', url, server }).monitor(), { ok: false, statusCode: 401, message: /this needs the header "Authorization: Bearer"/ })
  t.match(await new HealthcheckerClient({ app: 'shop', url, server, token: 'a secret of some length' }).monitor(), { ok: true })
  t.equal(fleet.registrants[0].trusted, true)
})

t.test('nobody there is a result: found false, and in bounded time', async (t) => {
  const { server, close } = await checker(t)
  await close()
  t.match(await new HealthcheckerClient({ app: 'shop', url, server }).monitor(), { ok: false, found: false, server, message: 'no healthchecker answered: ECONNREFUSED' })
  const mdnsPort = await freePort()
  const client = new HealthcheckerClient({ app: 'shop', url, timeout: 300 }, mdnsPort)
  for (const call of [client.monitor(), client.pause(), client.resume(), client.stop(), client.info()]) {
    t.match(await call, { ok: false, found: false, message: 'no healthchecker was found over mDNS' })
  }
  t.equal(await client.isAvailable(), false)
  t.equal(await client.find(), undefined)
})

t.test('who answers with something else is no healthchecker', async (t) => {
  const answers: Array<[answer: RequestListener, expected: object]> = [
    [(_request, reply) => reply.end('<html>'), { ok: false, found: true, statusCode: 200, message: 'what answered with status 200 is no healthchecker' }],
    [(_request, reply) => reply.writeHead(200).end('7'), { ok: false, message: /status 200/ }],
    [(_request, reply) => reply.writeHead(500).end('{"message":7}'), { ok: false, statusCode: 500, message: /status 500/ }],
    [(_request, reply) => reply.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), { ok: false, statusCode: 302 }],
    [(_request, reply) => reply.end('x'.repeat(100_000)), { ok: false, found: false, message: /said too much/ }],
    [(request) => request.socket.destroy(), { ok: false, found: false, message: /no healthchecker answered: / }],
    [() => {}, { ok: false, found: false, message: 'no healthchecker answered within 300 ms' }],
    [(_request, reply) => reply.write('{'), { ok: false, found: false, message: /within 300 ms/ }]
  ]
  for (const [answer, expected] of answers) {
    const { server } = await stranger(t, answer)
    const client = new HealthcheckerClient({ app: 'shop', url, server, timeout: 300 })
    t.match(await client.info(), expected)
    t.equal(await client.isAvailable(), false)
  }
})

t.test('a token goes to one that was merely found only where that is trusted, and never along a redirect', async (t) => {
  const mdnsPort = await freePort()
  const came: Array<string | undefined> = []
  const { port } = await stranger(t, (request, reply) => {
    came.push(request.headers.authorization)
    if (request.url === '/apps/redirected') reply.writeHead(307, { location: '/apps/elsewhere' }).end()
    else reply.writeHead(401).end('{"message":"who are you?"}')
  })
  const announcement = await Announcement.begin(['127.0.0.1'], port, silent, mdnsPort)
  t.teardown(() => announcement.close())
  const ask = async (app: string, options: object): Promise<string | undefined> => (await new HealthcheckerClient({ app, url, ...options }, mdnsPort).monitor()).message
  t.equal(await ask('shop', {}), 'who are you?')
  t.match(await ask('shop', { token: 'hunter2' }), /the token was not sent to a healthchecker that was merely found: name it by "server", or set "trustDiscovery"/)
  t.equal(await ask('shop', { token: 'hunter2', trustDiscovery: true }), 'who are you?')
  await ask('redirected', { token: 'hunter2', server: `http://127.0.0.1:${port}` })
  t.same(came, [undefined, undefined, 'Bearer hunter2', 'Bearer hunter2'])
})

t.test('a call that is called off before it begins is a result', async (t) => {
  const { server } = await checker(t)
  t.match(await new HealthcheckerClient({ app: 'shop', server }).stop(AbortSignal.abort()), { ok: false, found: false })
})

t.test('an app that speaks TLS is registered as one', async (t) => {
  const near = await checker(t)
  const app = Fastify({ https: { key: file('server.key'), cert: file('good.pem') } })
  t.teardown(() => app.close())
  await app.register(healthcheckerPlugin, { app: 'tls', server: near.server, path: '/health' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await until(() => near.fleet.size === 1, 'it is registered')
  t.match(near.fleet.get('tls')?.registration, { protocol: 'HTTPS', host: '127.0.0.1' })
})

t.test('one that moved is found again', async (t) => {
  const mdnsPort = await freePort()
  const first = await checker(t, {}, mdnsPort)
  const client = new HealthcheckerClient({ app: 'shop', url }, mdnsPort)
  t.match(await client.monitor(), { ok: true, server: first.server })
  await first.close()
  t.match(await client.monitor(), { ok: false, found: false, server: first.server })
  const second = await checker(t, {}, mdnsPort)
  t.match(await client.monitor(), { ok: true, server: second.server })
})

t.test('wrong options are refused by name, and no secret is shown', async (t) => {
  for (const [options, code, message] of [
    [{ app: '' }, 'ERR_INVALID_NAME', /1 to 100 characters/],
    [{ app: 'a', serve: '' }, 'ERR_UNKNOWN_OPTION', /no option "serve"/],
    [{ app: 'a', url: 7 }, 'ERR_INVALID_OPTION', /"url"/],
    [{ app: 'a', server: 'checker:8080' }, 'ERR_INVALID_OPTION', /"server" must be an address such as/],
    [{ app: 'a', server: 7 }, 'ERR_INVALID_OPTION', /"server"/],
    [{ app: 'a', server: 'http://u:hunter2@checker' }, 'ERR_INVALID_OPTION', /^(?!.*hunter2).*without a user name/],
    [{ app: 'a', token: 'hunter2 ' }, 'ERR_INVALID_OPTION', /^(?!.*hunter2)/],
    [{ app: 'a', trustDiscovery: 'yes' }, 'ERR_INVALID_OPTION', /"trustDiscovery"/],
    [{ app: 'a', timeout: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"timeout"/]
  ] as const) t.throws(() => new HealthcheckerClient(options as never), { code, message }, String(message))
  await t.rejects(new HealthcheckerClient({ app: 'a', server: 'http://127.0.0.1:1' }).monitor(7 as never), { code: 'ERR_INVALID_OPTION' })
})

t.test('a plugin registers its app when it listens, and withdraws it when it closes', async (t) => {
  const { server, fleet } = await checker(t)
  const app = Fastify()
  await app.register(healthcheckerPlugin, { app: 'watched', server, path: '/health', interval: 10, unhealthyThreshold: 2, healthyThreshold: 4, checkTimeout: 3 })
  await app.ready()
  t.equal(fleet.size, 0)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  await until(() => fleet.size === 1, 'it is registered')
  t.match(fleet.get('watched')?.registration, { protocol: 'HTTP', host: '127.0.0.1', port: Number(new URL(address).port), path: '/health', interval: 10, timeout: 3, unhealthyThreshold: 2, healthyThreshold: 4 })
  await app.close()
  t.equal(fleet.size, 0)
})

async function pluginApp (t: Test, options: HealthcheckerPluginOptions, mdnsPort: number, host = '127.0.0.1'): Promise<{ app: ReturnType<typeof Fastify>, lines: Array<{ level: number, msg: string }> }> {
  const { lines, stream } = logLines()
  const app = Fastify({ logger: { stream }, disableRequestLogging: true })
  t.teardown(() => app.close())
  registerWith(app, options, mdnsPort)
  await app.listen({ host, port: 0 })
  return { app, lines }
}

t.test('an app that listens everywhere is registered with an address that the healthchecker can reach', async (t) => {
  const near = await checker(t)
  for (const host of ['0.0.0.0', '::']) {
    const { app } = await pluginApp(t, { app: host, server: near.server }, await freePort(), host)
    await until(() => near.fleet.get(host) !== undefined, 'it is registered')
    t.match(near.fleet.get(host)?.registration.host, '127.0.0.1')
    await app.close()
  }
  const { app } = await pluginApp(t, { app: 'six', server: near.server, withdraw: false }, await freePort(), '::1')
  await until(() => near.fleet.get('six') !== undefined, 'it is registered')
  t.equal(near.fleet.get('six')?.registration.host, '::1')
  await app.close()
  t.ok(near.fleet.get('six'), 'one that does not withdraw stays')
})

t.test('a healthchecker of another machine is told an address that is not loopback, if there is one', async (t) => {
  const { port } = await stranger(t, (request, reply) => {
    let text = ''
    request.on('data', (chunk) => { text += String(chunk) }).on('end', () => {
      bodies.push(text)
      reply.writeHead(201).end('{}')
    })
  })
  const bodies: string[] = []
  // A name that is not one of this machine's own, as far as one can see.
  const { app } = await pluginApp(t, { app: 'far', server: `http://0.0.0.0:${port}`, withdraw: false }, await freePort(), '0.0.0.0')
  await until(() => bodies.length > 0, 'it is registered')
  t.match(JSON.parse(bodies[0]).url, /^http:\/\/\d+\.\d+\.\d+\.\d+:\d+$/)
  await app.close()
  const end = { netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 }
  const loopback = { ...end, address: '127.0.0.1', family: 'IPv4' as const }
  t.equal(ownAddress({ lo: [loopback], gone: undefined, eth0: [{ ...end, address: 'fe80::1', family: 'IPv6' }, { ...end, address: '192.0.2.2', family: 'IPv4' }] } as never), '192.0.2.2')
  t.equal(ownAddress({ lo: [loopback] } as never), '127.0.0.1')
})

t.test('an app whose healthchecker comes later is registered later', async (t) => {
  const mdnsPort = await freePort()
  const { lines } = await pluginApp(t, { app: 'early', timeout: 100, retryAfter: 20 }, mdnsPort)
  await until(() => lines.some(({ level, msg }) => level === 40 && msg === 'not watched by a healthchecker yet: no healthchecker was found over mDNS'), 'it says so')
  const { fleet } = await checker(t, {}, mdnsPort)
  await until(() => fleet.size === 1, 'it is registered')
  await until(() => lines.some(({ msg }) => msg === 'watched by a healthchecker'), 'it says so')
})

t.test('what is refused is not tried again', async (t) => {
  let asked = 0
  const { server } = await stranger(t, (_request, reply) => { asked++; reply.writeHead(400).end('{"message":"out of range"}') })
  const { app, lines } = await pluginApp(t, { app: 'shop', server, retryAfter: 1 }, await freePort())
  await until(() => lines.some(({ level, msg }) => level === 50 && msg === 'not watched by a healthchecker: out of range'), 'it says so')
  await app.close()
  t.equal(asked, 1)
})

t.test('an app closes while its healthchecker hangs, or is gone', async (t) => {
  const { server } = await stranger(t, () => {})
  const hanging = await pluginApp(t, { app: 'shop', server }, await freePort())
  const searching = await pluginApp(t, { app: 'shop' }, await freePort())
  await Promise.all([hanging.app.close(), searching.app.close()])
  t.match(hanging.lines.filter(({ level }) => level > 30), [{ level: 40, msg: /^perhaps still watched by a healthchecker: no healthchecker answered within/ }])
  t.same(searching.lines.filter(({ level }) => level > 30), [])

  const gone = await checker(t)
  const { app, lines } = await pluginApp(t, { app: 'shop', server: gone.server }, await freePort())
  await until(() => gone.fleet.size === 1, 'it is registered')
  await until(() => lines.some(({ msg }) => msg === 'watched by a healthchecker'), 'it knows')
  await gone.close()
  await app.close()
  t.match(lines.at(-1), { level: 40, msg: /^perhaps still watched by a healthchecker: no healthchecker answered/ })
})

t.test('an app that closes before it knows whether it is registered withdraws all the same', async (t) => {
  const asked: string[] = []
  const { server } = await stranger(t, ({ method = '' }, reply) => {
    asked.push(method)
    if (method === 'DELETE') reply.writeHead(404).end('{"message":"there is none"}')
  })
  const { app, lines } = await pluginApp(t, { app: 'shop', server }, await freePort())
  await until(() => asked.length > 0, 'it is asked')
  await app.close()
  t.same(asked, ['PUT', 'DELETE'])
  t.same(lines.filter(({ level }) => level > 30), [], 'one that is not there needs no withdrawal')
})

t.test('wrong options of the plugin fail at registration', async (t) => {
  for (const [options, code] of [[{ app: 'a', serve: 1 }, 'ERR_UNKNOWN_OPTION'], [{}, 'ERR_INVALID_NAME'], [{ app: 'a', withdraw: 1 }, 'ERR_INVALID_OPTION'], [{ app: 'a', retryAfter: 0 }, 'ERR_OPTION_OUT_OF_RANGE']] as const) {
    const app = Fastify()
    await t.rejects(async () => await app.register(healthcheckerPlugin, options as never), { code })
  }
})
