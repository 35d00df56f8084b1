import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Healthchecker, HealthcheckerClient, WatchedFleet } from 'fastify-svc-status/healthchecker'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import t from 'tap'
import { peer } from './support/peers.js'
import { until } from './support/until.js'

const token = 'correct horse battery staple'
const markup = '<img src=x onerror=alert(1)>'
const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true }
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

let browser: Browser
t.before(async () => {
  browser = await chromium.launch({ executablePath: peer('chromium'), args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
})
t.teardown(async () => await browser?.close())

interface Served { readonly url: string, readonly fleet: WatchedFleet, readonly client: (app: string) => HealthcheckerClient }

/** A healthchecker with apps that work and that do not, and with names that are markup. */
async function serve (t: Tap): Promise<Served> {
  const target = createServer((request, reply) => { reply.writeHead(request.url === '/bad' ? 500 : 200).end() }).listen(0, '127.0.0.1')
  await once(target, 'listening')
  t.teardown(() => { target.close().closeAllConnections() })
  const { port } = target.address() as AddressInfo
  const fleet = new WatchedFleet()
  const healthchecker = new Healthchecker({ fleet, port: 0, token, announce: false, fastify: {} })
  t.teardown(async () => await healthchecker.close())
  const url = await healthchecker.listen()
  const client = (app: string): HealthcheckerClient => new HealthcheckerClient({ app, server: url, token })
  for (const [name, path] of [['blog', '/ok'], ['shop', '/bad'], [markup, '/ok'], ['x'.repeat(100), '/bad']]) {
    const { ok, message } = await client(name).monitor({ url: `http://127.0.0.1:${port}${path}`, interval: 5, timeout: 2, healthyThreshold: 2, tags: ['web', markup] })
    if (!ok) throw new Error(message)
  }
  return { url, fleet, client }
}

async function open (t: Tap, url: string, options: BrowserContextOptions = {}): Promise<{ page: Page, wrong: string[] }> {
  const context = await browser.newContext(options)
  t.teardown(async () => await context.close())
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('console', (message) => wrong.push(`console ${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => wrong.push(`error: ${error}`))
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => {})
  })
  await page.goto(url)
  return { page, wrong }
}

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

t.test('a change is seen without loading the page again, and focus and what was typed stay', async (t) => {
  const { url, client } = await serve(t)
  const { page, wrong } = await open(t, `${url}/status/shop`)
  await page.evaluate("globalThis.mark = document.querySelector('h1')")
  await page.getByLabel('Token').fill('half a tok')
  t.ok((await client('shop').pause('moving')).ok)
  await page.locator('.overall strong', { hasText: 'PAUSED' }).waitFor({ timeout: 30_000 })
  t.match(await page.locator('.overall').innerText(), /moving/)
  t.equal(await page.evaluate("globalThis.mark === document.querySelector('h1')"), true, 'it is the same page')
  t.equal(await page.getByLabel('Token').inputValue(), 'half a tok')
  t.equal(await page.evaluate('document.activeElement.id'), 'token')
  t.same(wrong, [])
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

t.test('a page without JavaScript can be read and used', async (t) => {
  const { url, fleet } = await serve(t)
  const { page } = await open(t, `${url}/status/blog`, { javaScriptEnabled: false })
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Pause the checks' }).click()
  await page.locator('.overall strong', { hasText: 'PAUSED' }).waitFor()
  t.ok(fleet.get('blog')?.paused)
})

for (const { what, options } of [
  { what: 'in light', options: { colorScheme: 'light' } },
  { what: 'in dark', options: { colorScheme: 'dark' } },
  { what: 'on a phone', options: { colorScheme: 'light', ...phone } },
  { what: 'on a phone of 320 pixels in dark', options: { colorScheme: 'dark', ...phone, viewport: { width: 320, height: 600 } } }
] as const) {
  t.test(`axe finds nothing, and no page is wider than the window ${what}`, async (t) => {
    const { url, fleet, client } = await serve(t)
    await client('blog').pause('moving')
    await until('there are checks', () => fleet.recent('shop').length >= 2)
    for (const path of ['/', '/?state=HEALTHY&search=nothing', '/status/shop?said=token', '/status/blog', `/status/${'x'.repeat(100)}`]) {
      // The policy would keep axe out.
      const { page } = await open(t, url + path, { ...options, bypassCSP: true })
      const width = page.viewportSize()?.width
      t.same(await page.evaluate('({ window: innerWidth, page: document.documentElement.scrollWidth })'), { window: width, page: width }, path)
      await page.addScriptTag({ path: axeFile })
      const { violations, passes } = await page.evaluate('axe.run()') as { violations: Array<{ id: string, nodes: unknown[] }>, passes: unknown[] }
      t.same(violations.map(({ id, nodes }) => ({ id, nodes })), [], path)
      t.ok(passes.length > 10, `${passes.length} rules had something to look at`)
    }
  })
}

type Tap = { teardown (action: () => void | Promise<void>): unknown }
