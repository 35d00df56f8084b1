import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { most } from '../../lib/healthchecker/live/live-pages.js'
import { pageRoutes } from '../../lib/healthchecker/page-routes.js'
import { readRegistration } from '../../lib/healthchecker/registration.js'
import { writers } from '../../lib/healthchecker/writers.js'
import type { AppHistory, CheckRecord, FleetPage } from '../../types/healthchecker.js'
import { FakeTime } from '../policies/support/fake-time.js'
import { listen, logLines, type LogLine } from '../support/app.js'
import { eventually, follow, type Events } from '../support/events.js'
import { ask } from '../support/sockets.js'
import { FakeFleet } from './support/fake-fleet.js'

interface Live {
  readonly app: FastifyInstance
  readonly fleet: FakeFleet
  readonly port: number
  readonly time: FakeTime
  readonly lines: LogLine[]
  connect (path?: string, options?: http.RequestOptions): Promise<Events>
  get (path: string, method?: string): Promise<{ status: number, body: string, headers: http.IncomingHttpHeaders }>
}

/** The pages, served; the timers of the process stand still until they are told to go on. */
async function serve (t: Test, ...names: string[]): Promise<Live> {
  const time = new FakeTime()
  const { lines, stream } = logLines()
  const app = Fastify({ logger: { level: 'error', stream } })
  t.teardown(async () => await app.close())
  const fleet = new FakeFleet()
  pageRoutes(app, fleet, writers(undefined, true), time)
  await register(fleet, ...names)
  const port = await listen(app)
  t.teardown(time.install())
  return {
    app,
    fleet,
    port,
    time,
    lines,
    connect: async (path = '/live', options) => await follow({ port, path, ...options }),
    get: async (path, method = 'GET') => {
      const { statusCode: status, ...reply } = await ask({ port, path, method, agent: false })
      return { status, ...reply }
    }
  }
}

async function register (fleet: FakeFleet, ...names: string[]): Promise<void> {
  for (const name of names) await fleet.register(readRegistration({ name, url: `http://app${name.replace(/[^a-z0-9]/gi, '')}.example/health` }))
}

const check = (result: CheckRecord['result'], error?: string): CheckRecord => ({ at: Date.UTC(2030, 0, 1), result, duration: 1, ...error === undefined ? {} : { error } })
const lastOf = ({ messages }: Events): string => (messages.at(-1) as string[]).join('')
const count = async (events: Events, number: number): Promise<void> => await eventually(() => events.messages.length === number, `there are ${number} messages, not ${events.messages.length}`)
const mainOf = (body: string): string => body.slice(body.indexOf('<main'), body.indexOf('</main>') + 8)
const events = ['check', 'transition', 'registered', 'deregistered', 'trouble'] as const

t.test('who follows is told the whole page at once, as it is loaded: the list, a page of it, and an app', async (t) => {
  const { connect, fleet, get } = await serve(t, 'apps', 'shop', '<b>', 'wiki')
  fleet.set('shop', { state: 'UNHEALTHY', lastCheck: check('RED', '<i>') })
  fleet.trouble = [{ code: 'STORE_FULL', detail: 'no space left', since: 0 }]
  for (const [page, live] of [['/', '/live'], ['/?search=s&limit=1&offset=1', '/live?search=s&offset=1&limit=1'], ['/?state=PAUSED', '/live?state=PAUSED'], ['/status/shop', '/status/shop/live'], ['/status/%3Cb%3E', '/status/%3Cb%3E/live']]) {
    const { body, status } = await get(page)
    t.equal(status, 200)
    t.match(body, `data-live="${live.replace(/&/g, '&amp;')}"`)
    const events = await connect(live)
    await count(events, 1)
    t.match(events.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no', connection: 'close' })
    t.equal((events.messages[0] as string[]).length, 1)
    t.equal(lastOf(events), mainOf(body))
    events.leave()
  }
})

t.test('what is replaced has a key of its own, whatever apps are called', async (t) => {
  const { get } = await serve(t, 'apps', 'pps', 'main', ':', 'a:x', 'x', 'aken', 'verall', 'taken')
  const { body } = await get('/')
  const keys = [...body.matchAll(/data-k="([^"]*)"/g)].map(([, key]) => key)
  t.equal(new Set(keys).size, keys.length)
  t.ok(keys.length > 15)
})

t.test('a change is told a quarter of a second later, with what comes with it, and no page is made twice in a second', async (t) => {
  const { connect, fleet, time } = await serve(t, 'blog', 'shop')
  const events = await connect()
  await count(events, 1)
  t.equal(fleet.selected, 1)
  await time.advance(1_000)
  fleet.set('shop', { state: 'UNHEALTHY', lastCheck: check('RED', 'it answered 500') })
  fleet.set('blog', { state: 'HEALTHY' })
  await time.advance(249)
  t.equal(events.messages.length, 1)
  await time.advance(1)
  await count(events, 2)
  t.match(lastOf(events), /^<main[\s\S]*<strong>RED<\/strong>[\s\S]*it answered 500[\s\S]*HEALTHY/, 'the order is another')
  for (let times = 0; times < 1_000; times++) fleet.set('shop', { state: times % 2 === 0 ? 'DEGRADING' : 'UNHEALTHY', lastCheck: check('RED', `${times}`) })
  await time.advance(999)
  t.equal(fleet.selected, 2)
  await time.advance(1)
  await count(events, 3)
  t.equal(fleet.selected, 3)
  t.same((events.messages[2] as string[]).map((part) => /data-k="([^"]*)"/.exec(part)?.[1]), ['a:shop', 'taken'], 'what is new, and when that was')
  t.match(lastOf(events), /UNHEALTHY.*<td>999<\/td>/)
  await time.advance(4_999)
  t.equal(fleet.selected, 3)
  await time.advance(1)
  await count(events, 4)
  t.same((events.messages[3] as string[]).length, 1, 'when it was taken')
})

t.test('whatever happens to an app or to the fleet is told', async (t) => {
  const { connect, fleet, time } = await serve(t, 'shop')
  const [list, app] = [await connect(), await connect('/status/shop/live')]
  await count(list, 1)
  await count(app, 1)
  let told = 1
  const tells = async (what: string, change: () => unknown, here: RegExp, there?: RegExp): Promise<void> => {
    await time.advance(1_000)
    await change()
    await time.advance(250)
    told++
    await count(list, told)
    t.match(lastOf(list), here, what)
    if (there === undefined) return
    await eventually(() => there.test(lastOf(app)), `${what}: on the page of the app too, not ${lastOf(app)}`)
  }
  await tells('another is registered', async () => await register(fleet, 'blog'), /blog/)
  await tells('it is registered anew', async () => await fleet.register(readRegistration({ name: 'shop', url: 'http://new.example/health' })), /new\.example/, /new\.example/)
  await tells('it is paused', async () => await fleet.pause('shop', { why: 'moving' }), /moving/, /moving/)
  await tells('there is trouble', () => {
    fleet.trouble = [{ code: 'STORE_FULL', detail: 'no space left', since: 0 }]
    fleet.emit('trouble', fleet.trouble)
  }, /no space left/, /no space left/)
  await tells('what it says of itself', async () => {
    fleet.set('blog', { state: 'HEALTHY', status: { state: 'OK' } })
    await fleet.registry.snapshot()
    await time.advance(250)
    told++
    await count(list, told)
    await time.advance(1_000)
    fleet.set('blog', { status: { state: 'YELLOW', detail: 'its disk is nearly full' } })
    await fleet.registry.snapshot()
  }, /disk is nearly full/)
  await tells('it is deregistered', async () => await fleet.deregister('shop'), /1 app</, /GONE.*there is no app shop/)
  t.ok(told > 6)
})

t.test('the page of an app is made anew when it was checked, and not when others were', async (t) => {
  const { connect, fleet, time } = await serve(t, 'shop', 'blog')
  const events = await connect('/status/shop/live')
  await count(events, 1)
  await time.advance(1_000)
  fleet.histories.set('shop', { checks: [check('RED', 'it answered 500')], hours: [], uptime: {} })
  fleet.emit('check', 'blog', check('OK'))
  fleet.set('blog', { state: 'HEALTHY' })
  await time.advance(1_000)
  t.equal(events.messages.length, 1)
  fleet.emit('check', 'shop', check('RED'))
  await time.advance(250)
  await count(events, 2)
  t.match(lastOf(events), /The last 1 checks: 1 RED[\s\S]*it answered 500/)
  t.notMatch(lastOf(events), /data-k="form"/)
  t.equal(fleet.selected, 0)
})

t.test('who asks for the same follows the same page, however it is asked for, and each page is made once for all', async (t) => {
  const { connect, fleet, time } = await serve(t, 'shop')
  const all = [await connect('/live?search=sh&state=UNKNOWN')]
  await count(all[0], 1)
  for (const query of ['state=UNKNOWN&search=sh', 'limit=100&search=sh&state=UNKNOWN&tag=', 'search=sh&state=UNKNOWN&offset=0']) all.push(await connect(`/live?${query}`))
  await time.advance(999)
  t.equal(fleet.selected, 1)
  await time.advance(1)
  for (const events of all) await eventually(() => events.messages.length > 0, 'it is told')
  t.equal(fleet.selected, 2)
  const other = await connect('/live?search=SH&state=UNKNOWN')
  await count(other, 1)
  t.equal(fleet.selected, 3)
  await time.advance(1_000)
  fleet.set('shop', { state: 'DEGRADING' })
  await time.advance(250)
  await eventually(() => [...all, other].every((events) => lastOf(events).includes('No app is like that')), 'all are told')
  t.equal(fleet.selected, 5)
})

t.test('who comes later is not told what is older than the page that was loaded', async (t) => {
  const { connect, fleet, time } = await serve(t, 'shop')
  const first = await connect()
  await count(first, 1)
  await time.advance(2_000)
  fleet.set('shop', { lastCheck: check('RED', 'newer') })
  const second = await connect()
  await time.advance(249)
  t.same(second.messages, [])
  await time.advance(1)
  await count(second, 1)
  t.match(lastOf(second), /^<main[\s\S]*newer/)
  await count(first, 2)
})

t.test('while nobody follows nothing is listened to, no timer runs, and no page is made', async (t) => {
  const { connect, fleet, time } = await serve(t, 'shop')
  const listened = (): number => events.reduce((sum, event) => sum + fleet.listeners(event), 0)
  let changes = 0
  const { on, off } = fleet.registry
  fleet.registry.on = function (...args) { changes++; return on.apply(this, args) }
  fleet.registry.off = function (...args) { changes--; return off.apply(this, args) }
  t.equal(listened(), 0)
  const followers = [await connect(), await connect(), await connect('/status/shop/live')]
  for (const one of followers) await eventually(() => one.messages.length > 0 || one === followers[1], 'it is told')
  t.equal(listened(), events.length)
  t.equal(changes, 1)
  followers[0].leave()
  await eventually(() => followers[0].over(), 'one leaves')
  await time.advance(1_000)
  const told = followers[1].messages.length
  fleet.set('shop', { state: 'DEGRADING' })
  await time.advance(1_000)
  await eventually(() => followers[1].messages.length > told, 'the other is told all the same')
  for (const one of followers) one.leave()
  await eventually(() => listened() === 0, 'nobody listens')
  t.equal(changes, 0)
  t.equal(time.waiting, 0)
  const { selected } = fleet
  fleet.set('shop', { state: 'UNHEALTHY' })
  await time.advance(60_000)
  t.equal(fleet.selected, selected)
  const again = await connect()
  await count(again, 1)
  t.match(lastOf(again), 'UNHEALTHY')
})

t.test('there are only so many who follow, and only so many pages; others load their pages again', async (t) => {
  const { connect, get } = await serve(t, 'shop')
  const pages = [await connect('/status/shop/live')]
  for (let index = 1; index < most.pages; index++) pages.push(await connect(`/live?search=${index}`))
  t.match(await get('/live?search=more'), { status: 503, headers: { 'retry-after': '5', 'cache-control': 'no-store' }, body: /as many different pages.*loads itself again/ })
  for (let index = most.pages; index < most.followers; index++) pages.push(await connect('/live?search=1'))
  for (const path of ['/live?search=1', '/status/shop/live']) t.match(await get(path), { status: 503, body: /all connections/ })
  t.equal((await get('/?search=more')).status, 200)
  for (const one of pages.slice(-2)) one.leave()
  pages[5].leave()
  let status = 503
  await eventually(() => {
    connect('/live?search=more').then((events) => { status = events.statusCode }, () => {})
    return status === 200
  }, 'there is room')
})

t.test('a page that cannot be made ends, its readers ask for themselves, and it is tried again for who comes then', async (t) => {
  const { connect, fleet, lines, time, get } = await serve(t, 'shop')
  const { history } = fleet
  const [events, second] = [await connect('/status/shop/live'), await connect('/status/shop/live')]
  const list = await connect()
  await count(events, 1)
  fleet.history = async () => { throw new Error('the store is broken') }
  await time.advance(5_000)
  await eventually(() => events.over() && second.over(), 'they are over')
  t.match(lines.filter(({ msg }) => /followed/.test(String(msg))), [{ app: 'shop', err: { message: 'the store is broken' } }])
  t.equal((await get('/status/shop')).status, 500)
  fleet.history = history
  const again = await connect('/status/shop/live')
  await count(again, 1)
  t.notOk(list.over())
  again.leave()
  list.leave()
  await eventually(() => fleet.listeners('check') === 0, 'nothing is left behind')
  t.equal(time.waiting, 0)
})

t.test('a page that takes longer than ten seconds to make ends', async (t) => {
  const { connect, fleet, lines, time } = await serve(t, 'shop')
  let answer: (history?: AppHistory) => void = () => {}
  fleet.history = async () => await new Promise((resolve) => { answer = resolve })
  const events = await connect('/status/shop/live')
  fleet.emit('check', 'shop', check('OK'))
  await time.advance(9_999)
  t.notOk(events.over())
  await time.advance(1)
  await eventually(() => events.over(), 'it is over')
  t.match(lines, [{ app: 'shop', err: { message: /not made in 10000 ms/ } }])
  answer()
  await time.advance(60_000)
  t.equal(lines.length, 1)
  t.equal(fleet.listeners('check'), 0)
  t.equal(time.waiting, 0)
})

t.test('what fails after its readers have left is nobody\'s trouble', async (t) => {
  const { connect, fleet, lines, time } = await serve(t, 'shop')
  let fail: (error: Error) => void = () => {}
  fleet.history = async () => await new Promise((_resolve, reject) => { fail = reject })
  const events = await connect('/status/shop/live')
  events.leave()
  await eventually(() => fleet.listeners('check') === 0, 'it is gone')
  fail(new Error('too late'))
  await time.advance(20_000)
  t.same(lines, [])
})

t.test('of the pages that look through all apps one is made at a time, and then none for four times as long', async (t) => {
  const { connect, fleet, time } = await serve(t, 'shop')
  const answers: Array<() => void> = []
  const { list } = fleet
  fleet.select = async (query) => {
    fleet.selected++
    return await new Promise<FleetPage>((resolve) => answers.push(() => resolve(list.call(fleet, query))))
  }
  const [one, other, third] = [await connect('/live?search=s'), await connect('/live?search=h'), await connect('/live?search=o')]
  const app = await connect('/status/shop/live')
  await count(app, 1)
  await time.advance(600)
  t.equal(fleet.selected, 1)
  answers[0]()
  await count(one, 1)
  await time.advance(2_399)
  t.equal(fleet.selected, 1)
  await time.advance(1)
  await eventually(() => fleet.selected === 2, 'it is the turn of the next')
  other.leave()
  third.leave()
  await eventually(() => other.over() && third.over(), 'they left')
  answers[1]()
  await time.advance(2_600)
  await eventually(() => fleet.selected === 3, 'the first is made anew, and not what nobody waits for')
  answers[2]()
  await count(one, 2)
  for (const events of [one, app]) events.leave()
  await eventually(() => fleet.listeners('check') === 0, 'nobody follows')
  t.equal(time.waiting, 0)
})

t.test('a page that cannot be looked up does not keep others from their turns', async (t) => {
  const { connect, fleet } = await serve(t, 'shop')
  const { select } = fleet
  fleet.select = async (query) => query?.search === 'bad' ? await Promise.reject(new Error('broken')) : await select.call(fleet, query)
  const bad = await connect('/live?search=bad')
  await eventually(() => bad.over(), 'it is over')
  await count(await connect(), 1)
})

t.test('what cannot be followed is refused like its page', async (t) => {
  const { get, fleet } = await serve(t, 'shop')
  t.match(await get('/live?sate=x'), { status: 400, body: /no \\"sate\\"/ })
  t.match(await get('/status/none/live'), { status: 404, body: /there is no app/ })
  t.match(await get('/live', 'HEAD'), { status: 200, body: '', headers: { 'content-type': 'text/event-stream' } })
  t.equal(fleet.listeners('check'), 0)
})

t.test('the app closes while pages are followed, and nobody follows afterwards', async (t) => {
  const { app, connect, fleet, time } = await serve(t, 'shop')
  const followers = [await connect(), await connect('/status/shop/live')]
  await app.close()
  for (const one of followers) await eventually(() => one.over(), 'it is over')
  t.equal(fleet.listeners('check'), 0)
  t.equal(time.waiting, 0)
})

t.test('what goes on in the background belongs to no request', async (t) => {
  const requests = new AsyncLocalStorage<string>()
  const { app, fleet } = { app: Fastify(), fleet: new FakeFleet() }
  t.teardown(async () => await app.close())
  const time = new FakeTime()
  pageRoutes(app, fleet, writers(undefined, true), time)
  app.addHook('onRequest', (_request, _reply, done) => requests.run('a request', done))
  const seen: Array<string | undefined> = []
  const { select } = fleet
  fleet.select = async (query) => {
    seen.push(requests.getStore())
    return await select.call(fleet, query)
  }
  const port = await listen(app)
  t.teardown(time.install())
  const events = await follow({ port, path: '/live' })
  await count(events, 1)
  await time.advance(5_000)
  await count(events, 2)
  await time.advance(5_000)
  await count(events, 3)
  t.same(seen.slice(1), [undefined, undefined])
})
