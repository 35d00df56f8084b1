import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { peer } from './peers.js'

export const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'
]

export async function launch (): Promise<Browser> {
  return await chromium.launch({ executablePath: peer('chromium'), args: flags })
}

export interface Opened {
  readonly page: Page
  /** Messages in the console, errors, violations of the policy, dialogs. */
  readonly wrong: string[]
  readonly status: number
  readonly headers: Record<string, string>
}

/** A page, and everything that went wrong in it. */
export async function openPage (t: { teardown (action: () => Promise<void>): unknown }, browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext(options)
  t.teardown(async () => await context.close())
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('console', (message) => wrong.push(`console ${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => wrong.push(`error: ${error}`))
  page.on('crash', () => wrong.push('crash'))
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => {})
  })
  // Text: what runs in the page has no types here.
  await page.addInitScript({
    content: "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective, event.blockedURI))"
  })
  const reply = await page.goto(url)
  return { page, wrong, status: reply?.status() ?? 0, headers: await reply?.allHeaders() ?? {} }
}

/** What axe finds: https://github.com/dequelabs/axe-core. The page's policy would keep it out: open the page with `bypassCSP`. */
export async function axe (page: Page): Promise<{ violations: unknown[], passes: unknown[] }> {
  await page.addScriptTag({ path: axeFile })
  return await page.evaluate('axe.run()')
}
