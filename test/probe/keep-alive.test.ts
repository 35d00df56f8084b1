import { hasSubscribers } from 'node:diagnostics_channel'
import http from 'node:http'
import http2 from 'node:http2'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { listen, statusApp, until } from '../support/app.js'
import { ask, type Reply } from '../support/sockets.js'

/** A client with one connection that it keeps as long as it may. */
async function client (t: Test, app: FastifyInstance): Promise<(path?: string) => Promise<Reply>> {
  const port = await listen(app)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  return async (path = '/probe_status') => await ask({ port, path, agent })
}

t.test('in service, connections are kept', async (t) => {
  const { app } = await statusApp(t)
  const get = await client(t, app)
  t.equal((await get()).headers.connection, 'keep-alive')
  const second = await get()
  t.equal(second.headers.connection, 'keep-alive')
  t.equal(second.reused, true)
})

t.test('decommissioned, each connection is closed with its next reply, whatever was asked for', async (t) => {
  const { app } = await statusApp(t)
  app.get('/work', () => 'done')
  const get = await client(t, app)
  await get('/work')
  await app.svcStatus.decommission()
  const last = await get('/work')
  t.equal(last.reused, true)
  t.equal(last.headers.connection, 'close')
  t.equal(last.statusCode, 200)
  t.equal(last.body, 'done')
  const next = await get()
  t.equal(next.reused, false)
  t.equal(next.headers.connection, 'close')
  t.equal(next.statusCode, 503)
})

t.test('back in service, connections are kept again', async (t) => {
  const { app } = await statusApp(t)
  const get = await client(t, app)
  await app.svcStatus.decommission()
  await get()
  await app.svcStatus.recommission()
  t.equal((await get()).headers.connection, 'keep-alive')
  t.equal((await get()).reused, true)
})

t.test('a reply that was written by hand tells to leave as well', async (t) => {
  const { app } = await statusApp(t)
  app.get('/raw', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-length': 3 }).end('raw')
  })
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/early') await reply.code(418).send('early')
  })
  app.get('/early', () => 'late')
  const get = await client(t, app)
  await app.svcStatus.decommission()
  t.match(await get('/raw'), { body: 'raw', headers: { connection: 'close' } })
  t.match(await get('/early'), { statusCode: 418, headers: { connection: 'close' } })
  t.match(await get('/nowhere'), { statusCode: 404, headers: { connection: 'close' } })
})

t.test('the server has a listener more only while the instance is out of service', async (t) => {
  const { app } = await statusApp(t)
  await app.ready()
  const bare = Fastify().server.listenerCount('request')
  const listeners = (): [number, boolean] => [app.server.listenerCount('request') - bare, hasSubscribers('http.server.request.start')]
  t.strictSame(listeners(), [0, false])
  await app.svcStatus.recommission()
  t.strictSame(listeners(), [0, false])
  await app.svcStatus.decommission('A')
  await app.svcStatus.decommission('B')
  t.equal(listeners()[0], 1)
  await app.svcStatus.recommission()
  t.strictSame(listeners(), [0, false])
  await app.svcStatus.decommission()
  await app.close()
  t.strictSame(listeners(), [0, false], 'nor after the app was closed')
})

t.test('the routes of the app get no hook of ours', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  const hooks: string[] = []
  const { addHook } = app
  app.addHook = function (this: FastifyInstance, ...hook: Parameters<typeof addHook>) {
    hooks.push(hook[0])
    return addHook.apply(this, hook)
  } as typeof addHook
  await app.register(statusPlugin, { registry: new StatusRegistry() })
  await app.ready()
  await app.svcStatus.decommission()
  t.strictSame(hooks.sort(), ['onClose', 'preClose'])
})

t.test('draining tells to leave too', async (t) => {
  const { app } = await statusApp(t)
  const get = await client(t, app)
  await get()
  const drained = app.svcStatus.drain({ delay: 60_000 })
  t.match(await get(), { statusCode: 503, body: 'DRAINING', reused: true, headers: { connection: 'close' } })
  await app.close()
  await drained
})

t.test('an HTTP/2 client is sent GOAWAY with its next reply, which is complete', async (t) => {
  const { app } = await statusApp(t, {}, { http2: true } as object)
  const port = await listen(app)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  let goneAway = 0
  session.on('goaway', () => { goneAway++ })
  const get = async (): Promise<{ status: unknown, body: string }> => await new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/probe_status' })
    let status: unknown
    let body = ''
    stream.setEncoding('utf8')
    stream.on('response', (headers) => { status = headers[':status'] })
    stream.on('data', (chunk: string) => { body += chunk })
    stream.on('end', () => resolve({ status, body }))
    stream.on('error', reject)
  })
  t.strictSame(await get(), { status: 200, body: 'OK' })
  t.strictSame(await get(), { status: 200, body: 'OK' })
  t.equal(goneAway, 0)
  t.equal(session.closed, false)
  await app.svcStatus.decommission('OFF')
  t.strictSame(await get(), { status: 503, body: 'OFF' })
  await until(() => goneAway > 0 && session.closed, 'the session is closed')
})
