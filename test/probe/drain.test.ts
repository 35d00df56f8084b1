import net from 'node:net'
import t from 'tap'
import { memoryStore, second } from '../../lib/index.js'
import { everybody, listen, logLines, statusApp, until } from '../support/app.js'
import { ask, raw } from '../support/sockets.js'

const long = second(60)

async function refuses (port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('connect', () => { socket.destroy(); resolve(false) })
    socket.on('error', () => resolve(true))
  })
}

t.test('while it drains, the probe answers 503 and new connections are served', async (t) => {
  const { app } = await statusApp(t)
  app.get('/work', () => 'done')
  const port = await listen(app)
  t.equal(app.svcStatus.draining, false)
  const drained = app.svcStatus.drain({ delay: long })
  t.equal(app.svcStatus.draining, true)
  t.match(await ask({ port, path: '/probe_status' }), { statusCode: 503, body: 'DRAINING', reused: false })
  t.match(await ask({ port, path: '/work' }), { statusCode: 200, body: 'done', reused: false })
  t.match(await ask({ port, path: '/live_status' }), { statusCode: 200, body: 'OK' })
  t.equal(app.svcStatus.decommissioned, undefined, 'draining is not decommissioning')
  await app.close()
  await drained
})

t.test('after the delay the app is closed', async (t) => {
  const { app } = await statusApp(t)
  const port = await listen(app)
  let closed = false
  app.server.on('close', () => { closed = true })
  await app.svcStatus.drain({ delay: 20 })
  t.equal(closed, true)
  t.equal(await refuses(port), true)
})

t.test('a request that is under way when the app closes is answered', async (t) => {
  const { app } = await statusApp(t)
  let finish: () => void = () => {}
  const work = new Promise<void>((resolve) => { finish = resolve })
  let started = false
  app.get('/work', async () => {
    started = true
    await work
    return 'done'
  })
  const port = await listen(app)
  const reply = ask({ port, path: '/work', agent: false })
  await until(() => started, 'the request is under way')
  const drained = app.svcStatus.drain({ delay: 0 })
  await until(async () => await refuses(port), 'the server takes no more connections')
  finish()
  t.match(await reply, { statusCode: 200, body: 'done' })
  await drained
})

t.test('an idle connection does not hold up the close', async (t) => {
  const { app } = await statusApp(t)
  const port = await listen(app)
  const answered = raw(port, 'GET /live_status HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await until(async () => await new Promise<boolean>((resolve) => app.server.getConnections((_error, count) => resolve(count > 0))), 'the client is connected')
  await app.svcStatus.drain({ delay: 20 })
  t.match(await answered, /^HTTP\/1\.1 200 OK/)
})

t.test('a second drain joins the first, whatever its delay', async (t) => {
  const { lines, stream } = logLines()
  const { app } = await statusApp(t, {}, { logger: { level: 'info', stream } })
  await listen(app)
  const first = app.svcStatus.drain({ delay: 30 })
  const joined = app.svcStatus.drain({ delay: long })
  await Promise.all([first, joined])
  t.equal(lines.filter(({ msg }) => msg === 'draining for 30 ms').length, 1)
  t.equal(lines.filter(({ msg }) => msg.startsWith('draining')).length, 1)
  await app.svcStatus.drain({ delay: long })
  t.pass('and one afterwards is done at once')
})

t.test('closing the app during the delay cuts it short', async (t) => {
  const { app } = await statusApp(t)
  const port = await listen(app)
  const drained = app.svcStatus.drain({ delay: long })
  await app.close()
  await drained
  t.equal(await refuses(port), true)
})

t.test('a drain never touches the store', async (t) => {
  const store = memoryStore()
  let written = 0
  const counting = { ...store, write: async () => { written++ } }
  const { app } = await statusApp(t, { probeStatus: { auth: everybody, store: counting } })
  await app.svcStatus.drain({ delay: 0 })
  t.equal(written, 0)
})

t.test('an instance that is decommissioned answers what it was decommissioned with', async (t) => {
  const { app } = await statusApp(t)
  await app.svcStatus.decommission('OFF')
  const drained = app.svcStatus.drain({ delay: long })
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  await app.svcStatus.recommission()
  t.equal((await app.inject('/probe_status')).body, 'DRAINING')
  await app.close()
  await drained
})

t.test('the gauge tells of a decommission, and not of draining', async (t) => {
  const { app } = await statusApp(t)
  const drained = app.svcStatus.drain({ delay: long })
  t.match((await app.inject('/svc_status.prometheus')).body, '\nsvc_status_decommissioned 0\n')
  await app.close()
  await drained
})

t.test('the delay is 10 seconds if nothing is said', async (t) => {
  const { lines, stream } = logLines()
  const { app } = await statusApp(t, {}, { logger: { level: 'info', stream } })
  await app.ready()
  const drained = app.svcStatus.drain()
  t.ok(lines.some(({ msg }) => msg === 'draining for 10000 ms'))
  await app.close()
  await drained
})

const wrong: Array<[string, unknown, string, RegExp]> = [
  ['an unknown option', { dealy: 1 }, 'ERR_UNKNOWN_OPTION', /drain has no option "dealy"/],
  ['no object', 5, 'ERR_INVALID_OPTION', /drain/],
  ['a delay that is no time', { delay: '5s' }, 'ERR_INVALID_OPTION', /"delay"/],
  ['a delay below 0', { delay: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /"delay"/],
  ['a delay that no timer holds', { delay: 2 ** 31 }, 'ERR_OPTION_OUT_OF_RANGE', /"delay"/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`a drain with ${what} is refused, and the instance stays in service`, async (t) => {
    const { app } = await statusApp(t)
    await t.rejects(app.svcStatus.drain(options as object), { code, message })
    t.equal(app.svcStatus.draining, false)
    t.equal((await app.inject('/probe_status')).statusCode, 200)
  })
}
