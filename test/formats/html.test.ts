import { createHash } from 'node:crypto'
import t from 'tap'
import type { HtmlOptions } from '../../types/options.js'
import type { StatusResult } from '../../types/status.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { day, second } from '../../lib/core/units.js'
import { htmlFormat } from '../../lib/formats/html.js'
import { parsePage, type Page } from '../support/page.js'
import { many, registryOf, snapshotOf, textOf } from '../support/snapshots.js'

const page = async (answers: ReadonlyArray<readonly [string, unknown]>, options?: HtmlOptions, given = {}): Promise<Page> =>
  parsePage(await textOf(htmlFormat(options), await snapshotOf(answers), given))

const attack = '<img src=x onerror=alert(1)>'
const attacks = [attack, '"><script>alert(1)</script>', "' onmouseover='alert(1)", '</td></table>', '</script><script>alert(1)</script>', '</style>', '<!--', ']]>', '&lt;b&gt;', '&amp;', '{{7*7}}', 'a"b\\c']

t.test('it shows the overall state, and each handler with its state, detail and time', async (t) => {
  const { texts } = await page([['db', { state: 'OK', detail: '3 replicas' }], ['queue', { state: 'YELLOW', detail: '12 waiting' }], ['mail', 'RED']])
  t.match(texts.join('\n'), /\nMeasured\nRED\n Something does not work\n3 status handlers: 1 RED, 1 YELLOW, 1 OK\n/)
  t.match(texts.join('\n'), /\n3 status handlers: 1 RED, 1 YELLOW, 1 OK\nState\nName\nDetail\nSince\n/)
  t.match(texts.join('\n'), /\nOK\ndb\n3 replicas\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n/)
  t.match(texts.join('\n'), /\nYELLOW\nqueue\n12 waiting\n/)
  t.match(texts.join('\n'), /\nTaken at \n\d{4}-.* UTC\n, again every 10 s$/)
})

t.test('it says what the overall state means', async (t) => {
  t.match((await page([['a', 'OK']])).texts, ['OK · Service status', /^Skip/, 'Service status', 'csv', 'json', 'prometheus', 'health', 'Measured', 'OK', / Everything works/, /^1 status handler: 1 OK$/])
  t.match((await page([['a', 'YELLOW']])).texts, ['YELLOW · Service status', /^Skip/, 'Service status', 'csv', 'json', 'prometheus', 'health', 'Measured', 'YELLOW', / Something needs a look/, /^1 status handler: 1 YELLOW$/])
})

t.test('the worst come first, and among equals the order is that of the names', async (t) => {
  const { tags, texts } = await page([['a', 'OK'], ['b', 'RED'], ['c', 'YELLOW'], ['d', 'OK'], ['e', 'RED']])
  t.strictSame(tags.filter(({ name }) => name === 'tr').map(({ attributes }) => attributes.class), [undefined, 'RED', 'RED', 'YELLOW', 'OK', 'OK'])
  t.strictSame(texts.filter((text) => /^[a-e]$/.test(text)), ['b', 'e', 'c', 'a', 'd'])
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

t.test('a handler that is not critical is shown as one', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('cache', () => false, { critical: false })
  registry.addStatusHandler('db', () => true)
  const { texts } = parsePage(await textOf(htmlFormat(), await registry.snapshot()))
  t.match(texts.join('|'), '|YELLOW| Something needs a look|')
  t.equal(texts.filter((text) => text === 'not critical').length, 1)
})

t.test('so is the title', async (t) => {
  const { texts } = await page([], { title: attack })
  t.equal(texts.filter((text) => text === attack).length, 1, 'as heading')
  t.equal(texts.filter((text) => text === `OK · ${attack}`).length, 1, 'as title')
})

t.test('a decommission is shown with its body, which is text too, and its time', async (t) => {
  for (const body of attacks) {
    const { texts } = await page([], undefined, { decommission: { body, since: Date.UTC(2026, 0, 2, 3, 4, 5) } })
    t.match(texts.join('|'), '|Out of service| since |2026-01-02 03:04:05 UTC|: the probe answers |')
    t.ok(texts.includes(body), body)
  }
  t.notMatch((await page([])).texts.join(), /Out of service/)
})

t.test('a decommission is shown with who did it, why and until when, to who may see details', async (t) => {
  for (const text of attacks) {
    const decommission = { body: 'OFF', since: 0, until: Date.UTC(2026, 0, 2, 3, 4, 5), reason: `why ${text}`, by: `who ${text}` }
    const { texts } = await page([], undefined, { decommission })
    t.match(texts.join('|'), `|By|who ${text}|Reason|why ${text}|Until|2026-01-02 03:04:05 UTC|`)
    const quiet = (await page([], undefined, { decommission, details: false })).texts.join('|')
    t.notMatch(quiet, `who ${text}`)
    t.notMatch(quiet, `why ${text}`)
    t.match(quiet, '|OFF|Until|2026-01-02 03:04:05 UTC|')
  }
  t.match((await page([], undefined, { decommission: { body: 'OFF', since: 0 } })).texts.join('|'), '|OFF|Until|somebody puts it back|')
})

t.test('whether it is in service stands beside the measured state, and is not mixed up with it', async (t) => {
  const off = { body: 'OFF', since: 0 }
  const cases: Array<[object, string]> = [
    [{}, 'Service|In service| Nobody took it out'],
    [{ draining: true }, 'Service|Draining| It closes soon: the probe answers |DRAINING'],
    [{ unready: 'STARTING' }, 'Service|Starting| The probe answers |STARTING| until what it needs for its start was OK once'],
    [{ unready: 'RED <b>' }, 'Service|Not ready| What it requires does not work: the probe answers |RED <b>'],
    [{ decommission: off }, 'Service|Out of service| since '],
    [{ decommission: off, draining: true, unready: 'STARTING' }, '|OFF|Until|somebody puts it back|Draining|it closes soon|']
  ]
  for (const [given, expected] of cases) {
    const { texts, tags } = await page([['a', 'OK']], undefined, given)
    t.match(texts.join('|'), '|Measured|OK| Everything works|')
    t.match(texts.join('|'), expected)
    const [service] = tags.flatMap(({ attributes }) => attributes['data-k'] === 'service' ? [attributes.class] : [])
    t.equal(service, Object.keys(given).length === 0 ? 'service in' : 'service out')
  }
})

t.test('the last changes are shown, five at most, with their details for who may see them', async (t) => {
  const changes = Array.from({ length: 10 }, (_, index) => ({
    name: `h${index} ${attack}`, from: 'OK' as const, to: 'RED' as const, at: Date.UTC(2026, 0, 2, 3, 4, index), status: { state: 'RED' as const, ...index === 0 && { detail: `secret ${attack}` } }
  }))
  const { texts, tags } = await page([], undefined, { changes })
  t.match(texts.join('|'), `|Last changes|h0 ${attack}| went from OK to |RED|2026-01-02 03:04:00 UTC|secret ${attack}|h1 ${attack}| went from OK to |RED|2026-01-02 03:04:01 UTC|h2`)
  t.equal(tags.filter(({ name }) => name === 'li').length, 5)
  t.notMatch((await page([], undefined, { changes, details: false })).texts.join('|'), /secret/)
  t.notMatch((await page([])).texts.join('|'), /Last changes/)
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
  t.strictSame(tags.filter(({ name }) => name === 'a').map(({ attributes }) => attributes.href).slice(1), ['state.csv', 'state.json', 'state.own'])
})

t.test('it refreshes itself with JavaScript and without', async (t) => {
  for (const [refresh, seconds] of [[undefined, '10'], [second(1), '1'], [2_500, '3'], [day(1), '86400']] as const) {
    const html = await textOf(htmlFormat({ refresh }), await snapshotOf([]))
    const { tags } = parsePage(html)
    t.equal(tags.find(({ name }) => name === 'body')?.attributes['data-refresh'], seconds)
    t.match(html, `<noscript><meta http-equiv="refresh" content="${seconds}"></noscript>`)
  }
})

t.test('it names the address that it follows, unless nobody may follow it or it is too large for that', async (t) => {
  const live = async (length: number, options?: HtmlOptions): Promise<string | undefined> =>
    (await page(many(length), options, { path: 'state' })).tags.find(({ name }) => name === 'body')?.attributes['data-live']
  t.equal(await live(2_000), 'state.live')
  t.equal(await live(2_001), undefined)
  t.equal(await live(1, { listeners: 1 }), 'state.live')
  t.equal(await live(1, { listeners: 0 }), undefined)
})

t.test('the skip link leads to the handlers, and every link within the page leads somewhere', async (t) => {
  for (const answers of [[], many(3)]) {
    const { tags } = parsePage(await textOf(htmlFormat(), await taggedRegistry(answers).snapshot()))
    const ids = tags.flatMap(({ attributes }) => attributes.id ?? [])
    t.equal(new Set(ids).size, ids.length, 'no id twice')
    const links = tags.flatMap(({ attributes }) => attributes.href?.startsWith('#') === true ? [attributes.href.slice(1)] : [])
    t.equal(links[0], 'handlers')
    for (const link of links) t.ok(ids.includes(link), link)
  }
})

t.test('what changes has a key of its own, and no two have the same', async (t) => {
  const { tags } = parsePage(await textOf(htmlFormat(), await taggedRegistry(many(4, (index) => ['OK', 'YELLOW', 'RED'][index % 3])).snapshot(), { changes: [] }))
  const keys = tags.flatMap(({ attributes }) => attributes['data-k'] ?? [])
  t.equal(new Set(keys).size, keys.length)
  for (const key of ['main', 'now', 'overall', 'service', 'groups', 'handlers', 'g0', 'c0', '0.1', '1.1', '4.0', 'taken']) t.ok(keys.includes(key), key)
})

/** Each has two tags but the first, which has none. */
function taggedRegistry (answers: ReadonlyArray<[string, unknown]>): StatusRegistry {
  const registry = new StatusRegistry()
  for (const [index, [name, answer]] of answers.entries()) registry.addStatusHandler(name, () => answer as StatusResult, { tags: index === 0 ? [] : [attack, `t${index}`] })
  return registry
}

t.test('the groups are those of the tags: the worst first, with links in the order of the tags', async (t) => {
  const { texts, tags } = parsePage(await textOf(htmlFormat(), await taggedRegistry([['a', 'OK'], ['b', 'OK'], ['c', 'RED']]).snapshot()))
  t.match(texts.join('|'), `|${attack} |RED|t1 |OK|t2 |RED|no tag|OK|${attack}|1 RED, 1 OK|State`)
  t.strictSame(tags.flatMap(({ name, attributes }) => name === 'h2' && attributes.id !== undefined ? [attributes.id] : []), ['g0', 'g2', 'g1', 'g3'])
  t.equal(texts.filter((text) => text === 'c').length, 2, 'a handler with two tags is in both groups')
  t.equal(texts.filter((text) => text === 'a').length, 1, 'one without a tag is in a group of its own')
  t.match(texts.join('|'), '|3 status handlers: 1 RED, 2 OK|', 'and each is counted once')
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
  ['a number of listeners that is none', { listeners: '10' }, 'ERR_INVALID_OPTION', /html\.listeners/],
  ['a part of a listener', { listeners: 1.5 }, 'ERR_OPTION_OUT_OF_RANGE', /html\.listeners/],
  ['fewer listeners than none', { listeners: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /html\.listeners/],
  ['more than 10,000 listeners', { listeners: 10_001 }, 'ERR_OPTION_OUT_OF_RANGE', /html\.listeners/],
  ['a refresh that is no time', { refresh: '10' }, 'ERR_INVALID_OPTION', /html\.refresh/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => htmlFormat(options as HtmlOptions), { code, message })
  })
}
