import { createHash } from 'node:crypto'
import t from 'tap'
import type { HtmlOptions } from '../../types/options.js'
import { day, second } from '../../lib/core/units.js'
import { htmlFormat } from '../../lib/formats/html.js'
import { parsePage, type Page } from '../support/page.js'
import { registryOf, snapshotOf, textOf } from '../support/snapshots.js'

const page = async (answers: ReadonlyArray<readonly [string, unknown]>, options?: HtmlOptions, given = {}): Promise<Page> =>
  parsePage(await textOf(htmlFormat(options), await snapshotOf(answers), given))

const attack = '<img src=x onerror=alert(1)>'
const attacks = [attack, '"><script>alert(1)</script>', "' onmouseover='alert(1)", '</td></table>', '</script><script>alert(1)</script>', '</style>', '<!--', ']]>', '&lt;b&gt;', '&amp;', '{{7*7}}', 'a"b\\c']

t.test('it shows the overall state, and each handler with its state, detail and time', async (t) => {
  const { texts } = await page([['db', { state: 'OK', detail: '3 replicas' }], ['queue', { state: 'YELLOW', detail: '12 waiting' }], ['mail', 'RED']])
  t.match(texts.join('\n'), /\nService status\nRED\n Something does not work\n3 status handlers: 1 OK, 1 YELLOW, 1 RED\nState\nName\nDetail\nSince\n/)
  t.match(texts.join('\n'), /\nOK\ndb\n3 replicas\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n/)
  t.match(texts.join('\n'), /\nYELLOW\nqueue\n12 waiting\n/)
  t.match(texts.join('\n'), /\nTaken at \n\d{4}-.* UTC\n, again every 10 s\n/)
})

t.test('it says what the overall state means', async (t) => {
  t.match((await page([['a', 'OK']])).texts, ['Service status', 'Service status', 'OK', / Everything works/, /^1 status handler: 1 OK$/])
  t.match((await page([['a', 'YELLOW']])).texts, ['Service status', 'Service status', 'YELLOW', / Something needs a look/, /^1 status handler: 1 YELLOW$/])
})

t.test('without handlers there is a sentence and no table', async (t) => {
  const { texts, tags } = await page([])
  t.ok(texts.includes('No status handlers are registered.'))
  t.notOk(tags.some(({ name }) => name === 'table'))
})

t.test('names, details and descriptions are text, whatever they hold', async (t) => {
  const registry = registryOf(attacks.map((text) => [text, { state: 'RED', detail: `detail ${text}` }]))
  registry.addStatusHandler('described', () => true, { description: `description ${attack}` })
  const { texts } = parsePage(await textOf(htmlFormat(), await registry.snapshot()))
  for (const text of attacks) {
    t.ok(texts.includes(text), text)
    t.ok(texts.includes(`detail ${text}`), text)
  }
  t.ok(texts.includes(`description ${attack}`))
})

t.test('so is the title', async (t) => {
  const { texts } = await page([], { title: attack })
  t.equal(texts.filter((text) => text === attack).length, 2, 'as title and as heading')
})

t.test('a decommission is shown with its body, which is text too, and its time', async (t) => {
  for (const body of attacks) {
    const { texts } = await page([], undefined, { decommission: { body, since: Date.UTC(2026, 0, 2, 3, 4, 5) } })
    t.match(texts.join('|'), '|Out of service since |2026-01-02 03:04:05 UTC|: the probe answers |')
    t.ok(texts.includes(body), body)
  }
  t.notMatch((await page([])).texts.join(), /Out of service/)
})

t.test('who may not see details does not', async (t) => {
  const answers: Array<[string, unknown]> = [['db', { state: 'RED', detail: 'secret' }]]
  t.notMatch((await page(answers, undefined, { details: false })).texts.join(), /secret/)
  t.match((await page(answers)).texts.join(), /secret/)
})

t.test('a handler that was never asked is YELLOW and has no time', async (t) => {
  const { texts } = parsePage(await textOf(htmlFormat(), registryOf([['db', true]]).latest()))
  t.match(texts.join('|'), /\|YELLOW\|db\|not asked yet\|Taken at \|/)
})

t.test('the content security policy lets the page use what stands in it and nothing else', async (t) => {
  const format = htmlFormat()
  const policy = new Map((format.headers?.['content-security-policy'] ?? '').split('; ').map((directive) => {
    const [name, ...sources] = directive.split(' ')
    return [name, sources]
  }))
  const { style, script } = await page([['db', 'OK']])
  const hash = (source: string): string => `'sha256-${createHash('sha256').update(source, 'utf8').digest('base64')}'`
  t.strictSame(policy.get('default-src'), ["'none'"])
  t.strictSame(policy.get('style-src'), [hash(style)])
  t.strictSame(policy.get('script-src'), [hash(script)])
  t.strictSame(policy.get('connect-src'), ["'self'"], 'the script asks for the page again')
  for (const name of ['base-uri', 'form-action', 'frame-ancestors']) t.strictSame(policy.get(name), ["'none'"], name)
  t.notMatch(format.headers?.['content-security-policy'], /unsafe|\*|http/)
})

t.test('the page loads nothing, and has neither inline handlers nor inline styles', async (t) => {
  const { tags, style, script } = await page([['db', { state: 'RED', detail: 'x' }]], undefined, { decommission: { body: 'OFF', since: 0 } })
  for (const { name, attributes } of tags) {
    t.notOk(Object.keys(attributes).some((key) => key.startsWith('on') || key === 'style' || key === 'src' || key === 'srcset'), name)
    t.notOk(['link', 'img', 'iframe', 'object', 'embed', 'base', 'form'].includes(name), name)
  }
  t.notMatch(style, /url\(|@import|</)
  t.notMatch(script, /https?:|innerHTML|eval|</)
})

t.test('it links the other formats, relative to its own address', async (t) => {
  const { tags } = await page([], undefined, { path: 'state', formats: ['csv', 'html', 'json', 'own'] })
  t.strictSame(tags.filter(({ name }) => name === 'a').map(({ attributes }) => attributes.href), ['state.csv', 'state.json', 'state.own'])
})

t.test('it refreshes itself with JavaScript and without', async (t) => {
  for (const [refresh, seconds] of [[undefined, '10'], [second(1), '1'], [2_500, '3'], [day(1), '86400']] as const) {
    const html = await textOf(htmlFormat({ refresh }), await snapshotOf([]))
    const { tags } = parsePage(html)
    t.equal(tags.find(({ name }) => name === 'body')?.attributes['data-refresh'], seconds)
    t.match(html, `<noscript><meta http-equiv="refresh" content="${seconds}"></noscript>`)
  }
})

t.test('the page says its language and has one heading, and the columns and rows of its table have headers', async (t) => {
  const { tags } = await page([['db', 'OK'], ['mail', 'RED']])
  const count = (wanted: string): number => tags.filter(({ name }) => name === wanted).length
  t.equal(tags.find(({ name }) => name === 'html')?.attributes.lang, 'en')
  for (const name of ['main', 'h1', 'caption', 'table', 'title']) t.equal(count(name), 1, name)
  t.strictSame(tags.filter(({ name }) => name === 'th').map(({ attributes }) => attributes.scope), ['col', 'col', 'col', 'col', 'row', 'row'])
})

const wrong: Array<[string, unknown, string, RegExp]> = [
  ['no object', 'x', 'ERR_INVALID_OPTION', /html/],
  ['an unknown option', { titel: 'x' }, 'ERR_UNKNOWN_OPTION', /"titel"/],
  ['a title that is no string', { title: 1 }, 'ERR_INVALID_OPTION', /html\.title/],
  ['an empty title', { title: '' }, 'ERR_INVALID_OPTION', /html\.title/],
  ['a refresh below a second', { refresh: 999 }, 'ERR_OPTION_OUT_OF_RANGE', /html\.refresh/],
  ['a refresh that is no time', { refresh: '10' }, 'ERR_INVALID_OPTION', /html\.refresh/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => htmlFormat(options as HtmlOptions), { code, message })
  })
}
