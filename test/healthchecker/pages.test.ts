import { gzipSync } from 'node:zlib'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { systemClock } from '../../lib/core/clock.js'
import { pageRoutes } from '../../lib/healthchecker/page-routes.js'
import { hourlyTimes, plot, strip, timesOf } from '../../lib/healthchecker/pages/plot.js'
import { readRegistration } from '../../lib/healthchecker/registration.js'
import { writers } from '../../lib/healthchecker/writers.js'
import type { CheckRecord } from '../../types/healthchecker.js'
import { FakeFleet } from './support/fake-fleet.js'

const token = 'correct horse'
const at = Date.UTC(2026, 0, 2)

interface Reply { readonly status: number, readonly text: string, readonly headers: Record<string, unknown> }
interface Served {
  readonly app: FastifyInstance
  readonly fleet: FakeFleet
  get (url: string): Promise<Reply>
  post (url: string, payload?: string, headers?: Record<string, string>): Promise<Reply>
}

async function serve (t: Test, given?: string): Promise<Served> {
  const app = Fastify()
  t.teardown(() => app.close())
  const fleet = new FakeFleet()
  pageRoutes(app, fleet, writers(given, true), { ...systemClock, now: () => at })
  await app.ready()
  const asked = async (method: 'GET' | 'POST', url: string, payload?: string, headers = {}): Promise<Reply> => {
    const reply = await app.inject({ method, url, payload, headers: { host: 'localhost', ...payload === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }, ...headers } })
    return { status: reply.statusCode, text: reply.body, headers: reply.headers }
  }
  return { app, fleet, get: async (url) => await asked('GET', url), post: async (url, payload, headers) => await asked('POST', url, payload, headers) }
}

async function register (fleet: FakeFleet, ...names: string[]): Promise<void> {
  for (const name of names) await fleet.register(readRegistration({ name, url: `http://${encodeURIComponent(name).replace(/[^a-z0-9]/gi, '')}.example:8080/health`, tags: ['web'] }))
}

const check = (result: CheckRecord['result'], duration: number, error?: string): CheckRecord => ({ at: at - 60_000, result, duration, ...error === undefined ? {} : { error } })

t.test('the list shows the fleet, and each app with its state in words', async (t) => {
  const { fleet, get } = await serve(t)
  t.match((await get('/')).text, /<strong>OK<\/strong> Everything works[\s\S]*no app is registered[\s\S]*No app is registered yet/)
  await register(fleet, 'blog', 'mail', 'nas', 'shop', 'wiki')
  fleet.set('blog', { state: 'HEALTHY', status: { state: 'OK' } })
  fleet.set('mail', { state: 'HEALTHY', status: { state: 'YELLOW', detail: 'its disk is nearly full' } })
  fleet.set('nas', { paused: { at, by: 'me', why: 'moving' } })
  t.match((await get('/')).text, /<strong>YELLOW<\/strong>/)
  fleet.set('shop', { state: 'UNHEALTHY', lastCheck: check('RED', 3, 'it answered 500') })
  const { status, text, headers } = await get('/')
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-security-policy': /default-src 'none'.*form-action 'self'/ })
  t.match(text, /<title>RED · Healthchecker<\/title>[\s\S]*<strong>RED<\/strong>/)
  t.match(text, /<a href="\/\?state=UNHEALTHY">1 UNHEALTHY<\/a>, <a [^>]*>1 UNKNOWN<\/a>, <a [^>]*>2 HEALTHY<\/a>, <a [^>]*>1 PAUSED<\/a>/)
  t.match(text, /<tr class="OK"[^>]*><td><span class="state">HEALTHY<\/span><\/td><th scope="row"><a href="\/status\/blog">blog<\/a><span class="where">http:\/\/blog\.example:8080\/health<\/span> <a class="tag" href="\/\?tag=web">web<\/a>/)
  t.match(text, /<tr class="YELLOW"[^>]*><td><span class="state">HEALTHY<\/span>.*its disk is nearly full/)
  t.match(text, /<tr class="paused"[^>]*><td><span class="state">PAUSED<\/span>.*moving/)
  t.match(text, /<tr class="RED"[^>]*><td><span class="state">UNHEALTHY<\/span>.*it answered 500/)
  t.match(text, /<tr class="YELLOW"[^>]*><td><span class="state">UNKNOWN<\/span>/)
  t.notMatch(text, /rel="next"/)
})

t.test('what the healthchecker says of itself counts in the state above the list', async (t) => {
  const { fleet, get } = await serve(t)
  let state: 'OK' | 'RED' = 'OK'
  fleet.registry.addStatusHandler('healthchecker store', () => state)
  t.match((await get('/')).text, /<title>OK · [\s\S]*<strong>OK<\/strong>/)
  state = 'RED'
  t.match((await get('/')).text, /<title>RED · [\s\S]*<strong>RED<\/strong>/)
})

t.test('the list is searched, filtered, and in pages', async (t) => {
  const { fleet, get } = await serve(t)
  await register(fleet, ...Array.from({ length: 250 }, (_, index) => `app ${String(index).padStart(3, '0')}`))
  const names = (text: string): string[] => [...text.matchAll(/<a href="\/status\/[^"]*">([^<]*)</g)].map(([, name]) => name)
  const first = (await get('/')).text
  t.equal(names(first).length, 100)
  t.match(first, /1 to 100 of 250/)
  t.match(first, /<a href="\/\?offset=100" rel="next">Next<\/a>/)
  t.notMatch(first, /rel="prev"/)
  const last = (await get('/?offset=200')).text
  t.equal(names(last).length, 50)
  t.match(last, /201 to 250 of 250.*<a href="\/\?offset=100" rel="prev">Previous<\/a>/)
  t.notMatch(last, /rel="next"/)
  const found = (await get('/?search=APP+01&state=UNKNOWN&tag=web&limit=4&offset=4')).text
  t.same(names(found), ['app 014', 'app 015', 'app 016', 'app 017'])
  t.match(found, /value="APP 01"/)
  t.match(found, /<option value="UNKNOWN" selected>/)
  t.match(found, /<a href="\/\?search=APP\+01&amp;state=UNKNOWN&amp;tag=web&amp;offset=8&amp;limit=4" rel="next">/)
  t.match((await get('/?state=PAUSED&offset=0')).text, /No app is like that/)
  await fleet.pause('app 001')
  await fleet.pause('app 002')
  t.match((await get('/?state=PAUSED&limit=1')).text, /<option value="PAUSED" selected>[\s\S]*state=PAUSED&amp;offset=1/)
  t.match((await get('/?offset=1000')).text, /Nothing here/)
  t.match(await get('/?limit=1001'), { status: 400 })
})

t.test('what strangers sent is text', async (t) => {
  const { fleet, get } = await serve(t)
  const markup = '"><script>alert(1)</script>'
  await fleet.register({ ...readRegistration({ name: markup, url: 'http://a', tags: [markup] }), path: `/${markup}` })
  fleet.set(markup, { lastCheck: check('RED', 1, markup), paused: { at, by: markup, why: markup } })
  fleet.histories.set(markup, { checks: [check('RED', 1, markup)], hours: [], uptime: {} })
  fleet.trouble = [{ code: 'STORE_FAILED', detail: markup, since: at }]
  for (const url of ['/', `/?search=${encodeURIComponent(markup)}&tag=${encodeURIComponent(markup)}`, `/status/${encodeURIComponent(markup)}?said=${encodeURIComponent(markup)}`]) {
    const { text, status } = await get(url)
    t.equal(status, 200)
    t.notMatch(text.replace(/<script>\n'use strict'/, ''), /<script>/, url)
    t.match(text, /&lt;script&gt;/)
  }
})

t.test('on the page of an app too, what is there and what is gone', async (t) => {
  const { fleet, get } = await serve(t)
  const markup = '<img src=x onerror=alert(1)>'
  await register(fleet, markup)
  const url = `/status/${encodeURIComponent(markup)}`
  fleet.set(markup, { status: { state: 'YELLOW', detail: markup } })
  t.match((await get(url)).text, /<p>&lt;img src=x/)
  fleet.set(markup, { lastCheck: check('RED', 1, markup) })
  const { text } = await get(url)
  t.match(text, /<p>&lt;img src=x/)
  await fleet.deregister(markup)
  const gone = await get(url)
  t.match(gone, { status: 404, text: /there is no app &lt;img src=x/ })
  for (const page of [text, gone.text]) t.notMatch(page, /<img/)
})

t.test('the page of an app shows its checks, uptime, response times and last error', async (t) => {
  const { fleet, get } = await serve(t)
  await register(fleet, 'shop')
  const before = (await get('/status/shop')).text
  t.match(before, /<strong>UNKNOWN<\/strong>[\s\S]*Not known yet[\s\S]*The last 0 checks: none yet[\s\S]*No check yet/)
  t.notMatch(before, /Last error/)
  fleet.set('shop', { state: 'UNHEALTHY', since: at, failures: 2, lastCheck: check('RED', 3, 'it answered 500') })
  fleet.histories.set('shop', {
    checks: [check('OK', 20), check('YELLOW', 30), check('RED', 1, 'it answered 500'), check('OK', 0.5)],
    hours: [{ at: at - 7_200_000, checks: 120, failures: 0, meanDuration: 20, maxDuration: 100 }, { at: at - 3_600_000, checks: 120, failures: 120, meanDuration: 0, maxDuration: 0 }],
    uptime: { day: 0.99999, month: 0.5 }
  })
  const { text, headers } = await get('/status/shop')
  t.match(headers['content-security-policy'], /form-action 'self'/)
  t.match(text, /<title>RED · shop<\/title>/)
  t.match(text, /<strong>UNHEALTHY<\/strong> since <time[^>]*>2026-01-02 00:00:00 UTC<\/time>[\s\S]*it answered 500/)
  t.match(text, /HTTP, every 30 s, 5 s at most/)
  t.match(text, /2 of 2 failures, 0 of 10 successes/)
  t.match(text, /aria-label="The last 4 checks: 1 RED, 1 YELLOW, 2 OK"/)
  t.match(text, /Last error <time[^>]*>2026-01-01 23:59:00 UTC<\/time>: it answered 500/)
  t.match(text, /<dt>24 hours<\/dt><dd>99\.99 %<\/dd>.*<dt>7 days<\/dt><dd>–<\/dd>.*<dt>30 days<\/dt><dd>50 %<\/dd>/)
  t.match(text, /Response times of the last checks: 17 ms on average, 30 ms at most/)
  t.match(text, /Hour by hour[\s\S]*Mean response times of the hours: 20 ms on average/)
  t.match(await get('/status/none'), { status: 404, text: /there is no app/ })
})

t.test('an app that is paused says by whom and why', async (t) => {
  const { fleet, get } = await serve(t)
  await register(fleet, 'shop')
  for (const [paused, said] of [[{ at, by: 'me', why: 'moving' }, /<p>by me: moving<\/p>/], [{ at, by: 'me' }, /<p>by me<\/p>/], [{ at }, /<p><\/p>/]] as const) {
    fleet.set('shop', { paused, nextCheck: undefined })
    const { text } = await get('/status/shop')
    t.match(text, /<strong>PAUSED<\/strong>/)
    t.match(text, said)
    t.match(text, /Resume the checks/)
  }
})

t.test('an app that says nothing of itself is shown with nothing', async (t) => {
  const { fleet, get } = await serve(t)
  await fleet.register(readRegistration({ name: 'shop', url: 'http://a' }))
  fleet.set('shop', { state: 'HEALTHY', status: { state: 'OK' } })
  t.match((await get('/')).text, /<tr class="OK".*<td><\/td><td><time/)
  const { text } = await get('/status/shop')
  t.match(text, /<strong>HEALTHY<\/strong> since <time[^>]*>[^<]*<\/time><\/p><p><\/p>/)
  t.notMatch(text, /<dt>Tags/)
})

t.test('an app of a machine whose clock was no clock is shown all the same', async (t) => {
  const { fleet, get } = await serve(t)
  await register(fleet, 'shop')
  fleet.set('shop', { since: 1e300 })
  t.equal((await get('/')).status, 200)
  t.match((await get('/status/shop')).text, /since \?/)
})

t.test('who has the token pauses and resumes by a form, and nobody else', async (t) => {
  const { fleet, get, post } = await serve(t, token)
  await register(fleet, 'a/b')
  t.match((await get('/status/a%2Fb')).text, /<form [^>]*method="post" action="\/status\/a%2Fb\/pause">[\s\S]*type="password"[\s\S]*Pause the checks/)
  for (const [payload, headers] of [['token=wrong', {}], ['', {}], [undefined, {}], ['token=wrong', { authorization: `Bearer ${token}` }]] as const) {
    t.match(await post('/status/a%2Fb/pause', payload, headers), { status: 303, headers: { location: '/status/a%2Fb?said=token' } })
    t.equal(fleet.get('a/b')?.paused, undefined)
  }
  t.match((await get('/status/a%2Fb?said=token')).text, /role="alert">The token is wrong: nothing was changed\./)
  t.notMatch((await get('/status/a%2Fb?said=constructor')).text, /role="alert"/)
  t.match(await post('/status/a%2Fb/pause', `token=${encodeURIComponent(token)}`), { status: 303, headers: { location: '/status/a%2Fb' } })
  t.match(fleet.get('a/b')?.paused, { by: '127.0.0.1' })
  t.match((await get('/status/a%2Fb')).text, /action="\/status\/a%2Fb\/resume"/)
  t.match(await post('/status/a%2Fb/resume', `token=${encodeURIComponent(token)}`), { status: 303 })
  t.equal(fleet.get('a/b')?.paused, undefined)
  t.match(await post('/status/none/resume', `token=${encodeURIComponent(token)}`), { status: 404 })
  t.match(await post('/status/a%2Fb/pause', 'x'.repeat(20_000)), { status: 413 })
})

t.test('without a token, our own page pauses, and that of another site does not', async (t) => {
  const { fleet, get, post } = await serve(t)
  await register(fleet, 'shop')
  const { text, headers } = await get('/status/shop')
  t.notMatch(text, /type="password"/)
  t.equal(headers['referrer-policy'], 'same-origin', 'or a browser would say that the form is of no site')
  for (const origin of ['http://evil.example', 'null']) t.match(await post('/status/shop/pause', '', { origin }), { status: 403 })
  t.match(await post('/status/shop/pause', '', { 'sec-fetch-site': 'cross-site' }), { status: 403 })
  t.equal(fleet.get('shop')?.paused, undefined)
  t.match(await post('/status/shop/pause', '', { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' }), { status: 303 })
  t.ok(fleet.get('shop')?.paused)
})

t.test('what could not be stored is said on the page', async (t) => {
  const { fleet, get, post } = await serve(t)
  await register(fleet, 'shop')
  fleet.failure = Object.assign(new Error('disk full'), { code: 'ERR_STORE_FAILED' })
  t.match(await post('/status/shop/pause', ''), { status: 303, headers: { location: '/status/shop?said=failed' } })
  t.match((await get('/status/shop?said=failed')).text, /This could not be stored: nothing was changed\./)
  fleet.failure = new Error('a fault')
  t.match(await post('/status/shop/pause', ''), { status: 500 })
})

t.test('what goes wrong with the healthchecker itself stands above everything', async (t) => {
  const { fleet, get } = await serve(t)
  await register(fleet, 'shop')
  fleet.trouble = [{ code: 'STORE_FULL', detail: 'no space left', since: at }]
  for (const url of ['/', '/status/shop']) t.match((await get(url)).text, /<strong>STORE_FULL<\/strong> no space left, since <time[\s\S]*class="overall/)
})

t.test('1,000 apps on one page are less than 150 KB compressed', async (t) => {
  const { fleet, get } = await serve(t)
  await register(fleet, ...Array.from({ length: 1_000 }, (_, index) => `service ${(index * 7919) % 10_007} of the shop`))
  for (const [index, { registration: { name } }] of [...fleet].entries()) fleet.set(name, { since: at - index * 977_777, state: index % 3 === 0 ? 'UNHEALTHY' : 'HEALTHY', lastCheck: check('RED', index, `no answer from it: E${index * 31}`) })
  const { text } = await get('/?limit=1000')
  t.equal(text.match(/<tr class/g)?.length, 1_000)
  t.ok(gzipSync(text).length < 150_000, `${gzipSync(text).length} bytes`)
})

t.test('a plot shows what there is: a line, dots, failures, nothing', async (t) => {
  const drawn = (points: Parameters<typeof plot>[0]): string => plot(points, 'x', 'from', 'to')
  t.match(drawn([10, 20, 15]), /<path d="M0 63L300 6L600 34.5"\/>/)
  t.match(drawn([0, 0]), /<path d="M0 120L600 120"\/>/)
  t.match(drawn([5]), /<circle cx="300" cy="6" r="2"\/>/)
  t.notMatch(drawn([5]), /<path/)
  t.match(drawn([undefined, 5, undefined]), /<line class="failed" x1="0" y1="0" x2="0" y2="120"\/>.*x1="600".*<circle cx="300"/)
  t.match(drawn([undefined]), /No response times yet/)
  t.same(timesOf([check('OK', 1), check('RED', 2), check('YELLOW', 3)]), [1, undefined, 3])
  t.same(hourlyTimes([{ at, checks: 2, failures: 2, meanDuration: 0, maxDuration: 0 }, { at, checks: 2, failures: 1, meanDuration: 7, maxDuration: 9 }]), [undefined, 7])
  const bars = strip(Array.from({ length: 70 }, (_, index) => check(index === 69 ? 'RED' : 'OK', 1)))
  t.equal(bars.match(/<rect/g)?.length, 60)
  t.match(bars, /The last 60 checks: 1 RED, 59 OK/)
  t.match(bars, /<rect class="RED" x="590" y="0" width="8" height="40"\/><\/svg>/)
})

t.test('the pages are in OpenAPI', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: {} })
  pageRoutes(app, new FakeFleet(), writers(undefined, true), systemClock)
  await app.ready()
  t.same(Object.keys((JSON.parse(JSON.stringify(app.swagger())) as { paths: object }).paths).sort(), ['/', '/live', '/status/{name}', '/status/{name}/live', '/status/{name}/pause', '/status/{name}/resume'])
})
