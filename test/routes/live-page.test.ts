import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import http2 from 'node:http2'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { StatusPluginOptions } from '../../types/options.js'
import { StateHandler } from '../../lib/core/state-handler.js'
import { htmlFormat } from '../../lib/formats/html.js'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { everybody, listen, logLines, statusApp, type StatusApp } from '../support/app.js'
import { eventually, follow, type Events } from '../support/events.js'
import { parsePage } from '../support/page.js'
import { many } from '../support/snapshots.js'
import { ask } from '../support/sockets.js'
import { FakeTime } from '../policies/support/fake-time.js'

const path = '/svc_status.live'

interface Live extends StatusApp {
  readonly port: number
  readonly time: FakeTime
  connect (options?: object): Promise<Events>
}

/** An app that is served; the timers of the process stand still until they are told to go on. */
async function serve (t: Test, options: StatusPluginOptions = {}, server = {}): Promise<Live> {
  const time = new FakeTime()
  const served = await statusApp(t, options, server)
  const port = await listen(served.app)
  // What it takes to close the app comes before the timers stand still again.
  t.teardown(time.install())
  return { ...served, port, time, connect: async (options) => await follow({ port, path, ...options }) }
}

const lastOf = ({ messages }: Events): string[] => messages.at(-1) as string[]
const count = async (events: Events, number: number): Promise<void> => await eventually(() => events.messages.length === number, `there are ${number} messages, not ${events.messages.length}`)

t.test('who follows is told the whole page at once, as the page shows it', async (t) => {
  const { connect, port, registry } = await serve(t, { handlers: { db: () => ({ state: 'RED', detail: '<b>' }), mail: () => true } })
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const events = await connect({ agent })
  await count(events, 1)
  t.equal(events.statusCode, 200)
  t.match(events.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no', 'x-content-type-options': 'nosniff', connection: 'close' })
  const [main] = lastOf(events)
  const { body } = await ask({ port, path: '/svc_status.html', agent: false })
  const steady = (html: string): string => html.replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, '')
  t.equal(steady(main), steady(body.slice(body.indexOf('<main'), body.indexOf('</main>') + 8)))
  t.match(main, '&lt;b&gt;')
  t.notOk(registry.removeStatusHandler('nobody'))
})

t.test('the handlers are asked once in each interval for all who follow, and not at all when nobody does', async (t) => {
  let asked = 0
  const { connect, time } = await serve(t, { handlers: { db: () => { asked++; return { state: 'OK', detail: `asked ${asked} times` } } }, svcStatus: { html: { refresh: 5_000 } } })
  await time.advance(60_000)
  t.equal(asked, 0)
  const all = [await connect()]
  await count(all[0], 1)
  all.push(await connect(), await connect())
  for (const events of all) await count(events, 1)
  t.equal(asked, 1)
  for (let round = 2; round <= 4; round++) {
    await time.advance(5_000)
    for (const events of all) await count(events, round)
    t.equal(asked, round)
    for (const events of all) {
      t.equal(lastOf(events).length, 2, 'what changed, and when it was taken')
      t.match(lastOf(events)[0], new RegExp(`^<tr class="OK" data-k="0.0">.*asked ${round} times`))
      t.match(lastOf(events)[1], /^<p class="taken"/)
    }
  }
  for (const events of all) events.leave()
  await eventually(() => all.every((events) => events.over()), 'all left')
  await time.advance(60_000)
  t.ok(asked <= 5, `${asked}`)
  t.equal(time.waiting, 0, 'no timer runs any more')

  const again = await connect()
  await count(again, 1)
  t.match(lastOf(again)[0], `asked ${asked} times`)
  again.leave()
})

t.test('a change is told at once, without asking anybody, and with others that come with it', async (t) => {
  let asked = 0
  const { connect, time, registry } = await serve(t, { handlers: { db: () => { asked++; return true } } })
  const [worker, mail] = [new StateHandler(), new StateHandler()]
  worker.setState('OK')
  mail.setState('OK')
  registry.addStatusHandler('worker', worker)
  registry.addStatusHandler('mail', mail)
  const events = await connect()
  await count(events, 1)
  worker.setState('RED', { detail: 'stopped' })
  mail.setState('YELLOW')
  t.equal(time.waiting, 3, 'timers for the beat, the next question, and both changes together')
  await time.advance(249)
  t.equal(events.messages.length, 1)
  await time.advance(1)
  await count(events, 2)
  t.match(lastOf(events).join(''), /went from OK to .*YELLOW.*\n.*went from OK to .*RED.*\n/)
  t.match(lastOf(events).join(''), 'stopped')
  t.equal(asked, 1)
})

t.test('what was taken when is not made younger by a change of another handler', async (t) => {
  const clock = { now: () => 1_800_000_000_000 + offset, monotonic: () => offset }
  let offset = 0
  const registry = new StatusRegistry({ clock })
  const worker = new StateHandler()
  worker.setState('OK')
  registry.addStatusHandler('worker', worker)
  registry.addStatusHandler('db', () => true, { cache: 60_000 })
  const { connect, time } = await serve(t, { registry })
  const takenIn = (events: Events): string | undefined => /taken".*?datetime="([^"]+)"/.exec(lastOf(events).join(''))?.[1]
  const events = await connect()
  await count(events, 1)
  t.equal(takenIn(events), new Date(1_800_000_000_000).toISOString())
  offset = 4_000
  const second = await connect()
  await count(second, 1)
  t.equal(takenIn(second), new Date(1_800_000_000_000).toISOString(), 'nobody was asked since')
  offset = 5_000
  worker.setState('RED')
  await time.advance(250)
  await count(events, 2)
  t.equal(takenIn(events), new Date(1_800_000_005_000).toISOString(), 'one has answered')
})

t.test('who comes later is not told what is older than what others know', async (t) => {
  const { connect, registry } = await serve(t)
  const worker = new StateHandler()
  worker.setState('OK', { detail: 'idle' })
  registry.addStatusHandler('worker', worker)
  const first = await connect()
  await count(first, 1)
  worker.setState('OK', { detail: 'busy' })
  const second = await connect()
  await count(second, 1)
  t.match(lastOf(second)[0], 'busy')
  await count(first, 2)
})

t.test('a handler that came meanwhile is asked before it is shown', async (t) => {
  let asked = 0
  const { connect, time, registry } = await serve(t, { handlers: { db: () => { asked++; return true } } })
  const worker = new StateHandler()
  worker.setState('OK')
  registry.addStatusHandler('worker', worker)
  const events = await connect()
  await count(events, 1)
  await time.advance(5_000)
  registry.addStatusHandler('new', async () => true)
  worker.setState('YELLOW')
  await time.advance(250)
  await count(events, 2)
  t.match(lastOf(events)[0], 'new')
  t.notMatch(events.text(), 'not asked yet')
  t.equal(asked, 2)
  await time.advance(9_999)
  t.equal(asked, 2, 'from then on as ever')
  await time.advance(1)
  await count(events, 3)
  t.equal(asked, 3)
})

t.test('a decommission and its end are told at once, and so is draining', async (t) => {
  const { app, connect, time } = await serve(t, { probeStatus: { auth: Object.assign(everybody, { who: () => 'alice' }) }, handlers: { db: () => true } })
  await app.svcStatus.decommission()
  t.equal(time.waiting, 0, 'while nobody follows there is nobody to tell')
  await app.svcStatus.recommission()
  const events = await connect()
  await count(events, 1)
  await app.inject({ method: 'POST', url: '/probe_status?body=OFF&reason=disks' })
  await time.advance(250)
  await count(events, 2)
  t.match(lastOf(events).join(''), /Out of service.*OFF.*alice.*disks/)
  await app.svcStatus.recommission()
  await time.advance(250)
  await count(events, 3)
  t.match(lastOf(events).join(''), 'In service')
  const drained = app.svcStatus.drain({ delay: 10_000 })
  await time.advance(250)
  await count(events, 4)
  t.match(lastOf(events).join(''), 'Draining')
  t.notOk(events.over(), 'it is followed until the app closes')
  await time.advance(10_000)
  await drained
  await eventually(() => events.over(), 'it is over')
})

t.test('what the probe waits for is shown too', async (t) => {
  const { connect } = await serve(t, { probeStatus: { requires: ['db'] }, handlers: { db: () => 'RED' } })
  const events = await connect()
  await count(events, 1)
  t.match(lastOf(events)[0], /Not ready.*RED db/)
})

t.test('who may not see details is not told them', async (t) => {
  const { connect, port, registry, time } = await serve(t, { details: async ({ headers }) => headers['x-team'] === 'ops' })
  const worker = new StateHandler()
  worker.setState('OK', { detail: 'secret' })
  registry.addStatusHandler('worker', worker)
  const [stranger, operator] = [await connect(), await connect({ headers: { 'x-team': 'ops' } })]
  await count(operator, 1)
  await count(stranger, 1)
  worker.setState('RED', { detail: 'another secret' })
  await time.advance(250)
  await count(operator, 2)
  await count(stranger, 2)
  t.match(operator.text(), /another secret/)
  t.notMatch(stranger.text(), /secret/)
  operator.leave()
  await eventually(() => operator.over(), 'it left')
  worker.setState('OK', { detail: 'a third secret' })
  await time.advance(250)
  await count(stranger, 3)
  let answer: (state: boolean) => void = () => {}
  registry.addStatusHandler('new', async () => await new Promise<boolean>((resolve) => { answer = resolve }))
  const again = await connect({ headers: { 'x-team': 'ops' } })
  await ask({ port, path: '/live_status', agent: false })
  t.strictSame(again.messages, [], 'who comes back is told nothing of before')
  answer(true)
  await count(again, 1)
  t.match(again.text(), /a third secret/)
  t.match(lastOf(again)[0], 'new')

  const { app } = await statusApp(t, { details: () => { throw new Error('no session') } })
  t.equal((await app.inject(path)).statusCode, 500)
})

t.test('one more than may follow gets 503 with when to come again, and is let in when another has left', async (t) => {
  const { connect } = await serve(t, { svcStatus: { html: { listeners: 2, refresh: 7_000 } } })
  const [first] = [await connect(), await connect()]
  const refused = await connect()
  t.equal(refused.statusCode, 503)
  t.equal(refused.headers['retry-after'], '7')
  t.equal(refused.headers['cache-control'], 'no-store')
  await eventually(() => refused.over(), 'its reply is over')
  t.match(JSON.parse(refused.text()), { statusCode: 503, message: /all connections .* are taken; the page loads itself again instead/ })
  first.leave()
  await eventually(() => first.over(), 'it left')
  const next = await connect()
  t.equal(next.statusCode, 200)
})

t.test('without listeners there is no such address', async (t) => {
  const { app } = await statusApp(t, { svcStatus: { html: { listeners: 0 } } })
  t.equal((await app.inject(path)).statusCode, 404)
})

t.test('a page of another make is not followed, and one may be made from ours', async (t) => {
  const own = { name: 'html', contentTypes: ['text/html'], render: () => '' }
  const { app } = await statusApp(t, { formats: [own] })
  t.equal((await app.inject(path)).statusCode, 404)
})

t.test('HEAD tells what GET does, and takes no place', async (t) => {
  const { port, connect } = await serve(t, { svcStatus: { html: { listeners: 1 } } })
  const head = await ask({ port, path, method: 'HEAD', agent: false })
  t.equal(head.statusCode, 200)
  t.match(head.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' })
  t.equal((await connect()).statusCode, 200)
  t.equal((await ask({ port, path, method: 'HEAD', agent: false })).statusCode, 503)
})

t.test('whoever the app does not let in does not follow', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  app.addHook('onRequest', async (_request, reply) => await reply.code(401).send('who are you?'))
  await app.register(statusPlugin, { registry: new StatusRegistry() })
  t.equal((await app.inject(path)).statusCode, 401)
})

t.test('headers that the app gives every reply are there', async (t) => {
  const { app, connect } = await statusApp(t).then(async ({ app }) => {
    app.addHook('onSend', async (_request, reply) => { reply.header('x-own', 'yes') })
    const port = await listen(app)
    return { app, connect: async () => await follow({ port, path }) }
  })
  const events = await connect()
  t.equal(events.headers['x-own'], 'yes')
  await app.close()
  await eventually(() => events.over(), 'it is over')
})

t.test('closing the app ends all streams, also that of a reader who does not read, and does not hang', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('db', () => ({ state: 'OK', detail: 'x'.repeat(4_000) }))
  for (const [name] of many(1_500)) registry.addStatusHandler(name, () => ({ state: 'OK', detail: 'x'.repeat(4_000) }))
  const port = await listen(app)
  const reader = await follow({ port, path })
  await eventually(() => reader.messages.length === 1, 'the first has all')
  const idle = await follow({ port, path }, { paused: true })
  await app.close()
  await eventually(() => reader.over(), 'it is over')
  idle.leave()
})

t.test('a page with more than 2,000 handlers is not followed, and one that grows so large is not followed any more', async (t) => {
  const { connect, registry, time } = await serve(t)
  for (const [name] of many(2_000)) registry.addStatusHandler(name, () => true)
  const events = await connect()
  await count(events, 1)
  registry.addStatusHandler('one more', () => true)
  await time.advance(10_000)
  await eventually(() => events.over(), 'it is over')
  const refused = await connect()
  t.equal(refused.statusCode, 503)
  await eventually(() => refused.over(), 'the reply is over')
  t.match(refused.text(), /more than 2000 status handlers/)
  t.equal(refused.headers['retry-after'], '10')
})

t.test('over HTTP/2 it is a stream among others', async (t) => {
  const app = Fastify({ http2: true }) as unknown as ReturnType<typeof Fastify>
  t.teardown(async () => await app.close())
  await app.register(statusPlugin, { registry: new StatusRegistry() })
  const session = http2.connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': path })
  let text = ''
  let headers: http2.IncomingHttpHeaders = {}
  stream.on('response', (given) => { headers = given })
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => { text += chunk })
  await eventually(() => text.includes('data: '), 'the first message')
  t.equal(headers[':status'], 200)
  t.equal(headers.connection, undefined)
  const ended = new Promise((resolve) => stream.on('end', resolve))
  const closed = app.close()
  await ended
  // Fastify waits for sessions that are idle.
  session.close()
  await closed
})

t.test('whoever follows writes no line into the log, however it ends', async (t) => {
  const { lines, stream } = logLines()
  const { app, connect } = await serve(t, { svcStatus: { html: { listeners: 2 } } }, { logger: { level: 'info', stream } })
  lines.length = 0
  const [first, second] = [await connect(), await connect()]
  await count(first, 1)
  await connect()
  first.leave()
  await eventually(() => first.over(), 'it left')
  await app.close()
  await eventually(() => second.over(), 'it is over')
  t.strictSame(lines, [])
})

t.test('a page that cannot be rendered is logged, and the next one is told', async (t) => {
  const { lines, stream } = logLines()
  const html = htmlFormat({ refresh: 1_000 })
  let fails = false
  const own = { ...html, parts: (...given: Parameters<typeof html.parts>) => { if (fails) throw new Error('no page'); return html.parts(...given) } }
  const { connect, time } = await serve(t, { formats: [own] }, { logger: { level: 'warn', stream } })
  const events = await connect()
  await count(events, 1)
  fails = true
  await time.advance(1_000)
  t.match(lines, [{ level: 50, msg: 'a page that is followed could not be rendered', format: 'html', err: { message: 'no page' } }])
  fails = false
  await time.advance(1_000)
  await count(events, 2)
})

t.test('a warning of a format goes to the log of the app', async (t) => {
  const { lines, stream } = logLines()
  const html = htmlFormat()
  const own = { ...html, parts: (...[snapshot, context]: Parameters<typeof html.parts>) => { context.warn({ about: 1 }, 'careful'); return html.parts(snapshot, context) } }
  const { connect } = await serve(t, { formats: [own] }, { logger: { level: 'warn', stream } })
  await count(await connect(), 1)
  t.match(lines, [{ level: 40, msg: 'careful', about: 1 }])
})

t.test('the handlers are not asked in the name of the reader who came first', async (t) => {
  const requests = new AsyncLocalStorage<string>()
  const seen: Array<string | undefined> = []
  const { app, registry } = await statusApp(t, { svcStatus: { html: { refresh: 1_000 } } })
  registry.addStatusHandler('db', () => { seen.push(requests.getStore()); return true })
  app.addHook('onRequest', (_request, _reply, done) => requests.run('a request', done))
  const port = await listen(app)
  const time = new FakeTime()
  const restore = time.install()
  t.teardown(restore)
  const events = await follow({ port, path })
  await count(events, 1)
  await time.advance(1_000)
  await time.advance(1_000)
  t.equal(seen.length, 3)
  t.strictSame(seen.slice(1), [undefined, undefined])
  restore()
})

t.test('a slow handler is not asked again before it has answered, and may answer when all have left', async (t) => {
  let asked = 0
  let answer: (state: boolean) => void = () => {}
  const { app, connect, time } = await serve(t, { handlers: { slow: async () => { asked++; return await new Promise<boolean>((resolve) => { answer = resolve }) } }, timeout: 60_000, svcStatus: { html: { refresh: 1_000 } } })
  const events = await connect()
  await eventually(() => asked === 1, 'it was asked')
  await time.advance(10_000)
  t.equal(asked, 1)
  const second = await connect()
  await count(second, 1)
  t.match(lastOf(second)[0], /YELLOW.*not asked yet/, 'what is known is told')
  answer(true)
  await count(second, 2)
  t.match(lastOf(events).join(''), 'OK')
  await time.advance(1_000)
  t.equal(asked, 2)
  await app.close()
  answer(true)
  await time.advance(10_000)
  t.equal(asked, 2, 'nobody asks for a page that is closed')
})

t.test('the page is no other because it can be followed', async (t) => {
  const { app } = await statusApp(t, { prefix: '/x', svcStatus: { path: '/state' } })
  const { tags } = parsePage((await app.inject('/x/state.html')).body)
  t.equal(tags.find(({ name }) => name === 'body')?.attributes['data-live'], 'state.live')
  const port = await listen(app)
  const events = await follow({ port, path: '/x/state.live' })
  t.equal(events.statusCode, 200)
  events.leave()
})
