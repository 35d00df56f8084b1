import { parse } from 'csv-parse/sync'
import t from 'tap'
import type { StatusHandler } from '../../types/handler.js'
import { parseExposition, valuesBy } from '../support/exposition.js'
import { statusApp } from '../support/app.js'
import { parsePage } from '../support/page.js'

const circular: Record<string, unknown> = { state: 'YELLOW' }
circular.self = circular

const deep: Record<string, unknown> = { state: 'YELLOW' }
let inner = deep
for (let depth = 0; depth < 5_000; depth++) inner = (inner.inner = {}) as Record<string, unknown>

const throws = (what: unknown) => () => { throw what }
const rejects = (what: unknown) => async () => { throw what }
const metrics = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`m${index}`, index]))
const megabytes = 'x'.repeat(10 * 2 ** 20)

const handlers: Array<[string, () => unknown, string]> = [
  ['throws', () => { throw new Error('secret') }, 'RED'],
  ['throws a string', throws('secret'), 'RED'],
  ['rejects with a non-Error', rejects({ secret: 1 }), 'RED'],
  ['rejects with undefined', rejects(undefined), 'RED'],
  ['hangs', async () => await new Promise(() => {}), 'RED'],
  ['returns undefined', () => undefined, 'RED'],
  ['returns null', () => null, 'RED'],
  ['returns an empty object', () => ({}), 'RED'],
  ['returns an unknown state', () => ({ state: 'MAUVE' }), 'RED'],
  ['returns a state that throws', () => ({ get state () { throw new Error('secret') } }), 'RED'],
  ['returns a detail that throws', () => ({ state: 'YELLOW', get detail () { throw new Error('secret') } }), 'YELLOW'],
  ['returns a property that throws', () => ({ state: 'YELLOW', get more () { throw new Error('secret') } }), 'YELLOW'],
  ['returns a circular object', () => circular, 'YELLOW'],
  ['returns a very deep object', () => deep, 'YELLOW'],
  ['returns a BigInt', () => 1n, 'RED'],
  ['returns BigInts', () => ({ state: 'YELLOW', detail: 1n, big: 2n, metrics: { big: 3n } }), 'YELLOW'],
  ['returns a detail of 10 MB', () => ({ state: 'YELLOW', detail: megabytes }), 'YELLOW'],
  ['returns 10 MB of properties', () => ({ state: 'YELLOW', more: Array.from({ length: 1_000 }, () => megabytes.slice(0, 10_000)) }), 'YELLOW'],
  ['returns 20,000 metrics', () => ({ state: 'YELLOW', metrics }), 'YELLOW'],
  ['returns half a surrogate pair', () => ({ state: 'YELLOW', detail: 'a\ud800b', metrics: { '\udc00': 1 } }), 'YELLOW'],
  ['returns markup', () => ({ state: 'YELLOW', detail: '</td><script>alert(1)</script>', metrics: { '"} 1\nother 2': 1 } }), 'YELLOW']
]

const numbers: Record<string, number> = { OK: 0, YELLOW: 1, RED: 2 }
const words: Record<string, string> = { OK: 'pass', YELLOW: 'warn', RED: 'fail' }

for (const [what, handler, state] of handlers) {
  t.test(`a handler that ${what} is ${state} in every format, in a reply of bounded length, and its neighbours are OK`, async (t) => {
    const { app, registry } = await statusApp(t, { metrics: { registries: [] }, svcStatus: { csv: { detail: true } } })
    registry.addStatusHandler('before', () => true)
    registry.addStatusHandler('odd', handler as StatusHandler, { timeout: 20 })
    registry.addStatusHandler('same', async () => 'OK' as const)
    const get = async (url: string, accept = '*/*'): Promise<string> => {
      const { statusCode, body } = await app.inject({ url, headers: { accept } })
      t.ok([200, 503].includes(statusCode), `${url} ${statusCode}`)
      t.ok(body.length < 200_000, `${url} has ${body.length} characters`)
      t.notMatch(body, 'secret')
      return body
    }
    const expected: Record<string, string> = { before: 'OK', odd: state, same: 'OK' }
    const rows: string[][] = parse(await get('/svc_status.csv'), { delimiter: '\t' })
    t.strictSame(Object.fromEntries(rows), expected)
    const json: Record<string, { state: string }> = JSON.parse(await get('/svc_status.json'))
    t.strictSame(Object.fromEntries(Object.entries(json).map(([name, status]) => [name, status.state])), expected)
    const checks: Record<string, [{ status: string }]> = JSON.parse(await get('/svc_status.health')).checks
    t.strictSame(Object.fromEntries(Object.entries(checks).map(([name, [{ status }]]) => [name, status])), { before: 'pass', odd: words[state], same: 'pass' })
    for (const openMetrics of [false, true]) {
      const text = await get('/svc_status.prometheus', openMetrics ? 'application/openmetrics-text' : 'text/plain')
      t.strictSame(valuesBy('name', 'svc_status', parseExposition(text, { openMetrics })), { before: 0, odd: numbers[state], same: 0 })
    }
    t.match(parsePage(await get('/svc_status.html')).texts.join('|'), `|${state}|odd|`)
    t.equal(await get('/svc_status/odd'), state)
    t.equal(JSON.parse(await get('/svc_status/odd', 'application/json')).state, state)
    t.equal(await get('/svc_status/before'), 'OK')
  })
}

t.test('1,000 readers at once share one run', async (t) => {
  let ran = 0
  let answer: () => void = () => {}
  const answered = new Promise<void>((resolve) => { answer = resolve })
  const { app } = await statusApp(t, {
    handlers: {
      slow: async () => {
        ran++
        await answered
        return 'YELLOW' as const
      }
    }
  })
  const urls = ['/svc_status', '/svc_status.json', '/svc_status.prometheus', '/svc_status.health', '/svc_status/slow']
  const replies = Array.from({ length: 1_000 }, async (_, index) => await app.inject(urls[index % urls.length]))
  t.equal((await app.inject('/probe_status')).body, 'OK')
  answer()
  const codes = new Set((await Promise.all(replies)).map(({ statusCode }) => statusCode))
  t.strictSame([...codes], [200])
  t.equal(ran, 1)
})
