import t from 'tap'
import type { HealthOptions } from '../../types/options.js'
import type { RenderContext } from '../../types/format.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { healthFormat } from '../../lib/formats/health.js'
import { many, registryOf, snapshotOf, textOf } from '../support/snapshots.js'

interface Body {
  status: string
  output?: string
  checks: Record<string, Array<Record<string, unknown>>>
  [property: string]: unknown
}

async function bodyOf (answers: ReadonlyArray<readonly [string, unknown]>, options?: HealthOptions, given?: Partial<RenderContext>): Promise<Body> {
  return JSON.parse(await textOf(healthFormat(options), await snapshotOf(answers), given))
}

t.test('states are pass, warn and fail, of the whole and of each check', async (t) => {
  t.strictSame((await bodyOf([['a', 'OK']])).status, 'pass')
  t.strictSame((await bodyOf([['a', 'OK'], ['b', 'YELLOW']])).status, 'warn')
  const { status, checks } = await bodyOf([['a', 'OK'], ['b', 'YELLOW'], ['c', 'RED']])
  t.equal(status, 'fail')
  t.strictSame(Object.entries(checks).map(([name, [check]]) => [name, check.status]), [['a', 'pass'], ['b', 'warn'], ['c', 'fail']])
})

t.test('without handlers it passes and has no checks', async (t) => {
  t.strictSame(await bodyOf([]), { status: 'pass', checks: {} })
})

t.test('what the options say about the service is shown', async (t) => {
  const about = { version: '1', releaseId: '1.2.2', serviceId: 'f03e522f', description: 'health of authz service', notes: ['a', 'b'] }
  t.strictSame(await bodyOf([], about), { status: 'pass', ...about, checks: {} })
})

t.test('a RED handler that is not critical makes the whole warn', async (t) => {
  const registry = registryOf([['db', 'OK']])
  registry.addStatusHandler('cache', () => 'RED', { critical: false })
  const body: Body = JSON.parse(await textOf(healthFormat(), await registry.snapshot()))
  t.equal(body.status, 'warn')
  t.equal(body.checks.cache[0].status, 'fail')
  t.equal(body.output, 'cache is RED')
})

t.test('the output of the whole names what is not OK, and is left out where all is', async (t) => {
  t.notOk('output' in await bodyOf([['a', { state: 'OK', detail: 'fine' }]]))
  t.equal((await bodyOf([['a', 'OK'], ['b', { state: 'YELLOW', detail: 'x' }], ['c', 'RED']])).output, 'b is YELLOW, c is RED')
})

t.test('it names 20 and counts the others', async (t) => {
  const { output } = await bodyOf(many(25, () => 'RED'))
  t.match(output, /^h000000 is RED, .*, h000019 is RED and 5 more$/)
  t.match((await bodyOf(many(20, () => 'RED'))).output, /, h000019 is RED$/)
})

t.test("a check has what the draft knows of the handler's properties, its time, and its output when it does not pass", async (t) => {
  const given = {
    componentId: '6fd416e0',
    componentType: 'datastore',
    observedValue: { ms: 250 },
    observedUnit: 'ms',
    affectedEndpoints: ['/users/{userId}'],
    links: { self: 'http://api.example.com/dbnode/6fd416e0' }
  }
  const { checks } = await bodyOf([
    ['db:responseTime', { state: 'YELLOW', detail: 'slow', metrics: { a: 1 }, somethingElse: true, ...given }],
    ['fine', { state: 'OK', detail: 'all well', componentId: '' }]
  ])
  const [{ time, ...check }] = checks['db:responseTime']
  t.strictSame(check, { ...given, status: 'warn', output: 'slow' })
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const [{ time: _, ...passed }] = checks.fine
  t.strictSame(passed, { componentId: '', status: 'pass' })
})

t.test('the time is when the status was taken', async (t) => {
  let now = 1_000
  const registry = new StatusRegistry({ clock: { now: () => now, monotonic: () => 0 } })
  registry.addStatusHandler('kept', () => 'OK', { cache: 60_000 })
  registry.addStatusHandler('asked', () => 'OK')
  await registry.snapshot()
  now = 31_000
  const { checks }: Body = JSON.parse(await textOf(healthFormat(), await registry.snapshot()))
  t.equal(checks.kept[0].time, '1970-01-01T00:00:01.000Z')
  t.equal(checks.asked[0].time, '1970-01-01T00:00:31.000Z')
})

t.test('a handler that was never asked warns and has no time', async (t) => {
  const body: Body = JSON.parse(await textOf(healthFormat(), registryOf([['db', true]]).latest()))
  t.strictSame(body, { status: 'warn', output: 'db is YELLOW', checks: { db: [{ status: 'warn', output: 'not asked yet' }] } })
})

t.test('who may not see details sees names, states and times alone', async (t) => {
  const { checks, output } = await bodyOf([['db', { state: 'RED', detail: 'secret', componentId: 'secret' }]], undefined, { details: false })
  t.strictSame(Object.keys(checks.db[0]).sort(), ['status', 'time'])
  t.equal(output, 'db is RED')
})

t.test('odd names are keys of their own', async (t) => {
  const names = ['__proto__', 'constructor', 'a"b\\c', '😀', '<b>']
  const { checks } = await bodyOf(names.map((name) => [name, 'RED']))
  t.strictSame(Object.keys(checks).sort(), [...names].sort())
  t.equal(Object.getOwnPropertyDescriptor(checks, '__proto__')?.value[0].status, 'fail')
})

t.test('the media type is that of the draft', async (t) => {
  t.strictSame(healthFormat().contentTypes, ['application/health+json; charset=utf-8'])
})

const wrong: Array<[string, unknown, string, RegExp]> = [
  ['no object', [], 'ERR_INVALID_OPTION', /healthJson/],
  ['an unknown option', { release: '1' }, 'ERR_UNKNOWN_OPTION', /"release"/],
  ...['version', 'releaseId', 'serviceId', 'description'].map((key): [string, unknown, string, RegExp] =>
    [`${key} that is no string`, { [key]: 1 }, 'ERR_INVALID_OPTION', new RegExp(`healthJson\\.${key}`)]),
  ['notes that are no list', { notes: 'x' }, 'ERR_INVALID_OPTION', /healthJson\.notes/],
  ['a note that is no string', { notes: [1] }, 'ERR_INVALID_OPTION', /healthJson\.notes/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => healthFormat(options as HealthOptions), { code, message })
  })
}

t.test('a decommission that stands is told, why and by whom only to those who see details', async (t) => {
  const decommission = { body: 'OFF', since: 0, until: 60_000, reason: 'kernel update', by: 'alice' }
  const open = { body: 'OFF', since: '1970-01-01T00:00:00.000Z', until: '1970-01-01T00:01:00.000Z' }
  t.strictSame(await bodyOf([], {}, { decommission }), { status: 'pass', decommission: { ...open, reason: 'kernel update', by: 'alice' }, checks: {} })
  t.strictSame(await bodyOf([], {}, { decommission, details: false }), { status: 'pass', decommission: open, checks: {} })
  t.strictSame((await bodyOf([], {}, { decommission: { body: 'x', since: 1 } })).decommission, { body: 'x', since: '1970-01-01T00:00:00.001Z' })
})
