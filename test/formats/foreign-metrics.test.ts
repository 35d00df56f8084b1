import { Counter, Gauge, Histogram, register, Registry } from 'prom-client'
import t from 'tap'
import type { MetricsRegistry } from '../../types/options.js'
import { prometheusFormat } from '../../lib/formats/prometheus.js'
import { parseExposition, valuesBy } from '../support/exposition.js'
import { many, snapshotOf, textOf } from '../support/snapshots.js'

const textType = 'text/plain; version=0.0.4; charset=utf-8'
const openType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

const printing = (text: unknown, contentType = textType): MetricsRegistry => ({ contentType, metrics: () => text as string })
const gauge = (name: string, value = 1): string => `# HELP ${name} A gauge.\n# TYPE ${name} gauge\n${name} ${value}\n`

interface Warning { message: string, registry: number, err: Error }

function warnings (): { warned: Warning[], warn: (about: object, message: string) => void } {
  const warned: Warning[] = []
  return { warned, warn: (about, message) => { warned.push({ message, ...about as Omit<Warning, 'message'> }) } }
}

t.test("prom-client's own registry follows by default", async (t) => {
  t.teardown(() => register.clear())
  new Gauge({ name: 'app_users', help: 'Users "now"\nand then.' }).set(4)
  const parsed = parseExposition(await textOf(prometheusFormat(), await snapshotOf([['db', 'OK']])))
  t.equal(parsed.samples.find(({ name }) => name === 'app_users')?.value, 4)
  t.strictSame([...parsed.families.keys()].at(-1), 'app_users', 'after ours')
})

t.test('several registries follow one another, and only they', async (t) => {
  t.teardown(() => register.clear())
  new Gauge({ name: 'not_asked_for', help: 'x' }).set(4)
  const text = await textOf(prometheusFormat({ registries: [printing(gauge('first')), printing(gauge('second'))] }), await snapshotOf([]))
  t.strictSame([...parseExposition(text).families.keys()].slice(-2), ['first', 'second'])
  t.notMatch(text, /not_asked_for/)
})

t.test('without registries there are our metrics alone', async (t) => {
  const text = await textOf(prometheusFormat({ registries: [] }), await snapshotOf([]))
  t.ok([...parseExposition(text).families.keys()].every((name) => name.startsWith('svc_status')))
})

const lineEnds: Array<[string, string]> = [
  ['no line feed at the end', gauge('a').trimEnd()],
  ['several line feeds at the end', `${gauge('a')}\n\n`],
  ['a line with spaces at the end', `${gauge('a')}  \n`],
  ['an end mark', `${gauge('a')}# EOF`],
  ['an end mark and a line feed', `${gauge('a')}# EOF\n`],
  ['nothing but an end mark', '# EOF\n'],
  ['nothing at all', ''],
  ['nothing but white space', '\n \n']
]

for (const [what, text] of lineEnds) {
  t.test(`a registry that prints ${what} joins its neighbours`, async (t) => {
    const format = prometheusFormat({ registries: [printing(text, openType), printing(gauge('b'), openType)] })
    const snapshot = await snapshotOf([['db', 'OK']])
    t.equal(parseExposition(await textOf(format, snapshot)).samples.at(-1)?.name, 'b')
    const open = await textOf(format, snapshot, { contentType: openType })
    t.equal(parseExposition(open, { openMetrics: true }).samples.at(-1)?.name, 'b')
    t.equal(open.match(/# EOF/g)?.length, 1)
  })
}

const failing: Array<[string, MetricsRegistry, RegExp]> = [
  ['rejects', { contentType: textType, metrics: async () => { throw new Error('collect failed') } }, /collect failed/],
  ['throws', { contentType: textType, metrics: () => { throw new Error('collect threw') } }, /collect threw/],
  ['hangs', { contentType: textType, metrics: async () => await new Promise<string>(() => {}) }, /timed out after 20 ms/],
  ['prints no text', printing(undefined), /./]
]

for (const [what, registry, message] of failing) {
  t.test(`a registry that ${what} is left out and logged, and all others are there`, async (t) => {
    const { warned, warn } = warnings()
    const format = prometheusFormat({ registries: [printing(gauge('before')), registry, printing(gauge('after'))], timeout: 20 })
    const parsed = parseExposition(await textOf(format, await snapshotOf([['db', 'OK']]), { warn }))
    t.strictSame([...parsed.families.keys()].slice(-2), ['before', 'after'])
    t.strictSame(valuesBy('name', 'svc_status', parsed), { db: 0 })
    t.equal(warned.length, 1)
    t.match(warned[0], { registry: 1, message: 'a metrics registry failed; its metrics are left out', err: { message } })
  })
}

t.test('a registry that rejects after it was left out does no harm', async (t) => {
  const { warned, warn } = warnings()
  let fail: (error: Error) => void = () => {}
  const late: MetricsRegistry = { contentType: textType, metrics: async () => await new Promise<string>((_resolve, reject) => { fail = reject }) }
  await textOf(prometheusFormat({ registries: [late], timeout: 5 }), await snapshotOf([]), { warn })
  t.equal(warned.length, 1)
  fail(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(warned.length, 1)
})

t.test('no timer stands after a registry that answered', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  await textOf(prometheusFormat({ registries: [printing(gauge('a'))] }), await snapshotOf([]))
  t.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before)
})

function openMetricsRegistry (): Registry {
  const registry = new Registry()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  const registers = [registry]
  const requests = new Counter({ name: 'requests', help: 'Requests.', labelNames: ['path'], registers, enableExemplars: true })
  requests.inc({ labels: { path: '/a # {b="c"} 1' }, value: 3, exemplarLabels: { trace_id: 'abc' } } as never)
  requests.inc({ labels: { path: '/b} 1 # {c' }, value: 4, exemplarLabels: { trace_id: 'abc' } } as never)
  new Counter({ name: 'plain', help: 'No labels.', registers, enableExemplars: true }).inc({ value: 1, exemplarLabels: { trace_id: 'a"b' } } as never)
  const histogram = new Histogram({ name: 'latency', help: 'Seconds # {like} this.', buckets: [0.1, 1], registers, enableExemplars: true })
  histogram.observe({ labels: {}, value: 0.05, exemplarLabels: { trace_id: 'abc', span_id: '}' } } as never)
  return registry
}

t.test('a registry set to OpenMetrics is served as OpenMetrics with its exemplars', async (t) => {
  const format = prometheusFormat({ registries: [openMetricsRegistry(), openMetricsRegistry()] })
  const text = await textOf(format, await snapshotOf([['db', 'OK']]), { contentType: openType })
  t.match(text, /^latency_bucket\{le="0\.1"\} 1 # \{trace_id="abc",span_id="\}"\} 0\.05 \d/m)
  t.match(text, /^requests_total\{path="\/a # \{b=\\"c\\"\} 1"\} 3 # \{trace_id="abc"\} 3 \d/m)
  t.equal(text.match(/^# EOF$/gm)?.length, 1)
  t.ok(text.endsWith('\n# EOF\n'))
})

t.test('to a reader of the plain text format it is served without them', async (t) => {
  const format = prometheusFormat({ registries: [openMetricsRegistry()] })
  const text = await textOf(format, await snapshotOf([['db', 'OK']]))
  const parsed = parseExposition(text)
  t.strictSame(valuesBy('path', 'requests_total', parsed), { '/a # {b="c"} 1': 3, '/b} 1 # {c': 4 })
  t.equal(parsed.samples.find(({ name }) => name === 'plain_total')?.value, 1)
  t.strictSame(valuesBy('le', 'latency_bucket', parsed), { 0.1: 1, 1: 1, '+Inf': 1 })
  t.equal(parsed.families.get('latency')?.help, 'Seconds # {like} this.')
  t.notMatch(text, /# EOF|trace_id/)
})

t.test('beside a registry that is set to text, OpenMetrics ones are served as text', async (t) => {
  const format = prometheusFormat({ registries: [openMetricsRegistry(), printing(gauge('b'))] })
  t.strictSame(format.contentTypes, [textType])
  t.strictSame(parseExposition(await textOf(format, await snapshotOf([]))).samples.at(-1)?.name, 'b')
})

t.test('other registries follow the slices of many handlers as well', async (t) => {
  const format = prometheusFormat({ registries: [printing(gauge('b'), openType)] })
  const snapshot = await snapshotOf(many(2_001))
  t.equal(parseExposition(await textOf(format, snapshot)).samples.at(-1)?.name, 'b')
  t.equal(parseExposition(await textOf(format, snapshot, { contentType: openType }), { openMetrics: true }).samples.at(-1)?.name, 'b')
})
