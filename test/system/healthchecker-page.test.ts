import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import http, { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Healthchecker, HealthcheckerClient, WatchedFleet } from 'fastify-svc-status/healthchecker'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import t from 'tap'
import { axe, launch, openPage, type Opened } from './support/browser.js'
import { checkout } from './support/example.js'
import { until } from './support/until.js'

const artifacts = join(checkout, 'artifacts')
const token = 'correct horse battery staple'
const markup = '<img src=x onerror=alert(1)>'
const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true }

let browser: Browser
t.before(async () => {
  browser = await launch()
  await mkdir(artifacts, { recursive: true })
})
t.teardown(async () => await browser?.close())

type Tap = { teardown (action: () => void | Promise<void>): unknown }

interface Served {
  readonly url: string
  readonly fleet: WatchedFleet
  readonly healthchecker: Healthchecker
  readonly client: (app: string) => HealthcheckerClient
  /** What the apps under a path answer from now on: 200, or 500. */
  readonly answers: Map<string, boolean>
}

/** A healthchecker with apps that work and that do not, and with names that are markup. */
async function serve (t: Tap, more = 0): Promise<Served> {
  const answers = new Map([['/ok', true], ['/bad', false]])
  const target = createServer((request, reply) => { reply.writeHead(answers.get(String(request.url)) === true ? 200 : 500).end() }).listen(0, '127.0.0.1')
  await once(target, 'listening')
  t.teardown(() => { target.close().closeAllConnections() })
  const { port } = target.address() as AddressInfo
  const fleet = new WatchedFleet()
  const healthchecker = new Healthchecker({ fleet, port: 0, token, announce: false, fastify: {} })
  t.teardown(async () => await healthchecker.close())
  const url = await healthchecker.listen()
  const client = (app: string): HealthcheckerClient => new HealthcheckerClient({ app, server: url, token })
  const names: Array<[string, string]> = [['blog', '/ok'], ['shop', '/bad'], [markup, '/ok'], ['x'.repeat(100), '/bad']]
  for (let index = 0; index < more; index++) names.push([`${['shop', 'billing', 'search', 'mail'][index % 4]}-${index}.eu-${index % 3}.example.com`, index % 50 === 0 ? '/bad' : '/ok'])
  for (const [name, path] of names) {
    const { ok, message } = await client(name).monitor({ url: `http://127.0.0.1:${port}${path}`, interval: more > 0 ? 300 : 5, timeout: 2, healthyThreshold: 2, tags: ['web', markup] })
    if (!ok) throw new Error(message)
  }
  return { url, fleet, healthchecker, client, answers }
}

async function open (t: Tap & { teardown (action: () => Promise<void>): unknown }, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  return await openPage(t, browser, url, options)
}

/** A page that has been told something. */
async function openLive (t: Tap, url: string, options?: BrowserContextOptions): Promise<Opened & { requests: string[] }> {
  const opened = await open(t, url, options)
  await opened.page.locator('.link.live').waitFor()
  const requests: string[] = []
  opened.page.on('request', (request) => requests.push(request.url()))
  return { ...opened, requests }
}

const row = (page: Page, name: string): Locator => page.locator('tbody tr', { has: page.getByRole('link', { name, exact: true }) })

t.test('the list is searched, and leads to the page of an app', async (t) => {
  const { url } = await serve(t)
  const { page, wrong } = await open(t, url)
  t.equal(await page.locator('tbody tr').count(), 4)
  await page.getByLabel('Name or host').fill('BLO')
  await page.getByRole('button', { name: 'Show' }).click()
  t.same(await page.locator('tbody th a').first().innerText(), 'blog')
  t.equal(await page.locator('tbody tr').count(), 1)
  await page.locator('tbody th a').first().click()
  t.equal(await page.locator('h1').innerText(), 'blog')
  await page.getByRole('link', { name: 'All apps' }).click()
  t.equal(await page.locator('tbody tr', { hasText: 'onerror' }).count(), 4, 'markup is text')
  t.equal(await page.locator('main img, main script').count(), 0)
  t.same(wrong, [])
})

t.test('a change of state is seen on the list and on the page of the app, over the connections that are there', async (t) => {
  const { url, fleet, answers } = await serve(t)
  await fleet.checkOnce()
  await fleet.checkOnce()
  const [list, app] = [await openLive(t, url), await openLive(t, `${url}/status/blog`)]
  await row(list.page, 'blog').getByText('HEALTHY', { exact: true }).waitFor()
  t.match(await app.page.title(), 'blog')
  const seen = async (state: string): Promise<void> => {
    const began = Date.now()
    await Promise.all([row(list.page, 'blog').getByText(state, { exact: true }).waitFor({ timeout: 20_000 }), app.page.locator('.overall strong', { hasText: state }).waitFor({ timeout: 20_000 })])
    t.comment(`${state} is seen on both after ${Date.now() - began} ms`)
  }
  for (const [works, ...states] of [[false, 'DEGRADING', 'UNHEALTHY'], [true, 'UNHEALTHY', 'HEALTHY']] as const) {
    answers.set('/ok', works)
    for (const state of states) {
      await fleet.checkOnce()
      await seen(state)
    }
  }
  t.match(await app.page.locator('#checks').getByRole('img').getAttribute('aria-label'), /\d+ RED, \d+ OK/)
  t.same([...list.requests, ...app.requests], [], 'nothing was loaded')
  t.same([...list.wrong, ...app.wrong], [])
})

t.test('who is searching is not disturbed by what is told', async (t) => {
  const { url, client, fleet } = await serve(t, 60)
  const { page, wrong, requests } = await openLive(t, url, { viewport: { width: 800, height: 500 } })
  const search = page.getByLabel('Name or host')
  await search.pressSequentially('blo')
  await page.getByLabel('State').selectOption('PAUSED')
  await search.focus()
  await page.evaluate("document.activeElement.setSelectionRange(1, 2); globalThis.mark = [document.querySelector('h1'), document.activeElement]; scrollTo(0, 120)")
  await client('blog').pause('moving')
  await row(page, 'blog').getByText('PAUSED', { exact: true }).waitFor({ timeout: 20_000 })
  await fleet.checkOnce()
  await page.locator('.overall strong', { hasText: 'YELLOW' }).waitFor({ timeout: 20_000 })
  t.same(await page.evaluate("({ value: document.activeElement.value, from: document.activeElement.selectionStart, to: document.activeElement.selectionEnd, same: globalThis.mark[0] === document.querySelector('h1') && globalThis.mark[1] === document.activeElement, state: document.querySelector('#state').value, top: scrollY })"),
    { value: 'blo', from: 1, to: 2, same: true, state: 'PAUSED', top: 120 })
  await page.keyboard.press('Enter')
  await page.waitForURL(/search=blo&state=PAUSED/)
  t.equal(await page.locator('tbody tr').count(), 1)
  await page.locator('.link.live').waitFor()
  await client('blog').resume()
  await page.getByText('No app is like that').waitFor({ timeout: 20_000 })
  t.equal(requests.filter((address) => !address.includes('search=blo')).length, 0)
  t.same(wrong, [])
})

t.test('what was typed on the page of an app stays, and so does what its form was answered', async (t) => {
  const { url, client } = await serve(t)
  const { page, wrong } = await openLive(t, `${url}/status/shop?said=token`)
  await page.evaluate("globalThis.mark = document.querySelector('h1')")
  await page.getByLabel('Token').fill('half a tok')
  t.ok((await client('shop').pause('moving')).ok)
  await page.locator('.overall strong', { hasText: 'PAUSED' }).waitFor({ timeout: 20_000 })
  t.match(await page.locator('.overall').innerText(), /moving/)
  t.equal(await page.evaluate("globalThis.mark === document.querySelector('h1')"), true, 'it is the same page')
  t.equal(await page.getByLabel('Token').inputValue(), 'half a tok')
  t.equal(await page.evaluate('document.activeElement.id'), 'token')
  t.ok(await page.getByRole('alert').isVisible())
  await page.getByRole('button', { name: 'Resume the checks' }).waitFor()
  t.ok((await client('shop').stop()).ok)
  await page.locator('.overall', { hasText: 'there is no app shop' }).waitFor({ timeout: 20_000 })
  await page.locator('.said', { hasText: /^GONE there is no app shop$/ }).waitFor()
  t.same(wrong, [])
})

t.test('whatever changes, the pages that were told are the pages that are loaded', async (t) => {
  const { url, fleet, client, answers } = await serve(t, 12)
  const pages = [await openLive(t, url), await openLive(t, `${url}/?search=shop&limit=2`), await openLive(t, `${url}/status/blog`)]
  const shops = ['shop-0.eu-0.example.com', 'shop-4.eu-1.example.com', 'shop-8.eu-2.example.com']
  let seed = 11
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  for (let step = 0; step < 8; step++) {
    if (random(2) === 0) answers.set('/ok', random(2) === 0)
    await fleet.checkOnce()
    if (random(2) === 0) await client(shops[random(3)]).pause(`step ${step}`)
    if (random(3) === 0) await client(shops[random(3)]).stop()
    await client('blog').pause(`in step ${step}`)
    for (const { page } of pages) {
      let [told, loaded] = ['', 'nothing yet']
      await until(`it is the same in step ${step}`, async () => {
        [told, loaded] = await page.evaluate(`(async () => {
          const loaded = new DOMParser().parseFromString(await (await fetch(location.href, { headers: { accept: 'text/html' } })).text(), 'text/html').querySelector('main')
          return [document.querySelector('main'), loaded].map((main) => {
            const copy = main.cloneNode(true)
            for (const time of copy.querySelectorAll('time')) delete time.dataset.ago
            copy.querySelector('.taken').remove()
            for (const next of copy.querySelectorAll('.counts time')) next.remove()
            return copy.outerHTML.replace(/>\\s+</g, '><')
          })
        })()`) as [string, string]
        return told === loaded
      })
      t.equal(told, loaded, `step ${step}`)
    }
    await client('blog').resume()
  }
  for (const { wrong } of pages) t.same(wrong, [])
})

t.test('where no place is left the page asks again and again, and sees the change', async (t) => {
  const { url, client } = await serve(t)
  const held = await Promise.all(Array.from({ length: 100 }, async () => await new Promise<http.ClientRequest>((resolve, reject) => {
    const request = http.get(`${url}/live`, { agent: false }, (reply) => { reply.on('error', () => {}).resume(); resolve(request) })
    request.on('error', reject)
  })))
  t.teardown(() => held.forEach((request) => request.destroy()))
  t.equal((await fetch(`${url}/live`)).status, 503)
  const { page } = await open(t, url)
  await page.locator('.link.asks', { hasText: 'Asks every 5 s' }).waitFor()
  await client('blog').pause('moving')
  await row(page, 'blog').getByText('PAUSED', { exact: true }).waitFor({ timeout: 30_000 })
  for (const request of held) request.destroy()
  await page.locator('.link.live').waitFor({ timeout: 30_000 })
})

t.test('the healthchecker closes at once while pages follow it, and they say so', async (t) => {
  const { url, healthchecker } = await serve(t)
  const pages = [await openLive(t, url), await openLive(t, `${url}/status/blog`)]
  const began = Date.now()
  await healthchecker.close()
  t.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`)
  for (const { page } of pages) await page.locator('.overall.lost').waitFor({ timeout: 30_000 })
})

t.test('what the checks found out is shown', async (t) => {
  const { url, fleet } = await serve(t)
  const { page } = await open(t, `${url}/status/shop`)
  await until('two checks are done', () => fleet.recent('shop').length >= 2)
  await page.locator('.strip rect.RED').nth(1).waitFor({ timeout: 60_000 })
  await page.locator('.overall strong', { hasText: 'UNHEALTHY' }).waitFor({ timeout: 60_000 })
  t.match(await page.locator('#checks').innerText(), /Last error .*500/)
})

t.test('who has the token pauses and resumes on the page, and nobody else', async (t) => {
  const { url, fleet } = await serve(t)
  const { page, wrong } = await open(t, `${url}/status/blog`)
  await page.getByLabel('Token').fill('wrong')
  await page.getByRole('button', { name: 'Pause the checks' }).click()
  await page.getByText('The token is wrong').waitFor()
  t.equal(fleet.get('blog')?.paused, undefined)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Pause the checks' }).click()
  await page.locator('.overall strong', { hasText: 'PAUSED' }).waitFor()
  t.ok(fleet.get('blog')?.paused)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Resume the checks' }).click()
  await page.getByRole('button', { name: 'Pause the checks' }).waitFor()
  t.equal(fleet.get('blog')?.paused, undefined)
  t.same(wrong, [])
})

t.test('without a token, everybody pauses and resumes on the page, by a name that a browser trusts and by another address', async (t) => {
  const here = Object.values(networkInterfaces()).flat().find((end) => end?.family === 'IPv4' && !end.internal)?.address
  for (const [host, address] of [['127.0.0.1', 'localhost'], ['0.0.0.0', here ?? '127.0.0.1']]) {
    const fleet = new WatchedFleet()
    const healthchecker = new Healthchecker({ fleet, host, port: 0, open: true, announce: false, fastify: {} })
    t.teardown(async () => await healthchecker.close())
    const { port } = new URL(await healthchecker.listen())
    const url = `http://${address}:${port}`
    t.ok((await new HealthcheckerClient({ app: 'blog', server: url }).monitor({ url: `http://${address}:${port}/live_status` })).ok)
    const { page, wrong } = await open(t, `${url}/status/blog`)
    await page.getByRole('button', { name: 'Pause the checks' }).click()
    await page.getByRole('button', { name: 'Resume the checks' }).waitFor()
    t.ok(fleet.get('blog')?.paused)
    await page.getByRole('button', { name: 'Resume the checks' }).click()
    await page.getByRole('button', { name: 'Pause the checks' }).waitFor()
    t.equal(fleet.get('blog')?.paused, undefined)
    t.same(wrong, [])
  }
})

t.test('without a token, a page of another site pauses nothing', async (t) => {
  const fleet = new WatchedFleet()
  const healthchecker = new Healthchecker({ fleet, port: 0, announce: false, fastify: {} })
  t.teardown(async () => await healthchecker.close())
  const url = await healthchecker.listen()
  t.ok((await new HealthcheckerClient({ app: 'blog', server: url }).monitor({ url: `${url}/live_status` })).ok)
  const evil = createServer((_request, reply) => { reply.setHeader('content-type', 'text/html').end(`<form method="post" action="${url}/status/blog/pause"><button>A kitten</button></form>`) }).listen(0, '127.0.0.1')
  await once(evil, 'listening')
  t.teardown(() => { evil.close().closeAllConnections() })
  const { page } = await open(t, `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  const [reply] = await Promise.all([page.waitForResponse(`${url}/status/blog/pause`), page.getByRole('button').click()])
  t.equal(reply.status(), 403)
  t.equal(fleet.get('blog')?.paused, undefined)
})

t.test('a page without JavaScript can be read and used', async (t) => {
  const { url, fleet } = await serve(t)
  const { page } = await open(t, `${url}/status/blog`, { javaScriptEnabled: false })
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Pause the checks' }).click()
  await page.locator('.overall strong', { hasText: 'PAUSED' }).waitFor()
  t.ok(fleet.get('blog')?.paused)
})

t.test('a page without JavaScript loads itself again', async (t) => {
  const { url, client } = await serve(t)
  const { page } = await open(t, url, { javaScriptEnabled: false })
  t.ok((await client('blog').pause('moving')).ok)
  await row(page, 'blog').getByText('PAUSED', { exact: true }).waitFor({ timeout: 60_000 })
})

for (const [what, options] of Object.entries({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'phone-360': { colorScheme: 'light', ...phone, deviceScaleFactor: 2 },
  'phone-320-dark': { colorScheme: 'dark', ...phone, viewport: { width: 320, height: 600 }, deviceScaleFactor: 2 }
} as const)) {
  t.test(`axe finds nothing in what was told, and no page is wider than the window: ${what}`, async (t) => {
    const { url, fleet, client } = await serve(t)
    await client('blog').pause('moving')
    for (let times = 0; times < 4; times++) await fleet.checkOnce()
    for (const [name, path] of Object.entries({ list: '/', nothing: '/?state=HEALTHY&search=nothing', app: '/status/shop?said=token', paused: '/status/blog', long: `/status/${'x'.repeat(100)}` })) {
      // The policy would keep axe out.
      const { page } = await openLive(t, url + path, { ...options, bypassCSP: true })
      const width = page.viewportSize()?.width
      t.same(await page.evaluate('({ window: innerWidth, page: document.documentElement.scrollWidth })'), { window: width, page: width }, path)
      const { violations, passes } = await axe(page)
      t.same(violations, [], path)
      t.ok(passes.length > 10, `${passes.length} rules had something to look at`)
      await page.screenshot({ path: join(artifacts, `healthchecker-${name}-${what}.png`), fullPage: true })
    }
    const { page } = await open(t, `${url}/status/nobody`, { ...options, bypassCSP: true })
    t.same((await axe(page)).violations, [], 'of an app that there is not')
    await page.screenshot({ path: join(artifacts, `healthchecker-gone-${what}.png`), fullPage: true })
  })
}

t.test('a list of 1,000 apps is followed: 100 of them, or all', async (t) => {
  const { url, fleet, answers } = await serve(t, 996)
  for (let times = 0; times < 2; times++) await fleet.checkOnce()
  const [first, all] = [await openLive(t, url, { viewport: { width: 1280, height: 900 } }), await openLive(t, `${url}/?limit=1000`)]
  t.equal(await first.page.locator('tbody tr').count(), 100)
  t.equal(await all.page.locator('tbody tr').count(), 1_000)
  t.match(await first.page.locator('tbody tr').first().innerText(), /UNHEALTHY/, 'the worst are first')
  await first.page.screenshot({ path: join(artifacts, 'healthchecker-list-1000.png') })
  answers.set('/bad', true)
  for (let times = 0; times < 2; times++) await fleet.checkOnce()
  for (const { page } of [first, all]) await page.locator('.overall.OK').waitFor({ timeout: 20_000 })
  t.same([...first.requests, ...all.requests], [])
  t.same([...first.wrong, ...all.wrong], [])
  const small = await openLive(t, url, { ...phone, deviceScaleFactor: 2 })
  await small.page.screenshot({ path: join(artifacts, 'healthchecker-list-1000-phone.png') })
})
