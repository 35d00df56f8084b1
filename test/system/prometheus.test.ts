import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import statusPlugin, { OK, RED, StateHandler, StatusRegistry, YELLOW, type StatusPluginOptions } from 'fastify-svc-status'
import { collectDefaultMetrics, Counter, register, Registry, type OpenMetricsContentType } from 'prom-client'
import t from 'tap'
import { addressesOf, checkout } from './support/example.js'
import { peer } from './support/peers.js'
import { Program, run } from './support/programs.js'
import { Prometheus } from './support/prometheus.js'

type Tap = Parameters<typeof Program.start>[0]

const oddNames = ['a"b', 'back\\slash', 'ends with \\', 'line\\nnot', 'a{b="c"} 1', "quote's", 'größe', '状態', '🚦 traffic', '__proto__', 'slash/name', '# HELP', '<b>&amp;']

const openMetrics = fileURLToPath(new URL('./support/open-metrics.cjs', import.meta.url))

/** As Prometheus 2.42 sends it; the tests of the apps look at what really comes. */
const acceptOfPrometheus = 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

interface Scrape {
  readonly accept: string | undefined
  readonly contentType: string
  readonly status: number
}

/** An app that keeps what was asked and answered at `/svc_status`. */
async function startApp (t: Tap, options: StatusPluginOptions): Promise<{ app: FastifyInstance, origin: string, registry: StatusRegistry, scrapes: Scrape[] }> {
  const scrapes: Scrape[] = []
  const registry = new StatusRegistry()
  const app = Fastify()
  app.addHook('onResponse', async (request, reply) => {
    scrapes.push({ accept: request.headers.accept, contentType: String(reply.getHeader('content-type')), status: reply.statusCode })
  })
  await app.register(statusPlugin, { registry, ...options })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => await app.close())
  return { app, origin, registry, scrapes }
}

t.test('Prometheus follows the states of an app that prints the text format', async (t) => {
  collectDefaultMetrics()
  t.teardown(() => register.clear())
  const { app, origin, registry, scrapes } = await startApp(t, { metrics: { states: true } })
  const worker = new StateHandler()
  registry.addStatusHandler('worker', worker)
  for (const name of oddNames) registry.addStatusHandler(name, () => OK)
  registry.addStatusHandler('thrower', () => { throw new Error('password=secret') })
  registry.addStatusHandler('hanging', async () => await new Promise<never>(() => {}), { timeout: 50 })
  registry.addStatusHandler('queue', () => ({ state: OK, metrics: { 'jobs "waiting"': 12.5, none: NaN, most: Infinity } }))
  const prometheus = await Prometheus.start(t, { app: origin })

  await t.test('it is OK as 0, YELLOW as 1 and RED as 2', async () => {
    worker.setState(OK)
    await prometheus.shows('svc_status{name="worker"}', 0)
    await prometheus.shows('svc_status_state{name="worker",state="OK"}', 1)
    worker.setState(YELLOW)
    await prometheus.shows('svc_status{name="worker"}', 1)
    worker.setState(RED, { detail: 'stopped' })
    await prometheus.shows('svc_status{name="worker"}', 2)
    await prometheus.shows('svc_status_state{name="worker",state="OK"}', 0)
    await prometheus.shows('svc_status_state{name="worker",state="RED"}', 1)
    worker.setState(OK)
    await prometheus.shows('svc_status{name="worker"}', 0)
  })

  await t.test('a handler that throws or hangs is RED, and the target is up all the while', async (t) => {
    await prometheus.shows('svc_status{name="thrower"}', 2)
    await prometheus.shows('svc_status{name="hanging"}', 2)
    t.same((await prometheus.query('min_over_time(up[5m])')).map(({ value }) => value), [1])
  })

  await t.test('names arrive intact, whatever is in them', async (t) => {
    const names = (await prometheus.query('svc_status')).map(({ labels }) => labels.name)
    t.same(names.sort(), [...oddNames, 'worker', 'thrower', 'hanging', 'queue'].sort())
  })

  await t.test('the metrics of a status arrive with their numbers', async (t) => {
    const metrics = await prometheus.query('svc_status_metric{name="queue"}')
    t.same(Object.fromEntries(metrics.map(({ labels, value }) => [labels.metric, value])), { 'jobs "waiting"': 12.5, none: NaN, most: Infinity })
  })

  await t.test('the times of a handler are in seconds', async (t) => {
    const [since] = await prometheus.query('time() - svc_status_last_change_timestamp_seconds{name="thrower"}')
    t.ok(since.value > 0 && since.value < 300, `the last change was ${since.value} s ago`)
    const [duration] = await prometheus.query('svc_status_check_duration_seconds{name="hanging"}')
    t.ok(duration.value > 0.04 && duration.value < 30, `the run took ${duration.value} s`)
  })

  await t.test('the metrics of prom-client are in the same scrape', async () => {
    await prometheus.shows('count(process_start_time_seconds)', 1)
    await prometheus.shows('count(count by (__name__) ({__name__=~"nodejs_.+"})) > bool 10', 1)
  })

  await t.test('a decommission shows', async () => {
    await app.svcStatus.decommission()
    await prometheus.shows('svc_status_decommissioned', 1)
    await app.svcStatus.recommission()
    await prometheus.shows('svc_status_decommissioned', 0)
  })

  await t.test('the series of a handler that was removed go, and come back with it', async () => {
    registry.removeStatusHandler('worker')
    await prometheus.shows('{__name__=~"svc_status.*",name="worker"}')
    registry.addStatusHandler('worker', worker)
    await prometheus.shows('svc_status{name="worker"}', 0)
  })

  await t.test('what it sends by itself got the text format each time', async (t) => {
    t.ok(scrapes.length > 5, `${scrapes.length} scrapes`)
    t.same([...new Set(scrapes.map(({ status }) => status))], [200])
    t.same([...new Set(scrapes.map(({ contentType }) => contentType))], ['text/plain; version=0.0.4; charset=utf-8'])
    t.same((await prometheus.query('min_over_time(up[5m])')).map(({ value }) => value), [1])
    t.comment(`Accept: ${scrapes[0].accept}`)
  })
})

t.test('Prometheus gets OpenMetrics from an app whose registries all print it', async (t) => {
  const own = new Registry<OpenMetricsContentType>()
  own.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const jobs = new Counter<'kind' | 'trace_id'>({ name: 'jobs', help: 'Jobs done', labelNames: ['kind'], registers: [own], enableExemplars: true })
  jobs.inc({ labels: { kind: 'mail' }, value: 3, exemplarLabels: { trace_id: 'abc' } })
  const { origin, registry, scrapes } = await startApp(t, { metrics: { registries: [own], states: true } })
  const worker = new StateHandler()
  registry.addStatusHandler('worker', worker)
  for (const name of oddNames) registry.addStatusHandler(name, () => ({ state: OK, metrics: { [name]: 1 } }))
  const prometheus = await Prometheus.start(t, { app: origin })

  for (const [value, state] of [OK, YELLOW, RED].entries()) {
    worker.setState(state)
    await prometheus.shows('svc_status{name="worker"}', value)
  }
  await prometheus.shows('jobs_total{kind="mail"}', 3)
  t.same((await prometheus.query('svc_status')).map(({ labels }) => labels.name).sort(), [...oddNames, 'worker'].sort())
  t.same((await prometheus.query('svc_status_metric')).map(({ labels }) => labels.metric).sort(), [...oddNames].sort())
  registry.removeStatusHandler('worker')
  await prometheus.shows('svc_status{name="worker"}')

  t.same((await prometheus.query('min_over_time(up[5m])')).map(({ value }) => value), [1])
  t.same([...new Set(scrapes.map(({ contentType }) => contentType))], ['application/openmetrics-text; version=1.0.0; charset=utf-8'])
})

for (const { format, contentType, nodeOptions } of [
  { format: 'the text format', contentType: 'text/plain; version=0.0.4; charset=utf-8', nodeOptions: [] },
  { format: 'OpenMetrics', contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8', nodeOptions: ['--require', openMetrics] }
]) {
  t.test(`Prometheus follows the example in ${format}`, async (t) => {
    let upstreamCode = 200
    const upstream = createServer((_request, reply) => { reply.writeHead(upstreamCode).end() }).listen(0, '127.0.0.1')
    t.teardown(() => upstream.close())
    await once(upstream, 'listening')
    const example = await Program.start(t, process.execPath, [...nodeOptions, 'dist/docs/examples/service.js'], {
      cwd: checkout,
      env: { PORT: '0', DRAIN_DELAY: '0', UPSTREAM_URL: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` }
    })
    const [address] = await addressesOf(example)
    t.equal((await fetch(address, { headers: { accept: acceptOfPrometheus } })).headers.get('content-type'), contentType)
    const prometheus = await Prometheus.start(t, { example: address })

    await prometheus.shows('svc_status{name="upstream"}', 0)
    t.same((await prometheus.query('svc_status')).map(({ labels }) => labels.name).sort(), ['cleaner', 'database', 'disk', 'event_loop', 'upstream'])
    t.same((await prometheus.query('svc_status{name!="upstream"} > 1')), [], 'no other is RED')
    upstreamCode = 500
    await prometheus.shows('svc_status{name="upstream"}', 2)
    upstreamCode = 200
    await prometheus.shows('svc_status{name="upstream"}', 0)
    upstream.close()
    await prometheus.shows('svc_status{name="upstream"}', 2)
    t.same((await prometheus.query('min_over_time(up[5m])')).map(({ value }) => value), [1])
    t.notMatch(example.stderr, /"msg":"incoming request".*svc_status/, 'no scrape is in its log')
  })
}

t.test('promtool has no complaint about the text', async (t) => {
  const { origin, registry } = await startApp(t, { metrics: { registries: [], states: true } })
  for (const name of oddNames) registry.addStatusHandler(name, () => ({ state: OK, metrics: { [name]: 1, none: NaN, least: -Infinity } }))
  registry.addStatusHandler('thrower', () => { throw new Error('no') })
  registry.addStatusHandler('never set', new StateHandler())

  const text = await (await fetch(`${origin}/svc_status.prometheus`)).text()
  t.match(text, /^svc_status_state\{name="a\\"b",state="RED"\} 0$/m)
  t.match(text, /^svc_status_metric\{name="🚦 traffic",metric="🚦 traffic"\} 1$/m)
  t.same(await complaints(t, text), { code: 0, stdout: '', stderr: '' })
  t.not((await complaints(t, `${text}svc_status{name="a"b"} 0\n`)).code, 0, 'it would complain about a text that is broken')
})

t.test('promtool can read the text with the metrics of prom-client after it', async (t) => {
  collectDefaultMetrics()
  t.teardown(() => register.clear())
  const { origin, registry } = await startApp(t, {})
  registry.addStatusHandler('worker', () => OK)

  const text = await (await fetch(`${origin}/svc_status.prometheus`)).text()
  const { stdout, stderr } = await complaints(t, text)
  t.equal(stdout, '')
  // It does not like the names of some gauges of prom-client's, which is none of our business.
  t.same(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_active_')), [])
})

async function complaints (t: Tap, input: string): Promise<{ code: number | null, stdout: string, stderr: string }> {
  const { code, stdout, stderr } = await run(t, peer('promtool'), ['check', 'metrics'], { input })
  return { code, stdout, stderr }
}
