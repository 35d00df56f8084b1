import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import statusPlugin, { OK, RED, second, StateHandler, StatusRegistry, YELLOW } from 'fastify-svc-status'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { axe, launch, openPage, phone, type Opened } from './support/browser.js'
import { checkout } from './support/example.js'

const markup = '<img src=x onerror=alert(1)>'
const artifacts = join(checkout, 'artifacts')

let browser: Browser
t.before(async () => {
  browser = await launch()
  await mkdir(artifacts, { recursive: true })
  t.comment(`Chromium ${browser.version()}`)
})
t.teardown(async () => await browser?.close())

interface Served {
  readonly app: FastifyInstance
  readonly registry: StatusRegistry
  readonly worker: StateHandler
  readonly url: string
}

/** A service with handlers in all states, and with names and details that are markup. */
async function serve (t: Tap, { port = 0, refresh = second(1) } = {}): Promise<Served> {
  const registry = new StatusRegistry()
  const worker = new StateHandler()
  worker.setState(OK, { detail: 'idle' })
  const app = Fastify()
  await app.register(statusPlugin, {
    registry,
    handlers: {
      database: { handler: () => ({ state: OK, detail: '12 of 20 connections' }), description: 'the primary' },
      disk: () => ({ state: YELLOW, detail: '8.1 % free' }),
      'mail.example.org:25': { handler: () => { throw new Error('password=secret') }, critical: false },
      [markup]: () => ({ state: OK, detail: `</td><script>alert(2)</script>${markup} &lt;b>` }),
      'a handler with a name that is as long as a name may be, which is a hundred characters, so it wraps..': () => ({ state: OK, detail: 'x'.repeat(300) }),
      worker
    },
    svcStatus: { html: { title: 'Shop <b>status</b>', refresh } }
  })
  await app.listen({ host: '127.0.0.1', port })
  t.teardown(async () => await app.close())
  const address = app.server.address() as { port: number }
  return { app, registry, worker, url: `http://127.0.0.1:${address.port}/svc_status` }
}

const open = async (t: Tap, url: string, options?: BrowserContextOptions): Promise<Opened> => await openPage(t, browser, url, options)

t.test('Chromium gets the page without being told to, and nothing is wrong with it', async (t) => {
  const { url } = await serve(t)
  const { page, wrong, status, headers } = await open(t, url)
  t.equal(status, 200)
  t.match(headers, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': /default-src 'none'/, 'cache-control': 'no-store' })
  t.equal(await page.title(), 'YELLOW · Shop <b>status</b>')
  t.equal(await page.locator('h1').innerText(), 'Shop <b>status</b>')
  t.match(await page.locator('.overall').innerText(), /YELLOW/)
  t.same(await page.locator('tbody tr .state').allInnerTexts(), ['RED', 'YELLOW', 'OK', 'OK', 'OK', 'OK'])
  await afterRefresh(page)
  t.same(wrong, [])
})

t.test('names and details that are markup are text', async (t) => {
  const { url } = await serve(t)
  const { page, wrong } = await open(t, url)
  const row = page.locator('tbody tr', { hasText: 'onerror' })
  for (const when of ['at first', 'after a refresh']) {
    t.equal(await row.locator('th').innerText(), markup, when)
    t.equal(await row.locator('td').nth(1).innerText(), `</td><script>alert(2)</script>${markup} &lt;b>`, when)
    t.equal(await page.locator('img, main script, h1 b').count(), 0, when)
    await afterRefresh(page)
  }
  t.same(wrong, [])
})

t.test('what a handler threw is not on the page', async (t) => {
  const { url } = await serve(t)
  const { page } = await open(t, url)
  t.match(await page.locator('tbody tr.RED').innerText(), /threw Error/)
  t.notMatch(await page.content(), /password/)
})

for (const { what, options } of [
  { what: 'in light', options: { colorScheme: 'light' } },
  { what: 'in dark', options: { colorScheme: 'dark' } },
  { what: 'at the width of a phone', options: { colorScheme: 'light', ...phone } },
  { what: 'at the width of a phone in dark', options: { colorScheme: 'dark', ...phone } }
] as const) {
  t.test(`axe finds nothing ${what}`, async (t) => {
    const { app, url, worker } = await serve(t)
    // The policy would keep axe out.
    const { page } = await open(t, url, { ...options, bypassCSP: true })
    for (const [when, change] of [
      ['YELLOW', () => {}],
      ['RED', () => { worker.setState(RED, { detail: 'stopped' }) }],
      ['out of service', async () => await app.svcStatus.decommission('moved <b>', { for: 60_000, reason: 'why <b>', by: 'who <b>' })],
      ['gone', async () => await app.close()]
    ] as const) {
      await change()
      if (when === 'gone') await page.locator('.overall.lost').waitFor()
      else await page.reload()
      const { violations, passes } = await axe(page)
      t.same(violations, [], when)
      t.ok(passes.length > 10, `${passes.length} rules had something to look at`)
    }
  })

  t.test(`the page is no wider than the window ${what}`, async (t) => {
    const { url, registry } = await serve(t)
    registry.addStatusHandler('x'.repeat(100), () => ({ state: RED, detail: 'y'.repeat(4_000) }))
    const { page } = await open(t, url, options)
    const width = page.viewportSize()?.width
    t.same(await page.evaluate('({ window: innerWidth, page: document.documentElement.scrollWidth })'), { window: width, page: width })
  })
}

t.test('the page can be read without JavaScript, and loads itself again', async (t) => {
  const { url, worker } = await serve(t)
  const { page, wrong } = await open(t, url, { javaScriptEnabled: false })
  t.match(await page.locator('tbody tr', { hasText: 'worker' }).innerText(), /OK\s+worker\s+idle/)
  t.match(await page.locator('nav a').allInnerTexts(), ['csv', 'json', 'prometheus', 'health'])
  worker.setState(RED, { detail: 'stopped' })
  await page.locator('tbody').getByText('stopped').waitFor()
  t.same(wrong, [])
})

t.test('the links lead to the other formats', async (t) => {
  const { url } = await serve(t)
  const { page } = await open(t, url)
  const links = await page.evaluate("[...document.querySelectorAll('nav a')].map(({ href }) => href)") as string[]
  t.same(links, ['csv', 'json', 'prometheus', 'health'].map((format) => `${url}.${format}`))
  for (const link of links) t.equal((await fetch(link)).status, 200, link)
})

t.test('the page refreshes itself in its place when a state changes', async (t) => {
  const { url, worker, registry } = await serve(t)
  const { page, wrong } = await open(t, url)
  let loads = 0
  page.on('request', (request) => { if (request.isNavigationRequest()) loads++ })
  await page.evaluate("globalThis.heading = document.querySelector('h1')")
  await page.locator('nav a').first().focus()

  worker.setState(RED, { detail: 'stopped' })
  await page.locator('tbody tr.RED', { hasText: 'stopped' }).waitFor()
  t.match(await page.locator('.overall').innerText(), /RED/)
  worker.setState(OK, { detail: 'works again' })
  await page.locator('tbody').getByText('works again').waitFor()
  registry.addStatusHandler('new', () => ({ state: OK, detail: 'came later' }))
  await page.locator('tbody').getByText('came later').waitFor()
  registry.removeStatusHandler('new')
  await page.locator('tbody').getByText('came later').waitFor({ state: 'detached' })

  t.equal(loads, 0, 'it was not loaded again')
  t.ok(await page.evaluate("globalThis.heading === document.querySelector('h1')"), 'the heading is the same element')
  t.ok(await page.evaluate("document.activeElement.textContent === 'csv'"), 'the focus stayed where it was')
  t.same(wrong, [])
})

t.test('the page shows a decommission as it comes and goes', async (t) => {
  const { app, url } = await serve(t)
  const { page, wrong } = await open(t, url)
  await app.svcStatus.decommission('<i>moved</i>')
  await page.getByText('<i>moved</i>').waitFor()
  await app.svcStatus.recommission()
  await page.getByText('<i>moved</i>').waitFor({ state: 'detached' })
  t.same(wrong, [])
})

t.test('the page says that the service is gone, and follows it again when it is back', async (t) => {
  const { app, url } = await serve(t)
  const { page } = await open(t, url)
  await app.close()
  const gone = page.locator('.overall', { hasText: 'the service does not answer any more' })
  await gone.waitFor()
  t.match(await page.locator('tbody').innerText(), /worker/, 'what was known last is still there')
  await page.waitForEvent('requestfailed')
  t.equal(await gone.count(), 1)
  t.match(await gone.innerText(), /^Connection lost at \d{4}-.* UTC.*this is what it said at \d{4}-.* UTC/)
  t.equal(await page.locator('.link').innerText(), 'Connection lost')
  t.match(await page.title(), /^\? · /)
  t.match(await page.locator('.overall').innerText(), /does not answer any more/, 'the overall state says so, which screen readers hear')
  t.equal(await page.locator('.overall.OK').count(), 0, 'and is green no more')

  const again = await serve(t, { port: Number(new URL(url).port) })
  again.worker.setState(YELLOW, { detail: 'back' })
  await page.locator('tbody tr', { hasText: 'back' }).waitFor()
  t.equal(await gone.count(), 0)
  await page.locator('.link.live').waitFor()
  t.match(await page.title(), /^YELLOW · /)
})

t.test('screenshots are kept of the page in light, in dark and at the width of a phone', async (t) => {
  const { url } = await serve(t)
  for (const [name, options] of Object.entries({
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { colorScheme: 'light', ...phone, deviceScaleFactor: 2 }
  } as const)) {
    const { page } = await open(t, url, options)
    const path = join(artifacts, `svc-status-${name}.png`)
    t.ok((await page.screenshot({ path, fullPage: true })).length > 10_000, path)
  }
})

/** Waits until the page shows what was taken later. */
async function afterRefresh (page: Page): Promise<void> {
  const shown = await page.locator('.taken time').getAttribute('datetime')
  await page.locator(`.taken time:not([datetime="${shown}"])`).waitFor()
}

type Tap = { teardown (action: () => Promise<void>): unknown }
