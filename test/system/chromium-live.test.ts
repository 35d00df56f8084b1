import { mkdir } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import statusPlugin, { minute, OK, RED, second, StateHandler, StatusRegistry, YELLOW, type State, type Time } from 'fastify-svc-status'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { axe, launch, openPage, phone, type Opened } from './support/browser.js'
import { checkout } from './support/example.js'

const artifacts = join(checkout, 'artifacts')
const states = [OK, YELLOW, RED]

let browser: Browser
t.before(async () => {
  browser = await launch()
  await mkdir(artifacts, { recursive: true })
})
t.teardown(async () => await browser?.close())

type Tap = { teardown (action: () => Promise<void>): unknown }

interface Served {
  readonly app: FastifyInstance
  readonly registry: StatusRegistry
  readonly handlers: Readonly<Record<string, StateHandler>>
  readonly url: string
}

const tags: Readonly<Record<string, string[]>> = {
  database: ['payments', 'storage'],
  disk: ['host', 'storage'],
  memory: ['host'],
  'payment provider': ['external', 'payments'],
  'a-handler-with-a-very-long-name-that-has-no-space-anywhere.cluster-17.eu-central-1.example.com:8443': ['external'],
  worker: []
}

/** A service with handlers in groups, whose page asks but once a minute: what is seen earlier was told. */
async function serve (t: Tap, { refresh = minute(1) as Time, listeners = 100 } = {}): Promise<Served> {
  const registry = new StatusRegistry()
  const app = Fastify({ forceCloseConnections: 'idle' })
  const handlers = Object.fromEntries(Object.keys(tags).map((name) => {
    const handler = new StateHandler()
    handler.setState(OK, { detail: 'at first' })
    registry.addStatusHandler(name, handler, { tags: tags[name] })
    return [name, handler]
  }))
  await app.register(statusPlugin, { registry, svcStatus: { html: { title: 'Shop', refresh, listeners } } })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => await app.close())
  return { app, registry, handlers, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/svc_status` }
}

/** A page that has been told something. */
async function open (t: Tap, url: string, options?: BrowserContextOptions): Promise<Opened> {
  const opened = await openPage(t, browser, url, options)
  await opened.page.locator('.link.live').waitFor()
  return opened
}

t.test('a change is seen within a second or two, over the connection that is there', async (t) => {
  const { handlers, registry, url } = await serve(t)
  const { page, wrong } = await open(t, url)
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  handlers.disk.setState(RED, { detail: 'no space left' })
  await page.locator('tr.RED', { hasText: 'no space left' }).first().waitFor({ timeout: 20_000 })
  t.same(await page.locator('table h2').allInnerTexts(), ['host', 'storage', 'external', 'payments', 'no tag'], 'the worst groups are first')
  t.match(await page.locator('.changes li').first().innerText(), /disk went from OK to RED/)
  t.equal(await page.title(), 'RED · Shop')
  registry.removeStatusHandler('worker')
  handlers.disk.setState(OK, { detail: 'cleaned' })
  await page.locator('table', { hasText: 'no tag' }).waitFor({ state: 'detached', timeout: 20_000 })
  t.same(requests, [])
  t.same(wrong, [])
})

t.test('whatever changes, the page that was told is the page that is loaded', async (t) => {
  const { handlers, registry, url, app } = await serve(t)
  const { page, wrong } = await open(t, url)
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  for (let step = 0; step < 25; step++) {
    for (const handler of Object.values(handlers)) {
      if (random(3) === 0) handler.setState(states[random(3)] as State, { detail: `step ${step} <b>` })
    }
    if (random(3) === 0) registry.addStatusHandler(`new ${random(4)}`, () => true, { tags: [['host', 'other', 'a & b'][random(3)]], replace: true })
    if (random(4) === 0) registry.removeStatusHandler(`new ${random(4)}`)
    if (random(4) === 0) await (app.svcStatus.decommissioned === undefined ? app.svcStatus.decommission('OFF', { reason: `step ${step}` }) : app.svcStatus.recommission())
    handlers.worker.setState(step % 2 === 0 ? RED : OK, { detail: `step ${step}` })
    await page.locator('.changes', { hasText: `step ${step}` }).waitFor({ timeout: 20_000 })
    const [told, loaded] = await page.evaluate(`(async () => {
      const loaded = new DOMParser().parseFromString(await (await fetch(location.href, { headers: { accept: 'text/html' } })).text(), 'text/html').querySelector('main')
      return [document.querySelector('main'), loaded].map((main) => {
        const copy = main.cloneNode(true)
        for (const time of copy.querySelectorAll('time')) delete time.dataset.ago
        copy.querySelector('.taken').remove()
        return copy.outerHTML.replace(/>\\s+</g, '><')
      })
    })()`) as [string, string]
    t.equal(told, loaded, `step ${step}`)
  }
  t.same(wrong, [])
})

t.test('focus, selection and place survive what is told', async (t) => {
  const { handlers, url } = await serve(t)
  const { page } = await open(t, url, { viewport: { width: 800, height: 400 } })
  await page.locator('.groups a', { hasText: 'storage' }).focus()
  await page.evaluate(`(() => {
    const name = [...document.querySelectorAll('tbody th')].find((cell) => cell.textContent === 'memory')
    globalThis.row = name
    getSelection().selectAllChildren(name)
    scrollBy(0, name.getBoundingClientRect().top - 150)
  })()`)
  const place = async (): Promise<number> => await page.evaluate('globalThis.row.getBoundingClientRect().top')
  const before = await place()
  for (const [name, state] of [['worker', RED], ['payment provider', YELLOW]] as const) {
    handlers[name].setState(state, { detail: `${name} now` })
    await page.locator('tbody', { hasText: `${name} now` }).first().waitFor({ timeout: 20_000 })
  }
  t.equal(await page.evaluate("document.activeElement.getAttribute('href')"), '#g3')
  t.equal(await page.evaluate('String(getSelection())'), 'memory')
  t.ok(await page.evaluate('globalThis.row.isConnected'), 'the row is the same element')
  // Chromium and Firefox hold what is seen in its place: https://www.w3.org/TR/css-scroll-anchoring-1/
  t.ok(Math.abs(await place() - before) < 60, `from ${before} to ${await place()}`)
})

t.test('a screen reader hears of changes, politely, and not of every time the page was told something', async (t) => {
  const { app, handlers, url } = await serve(t, { refresh: second(1) })
  const { page } = await open(t, url)
  await page.evaluate("globalThis.said = []; new MutationObserver(() => said.push(document.querySelector('.said').textContent)).observe(document.querySelector('.said'), { childList: true, characterData: true, subtree: true })")
  t.equal(await page.locator('[role=status], [aria-live]').count(), 1)
  for (let times = 0; times < 3; times++) await nextTold(page)
  t.same(await page.evaluate('said'), [])
  handlers.disk.setState(RED, { detail: 'full' })
  await page.locator('.said', { hasText: 'disk' }).waitFor()
  handlers.disk.setState(RED, { detail: 'fuller' })
  await page.locator('tbody').getByText('fuller').first().waitFor()
  await app.svcStatus.decommission()
  await page.locator('.said', { hasText: 'service' }).waitFor()
  for (let times = 0; times < 2; times++) await nextTold(page)
  t.same(await page.evaluate('said'), ['RED Something does not work. disk went from OK to RED', 'Out of service'])
})

t.test('all that can be used is reached by the keyboard, and shows that it has the focus', async (t) => {
  const { url } = await serve(t)
  const { page } = await open(t, url)
  const walked: string[] = []
  for (let step = 0; step < 10; step++) {
    await page.keyboard.press('Tab')
    const [text, width, seen] = await page.evaluate(`(() => {
      const { activeElement: at } = document
      const { top, width, height } = at.getBoundingClientRect()
      const style = getComputedStyle(at)
      return [at.textContent, style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth), top >= 0 && width > 10 && height > 10]
    })()`) as [string, number, boolean]
    walked.push(text)
    t.ok(width >= 2 && seen, `${text} is seen, with an outline of ${width} px`)
  }
  t.same(walked, ['Skip to the status handlers', 'csv', 'json', 'prometheus', 'health', 'external OK', 'host OK', 'payments OK', 'storage OK', 'no tag OK'])
  t.equal(await page.locator('a, button, input, [tabindex="0"]').count(), walked.length, 'there is nothing else')
  await page.keyboard.press('Enter')
  t.match(page.url(), /#g4$/)
  await page.reload()
  await page.goto(url)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  t.equal(await page.evaluate('document.activeElement.id'), 'handlers')
})

t.test('one more page than may follow loads itself again, and follows when there is room', async (t) => {
  const { handlers, url } = await serve(t, { refresh: second(1), listeners: 1 })
  const first = await open(t, url)
  const { page } = await openPage(t, browser, url)
  await page.locator('.link', { hasText: 'Asks every 1 s' }).waitFor()
  handlers.disk.setState(YELLOW, { detail: 'nearly full' })
  await page.locator('tbody').getByText('nearly full').first().waitFor()
  await first.page.close()
  await page.locator('.link.live').waitFor()
})

t.test('a page that is hidden gives up its connection, and follows again when it is seen', async (t) => {
  const { handlers, url } = await serve(t, { refresh: second(1), listeners: 1 })
  const { page } = await open(t, url)
  const show = async (hidden: boolean): Promise<void> => await page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`)
  await show(true)
  await page.locator('.link', { hasText: 'Asks every 1 s' }).waitFor()
  const other = await open(t, url)
  handlers.disk.setState(RED)
  await page.locator('tbody tr.RED').first().waitFor()
  t.equal(await page.title(), 'RED · Shop', 'the title of its tab is kept up to date')
  await other.page.close()
  await show(false)
  await page.locator('.link.live').waitFor()
})

t.test('the service closes at once while pages follow it', async (t) => {
  const { app, url } = await serve(t)
  const pages = await Promise.all([open(t, url), open(t, url), open(t, url)])
  const started = Date.now()
  await app.close()
  t.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`)
  for (const { page } of pages) await page.locator('.overall.lost').waitFor()
})

t.test('a connection that went silent is taken for lost, and a page of another release is loaded anew', async (t) => {
  const { url } = await serve(t)
  let html = await (await fetch(url, { headers: { accept: 'text/html' } })).text()
  let streams = 0
  const server = http.createServer((request, response) => {
    response.setHeader('content-type', request.url === '/svc_status.live' ? 'text/event-stream' : 'text/html')
    if (request.url !== '/svc_status.live') return response.end(html)
    streams++
    response.write('\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  const context = await browser.newContext()
  t.teardown(async () => await context.close())
  const page = await context.newPage()
  await page.clock.install()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/svc_status`)
  t.equal(await page.locator('.link').innerText(), '')
  await page.clock.fastForward(44_000)
  t.equal(await page.locator('.link').innerText(), '', 'it may still say something')
  await page.clock.fastForward(2_000)
  await page.locator('.link', { hasText: 'Asks every 60 s' }).waitFor()
  t.equal(streams, 1)
  html = html.replace(/data-release="[^"]*"/, 'data-release="another"').replace('<h1>Shop', '<h1>New shop')
  await page.clock.fastForward(120_000)
  await page.clock.fastForward(46_000)
  await page.locator('h1', { hasText: 'New shop' }).waitFor()
})

for (const [what, options] of Object.entries({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'phone-320': { ...phone, viewport: { width: 320, height: 700 }, colorScheme: 'light', deviceScaleFactor: 2 },
  'phone-390-dark': { ...phone, colorScheme: 'dark', deviceScaleFactor: 2 }
} as const)) {
  t.test(`axe finds nothing in a page with groups, changes and a decommission, and nothing is wider than the window: ${what}`, async (t) => {
    const { app, handlers, registry, url } = await serve(t)
    for (let group = 0; group < 12; group++) registry.addStatusHandler(`${'x'.repeat(90)} ${group}`, () => true, { tags: [group === 0 ? 'y'.repeat(150) : `team ${group}`] })
    const { page } = await open(t, url, { ...options, bypassCSP: true })
    const check = async (when: string): Promise<void> => {
      const { violations, passes } = await axe(page)
      t.same(violations, [], when)
      t.ok(passes.length > 10)
      t.same(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${when}: its width`)
      await page.screenshot({ path: join(artifacts, `svc-status-${what}-${when}.png`), fullPage: true })
    }
    handlers['payment provider'].setState(RED, { detail: `HTTP 503 from https://api.example.com/${'v2/'.repeat(40)}: overloaded` })
    handlers.disk.setState(YELLOW, { detail: '8.1 % free' })
    await page.locator('.changes', { hasText: 'disk' }).waitFor()
    await check('in-service')
    await app.svcStatus.decommission('OFF', { reason: `new disks ${'z'.repeat(200)}`, by: 'alice', for: minute(30) })
    await page.locator('.service.out', { hasText: 'alice' }).waitFor()
    await check('out-of-service')
    await app.close()
    await page.locator('.overall.lost').waitFor()
    await check('lost')
  })
}

/** Waits until the page was told something more. */
async function nextTold (page: Page): Promise<void> {
  const shown = await page.locator('.taken time').getAttribute('datetime')
  await page.locator(`.taken time:not([datetime="${shown}"])`).waitFor()
}
