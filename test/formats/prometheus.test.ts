import { Registry } from 'prom-client'
import t from 'tap'
import type { MetricsOptions } from '../../types/options.js'
import type { Clock } from '../../types/time.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { prometheusFormat } from '../../lib/formats/prometheus.js'
import { parseExposition, valuesBy } from '../support/exposition.js'
import { contextOf, many, registryOf, snapshotOf, textOf } from '../support/snapshots.js'

/** Ours alone. */
const own = (options: MetricsOptions = {}) => prometheusFormat({ registries: [], ...options })

/** A clock that says what it is told. */
function clockAt (now: number): Clock & { set (now: number): void } {
  let monotonic = 0
  return { now: () => now, monotonic: () => { monotonic += 1.5; return monotonic }, set: (next) => { now = next } }
}

t.test('a state is 0, 1 or 2, and HELP and TYPE stand once before all series', async (t) => {
  const text = await textOf(own(), await snapshotOf([['a', 'OK'], ['b', 'YELLOW'], ['c', 'RED']]))
  t.match(text, '# HELP svc_status State of a status handler: 0 OK, 1 YELLOW, 2 RED.\n# TYPE svc_status gauge\n' +
    'svc_status{name="a"} 0\nsvc_status{name="b"} 1\nsvc_status{name="c"} 2\n')
  const { families } = parseExposition(text)
  t.strictSame([...families.keys()], [
    'svc_status', 'svc_status_check_duration_seconds', 'svc_status_last_change_timestamp_seconds', 'svc_status_metric',
    'svc_status_check_timeout_seconds', 'svc_status_critical', 'svc_status_decommissioned'
  ])
  for (const [name, { type }] of families) t.equal(type, 'gauge', name)
})

t.test('durations and times of change are in seconds', async (t) => {
  const clock = clockAt(1_700_000_000_123)
  const registry = new StatusRegistry({ clock })
  let state: 'OK' | 'RED' = 'OK'
  registry.addStatusHandler('db', () => state)
  const read = async () => parseExposition(await textOf(own(), await registry.snapshot()))
  t.strictSame(valuesBy('name', 'svc_status_check_duration_seconds', await read()), { db: 0.0015 })
  t.strictSame(valuesBy('name', 'svc_status_last_change_timestamp_seconds', await read()), { db: 1_700_000_000.123 })
  clock.set(1_700_000_005_500)
  t.strictSame(valuesBy('name', 'svc_status_last_change_timestamp_seconds', await read()), { db: 1_700_000_000.123 }, 'while it is the same')
  state = 'RED'
  t.strictSame(valuesBy('name', 'svc_status_last_change_timestamp_seconds', await read()), { db: 1_700_000_005.5 })
})

t.test('the time that a run may take is in seconds, and absent where nothing can stop a run', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('db', async () => true, { timeout: 1_500 })
  registry.addStatusHandler('mail', async () => true)
  registry.addStatusHandler('memory', () => true, { timeout: 1_500 })
  t.strictSame(valuesBy('name', 'svc_status_check_timeout_seconds', parseExposition(await textOf(own(), await registry.snapshot()))), { db: 1.5, mail: 5 })
})

t.test('a handler is critical unless it was said not to be', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('db', () => true)
  registry.addStatusHandler('mail', () => true, { critical: false })
  t.strictSame(valuesBy('name', 'svc_status_critical', parseExposition(await textOf(own(), await registry.snapshot()))), { db: 1, mail: 0 })
})

t.test('a handler that was set up otherwise is printed as it is now', async (t) => {
  const registry = new StatusRegistry()
  const format = own()
  const read = async () => {
    const parsed = parseExposition(await textOf(format, await registry.snapshot()))
    return [valuesBy('name', 'svc_status_check_timeout_seconds', parsed).db, valuesBy('name', 'svc_status_critical', parsed).db]
  }
  registry.addStatusHandler('db', async () => true)
  t.strictSame(await read(), [5, 1])
  registry.addStatusHandler('db', async () => true, { replace: true, timeout: 200 })
  t.strictSame(await read(), [0.2, 1])
  registry.addStatusHandler('db', async () => true, { replace: true, timeout: 200, critical: false })
  t.strictSame(await read(), [0.2, 0])
})

t.test('the numbers of a status are a metric each, whatever they are', async (t) => {
  const metrics = { 'queue length': 12, tiny: 5e-324, huge: 1.7976931348623157e308, below: -0.25, none: NaN, up: Infinity, down: -Infinity, big: 12345678901234567890n, 'quote"back\\line\nfeed': 1, words: 'x', nothing: null }
  Object.defineProperty(metrics, '__proto__', { value: 7, enumerable: true })
  const text = await textOf(own(), await snapshotOf([['db', { state: 'OK', metrics }]]))
  t.strictSame(Object.entries(valuesBy('metric', 'svc_status_metric', parseExposition(text))).sort(), Object.entries({
    'queue length': 12, tiny: 5e-324, huge: 1.7976931348623157e308, below: -0.25, none: NaN, up: Infinity, down: -Infinity, big: 12345678901234567000, 'quote"back\\line\nfeed': 1, ['__proto__']: 7
  }).sort())
  t.match(text, '{name="db",metric="none"} NaN\n')
  t.match(text, '{name="db",metric="up"} +Inf\n')
  t.match(text, '{name="db",metric="down"} -Inf\n')
})

t.test('names are escaped', async (t) => {
  const names = ['a"b\\c', '"', '\\', '\\n', '\\"', '}', '{a="b"} 1', '__proto__', '😀', 'a b', '# EOF', 'ü']
  const text = await textOf(own({ states: true }), await snapshotOf(names.map((name) => [name, 'RED'])))
  t.match(text, 'svc_status{name="a\\"b\\\\c"} 2\n')
  const parsed = parseExposition(text)
  t.strictSame(parsed.samples.filter(({ name }) => name === 'svc_status').map(({ labels }) => labels.name), [...names].sort())
})

t.test('a handler that was removed has no series any more, and one that came has', async (t) => {
  const registry = registryOf([['db', { state: 'OK', metrics: { a: 1 } }], ['cache', 'OK']])
  const format = own({ states: true })
  t.match(await textOf(format, await registry.snapshot()), /db/)
  registry.removeStatusHandler('db')
  t.notMatch(await textOf(format, await registry.snapshot()), /db/)
  registry.addStatusHandler('disk', () => 'RED')
  t.strictSame(valuesBy('name', 'svc_status', parseExposition(await textOf(format, await registry.snapshot()))), { cache: 0, disk: 2 })
})

t.test('a handler under another name in the same place has its own label', async (t) => {
  const registry = registryOf([['a', 'OK'], ['b', 'RED']])
  const format = own()
  await textOf(format, await registry.snapshot())
  registry.removeStatusHandler('b')
  registry.addStatusHandler('c', () => 'RED')
  t.strictSame(valuesBy('name', 'svc_status', parseExposition(await textOf(format, await registry.snapshot()))), { a: 0, c: 2 })
})

t.test('scrapes of very many that are read side by side show each what it was of', async (t) => {
  const registry = registryOf(many(2_001))
  const format = prometheusFormat({ registries: [] })
  const rendering = async (): Promise<Iterator<string>> => (await format.render(await registry.snapshot(), contextOf(format)) as Iterable<string>)[Symbol.iterator]()
  const read = (first: string, rest: Iterator<string>): string => {
    let text = first
    for (let next = rest.next(); next.done !== true; next = rest.next()) text += next.value
    return text
  }
  const before = await rendering()
  const begin = before.next().value as string + (before.next().value as string)
  registry.removeStatusHandler('h000000')
  registry.addStatusHandler('h000001', () => 'RED', { critical: false, replace: true })
  const after = valuesBy('name', 'svc_status_critical', parseExposition(read('', await rendering())))
  t.equal(Object.keys(after).length, 2_000)
  t.equal(after.h000001, 0)
  const { samples } = parseExposition(read(begin, before))
  t.equal(samples.filter(({ name }) => name === 'svc_status').length, 2_001)
  t.ok(samples.filter(({ name }) => name === 'svc_status_critical').every(({ value }) => value === 1))
})

t.test('a handler that was never asked is 1, and has neither duration nor time', async (t) => {
  const registry = registryOf([['db', true]])
  const parsed = parseExposition(await textOf(own(), registry.latest()))
  t.strictSame(parsed.samples.map(({ name, value }) => [name, value]), [['svc_status', 1], ['svc_status_critical', 1], ['svc_status_decommissioned', 0]])
})

t.test('with states, each handler has a series a state and one of them is 1', async (t) => {
  const parsed = parseExposition(await textOf(own({ states: true }), await snapshotOf([['a', 'OK'], ['b', 'YELLOW'], ['c', 'RED']])))
  const ones = parsed.samples.filter(({ name, value }) => name === 'svc_status_state' && value === 1)
  t.strictSame(ones.map(({ labels }) => labels), [{ name: 'a', state: 'OK' }, { name: 'b', state: 'YELLOW' }, { name: 'c', state: 'RED' }])
  t.equal(parsed.samples.filter(({ name, value }) => name === 'svc_status_state' && value === 0).length, 6)
  t.notOk(parseExposition(await textOf(own(), await snapshotOf([['a', 'OK']]))).families.has('svc_status_state'), 'but only where asked for')
})

t.test('a decommission is 1', async (t) => {
  const snapshot = await snapshotOf([])
  t.match(await textOf(own(), snapshot), '\nsvc_status_decommissioned 0\n')
  t.match(await textOf(own(), snapshot, { decommission: { body: 'OFF', since: 1 } }), '\nsvc_status_decommissioned 1\n')
})

t.test('details are not shown, whoever asks', async (t) => {
  const snapshot = await snapshotOf([['a', { state: 'RED', detail: 'secret', more: 'secret' }]])
  t.notMatch(await textOf(own(), snapshot), /secret/)
})

t.test('OpenMetrics is offered where every registry is set to it', (t) => {
  const openMetrics = (): Registry => {
    const registry = new Registry()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    return registry
  }
  const text = 'text/plain; version=0.0.4; charset=utf-8'
  const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
  t.strictSame(prometheusFormat().contentTypes, [text], "prom-client's default registry is set to text")
  t.strictSame(prometheusFormat({ registries: [] }).contentTypes, [text, open])
  t.strictSame(prometheusFormat({ registries: [openMetrics(), openMetrics()] }).contentTypes, [text, open])
  t.strictSame(prometheusFormat({ registries: [openMetrics(), new Registry()] }).contentTypes, [text])
  t.end()
})

t.test('OpenMetrics ends with one end mark, and the text format has none', async (t) => {
  const format = own({ states: true })
  const snapshot = await snapshotOf([['# EOF', { state: 'OK', metrics: { a: 1 } }]])
  const contentType = format.contentTypes[1]
  const open = await textOf(format, snapshot, { contentType })
  t.strictSame(parseExposition(open, { openMetrics: true }).samples, parseExposition(await textOf(format, snapshot)).samples)
  t.equal(open.match(/^# EOF$/gm)?.length, 1)
})

const wrong: Array<[string, unknown, string, RegExp]> = [
  ['no object', null, 'ERR_INVALID_OPTION', /metrics/],
  ['an unknown option', { registry: [] }, 'ERR_UNKNOWN_OPTION', /"registry"/],
  ['registries that are no array', { registries: new Registry() }, 'ERR_INVALID_OPTION', /metrics\.registries/],
  ['a registry that is nothing', { registries: [undefined] }, 'ERR_INVALID_OPTION', /metrics\.registries.*undefined/],
  ['a registry without metrics()', { registries: [{ contentType: 'text/plain' }] }, 'ERR_INVALID_OPTION', /metrics\.registries/],
  ['a registry without a content type', { registries: [{ metrics: () => '' }] }, 'ERR_INVALID_OPTION', /contentType/],
  ['states that are no boolean', { states: 1 }, 'ERR_INVALID_OPTION', /metrics\.states/],
  ['a timeout that is no time', { timeout: '1s' }, 'ERR_INVALID_OPTION', /metrics\.timeout/],
  ['a timeout of 0', { timeout: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /metrics\.timeout/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => prometheusFormat(options as MetricsOptions), { code, message })
  })
}
