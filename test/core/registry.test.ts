import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { second } from '../../lib/core/units.js'
import type { StatusChange } from '../../types/snapshot.js'
import type { StatusResult } from '../../types/status.js'

t.test('an empty registry is OK', async (t) => {
  const registry = new StatusRegistry()
  t.match(await registry.snapshot(), { state: OK, entries: [] })
  t.match(registry.latest(), { state: OK, entries: [] })
})

t.test('functions, async functions, providers and thenables are asked', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('function', () => true)
  registry.addStatusHandler('async', async () => YELLOW)
  registry.addStatusHandler('provider', { getStatus: ({ name }) => ({ state: OK, detail: name }) })
  registry.addStatusHandler('thenable', () => ({ then: (done: (result: StatusResult) => void) => done('OK') }) as unknown as Promise<StatusResult>)
  const { entries, state, at } = await registry.snapshot()
  t.equal(state, YELLOW)
  t.ok(Math.abs(at - Date.now()) < 60_000)
  t.strictSame(entries.map(({ name, status }) => [name, status]), [
    ['async', { state: YELLOW }],
    ['function', { state: OK }],
    ['provider', { state: OK, detail: 'provider' }],
    ['thenable', { state: OK }]
  ])
})

t.test('a class with a static getStatus is a function first, a provider keeps its this', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('provider', new (class { state = RED; getStatus (): StatusResult { return this.state } })())
  t.strictSame(await registry.getStatus('provider'), { state: RED })
})

t.test('the overall state is the worst, and RED of a handler that is not critical counts as YELLOW', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', () => OK)
  t.equal((await registry.snapshot()).state, OK)
  registry.addStatusHandler('b', () => RED, { critical: false })
  const { state, entries } = await registry.snapshot()
  t.equal(state, YELLOW)
  t.equal(entries[1].status?.state, RED)
  registry.addStatusHandler('c', () => RED)
  t.equal((await registry.snapshot()).state, RED)
})

t.test('tags select handlers; the overall state is that of the selection', async (t) => {
  const registry = new StatusRegistry()
  const asked: string[] = []
  const handler = (state: StatusResult) => ({ name }: { name: string }) => { asked.push(name); return state }
  registry.addStatusHandler('db', handler(OK), { tags: ['database', 'core'] })
  registry.addStatusHandler('cache', handler(YELLOW), { tags: ['core'] })
  registry.addStatusHandler('mail', handler(RED))
  const { state, entries } = await registry.snapshot({ tags: ['core', 'other'] })
  t.equal(state, YELLOW)
  t.strictSame(entries.map(({ name, tags }) => [name, tags]), [['cache', ['core']], ['db', ['database', 'core']]])
  t.strictSame(asked.sort(), ['cache', 'db'])
  t.strictSame((await registry.snapshot({ tags: ['none'] })).entries, [])
})

t.test('a handler that goes while a selection is asked is not in it', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', async () => { registry.removeStatusHandler('b'); return OK }, { tags: ['x'] })
  registry.addStatusHandler('b', async () => RED, { tags: ['x'] })
  t.strictSame((await registry.snapshot({ tags: ['x'] })).entries.map(({ name }) => name), ['a'])
})

t.test('an entry carries description, since, duration and the time of the reading', async (t) => {
  let now = 1_000_000
  let monotonic = 0
  const registry = new StatusRegistry({ clock: { now: () => now, monotonic: () => monotonic } })
  registry.addStatusHandler('async', async () => { monotonic += 20; return OK }, { description: 'asks something' })
  registry.addStatusHandler('sync', () => OK)
  registry.addStatusHandler('kept', () => OK, { cache: second(60) })
  const first = await registry.snapshot()
  t.match(first.entries[0], { description: 'asks something', since: 1_000_020, at: 1_000_020, duration: 20 })
  t.match(first.entries[1], { name: 'kept', since: 1_000_000, at: 1_000_000 })
  t.match(first.entries[2], { name: 'sync', since: 1_000_000, at: undefined, duration: 0 })
  now += 10_000
  const second_ = await registry.snapshot()
  t.match(second_.entries[0], { since: 1_000_020, at: 1_010_020 }, 'since stays, at moves')
  t.match(second_.entries[1], { at: 1_000_000 }, 'a kept result has its own time')
  t.equal(second_.at, 1_010_000)
  t.match(registry.latest().entries[2], { name: 'sync', at: 1_010_000 })
})

t.test('a snapshot that was handed out never changes', async (t) => {
  const registry = new StatusRegistry()
  const status = { state: 'OK' as const, detail: 'first', list: [1] }
  registry.addStatusHandler('a', () => status)
  const before = await registry.snapshot()
  const text = JSON.stringify(before)
  status.detail = 'second'
  status.list.push(2)
  const after = await registry.snapshot()
  t.equal(JSON.stringify(before), text)
  t.match(after.entries[0].status, { detail: 'second', list: [1, 2] })
  t.throws(() => { (before.entries[0].status as { state: string }).state = 'RED' }, TypeError)
  t.throws(() => { (before.entries as unknown[]).pop() }, TypeError)
})

t.test('an unchanged status stays the same object, whether bare, fresh or nested', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('bare', () => true)
  registry.addStatusHandler('fresh', () => ({ state: OK, detail: 'same' }))
  registry.addStatusHandler('nested', () => ({ state: OK, nested: { list: [1, 2] } }))
  registry.addStatusHandler('async', async () => ({ state: OK, metrics: { a: NaN } }))
  registry.addStatusHandler('throws', () => { throw new Error('x') })
  const [first, next] = [await registry.snapshot(), await registry.snapshot()]
  for (const [index, { name, status }] of next.entries.entries()) t.equal(status, first.entries[index].status, name)
})

t.test('latest asks nobody; who was never asked has no status, which is not OK', async (t) => {
  const registry = new StatusRegistry()
  let runs = 0
  registry.addStatusHandler('a', () => { runs++; return OK })
  const before = registry.latest()
  t.equal(before.state, YELLOW)
  t.match(before.entries, [{ name: 'a', status: undefined, since: undefined, at: undefined, duration: undefined }])
  await registry.getStatus('a')
  t.equal(registry.latest().state, OK)
  t.type(registry.latest().entries[0].at, 'number')
  t.equal(runs, 1)
})

t.test('a second handler under a name is refused, unless it takes the place', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', () => OK)
  t.throws(() => registry.addStatusHandler('a', () => RED), { code: 'ERR_DUPLICATE_HANDLER', message: /"a" already; replace: true/ })
  t.equal(await registry.isInState('a', OK), true)
  const handler = (): StatusResult => RED
  registry.addStatusHandler('a', handler, { replace: true })
  t.equal(registry.handler('a'), handler)
  t.equal(await registry.isInState('a', RED), true)
})

t.test('removing gives whether there was one', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', () => OK)
  t.equal(registry.has('a'), true)
  t.equal(registry.removeStatusHandler('a'), true)
  t.equal(registry.removeStatusHandler('a'), false)
  t.equal(registry.has('a'), false)
  t.equal(registry.handler('a'), undefined)
  t.strictSame((await registry.snapshot()).entries, [])
})

t.test('names of object prototypes are names like any other', async (t) => {
  const registry = new StatusRegistry()
  for (const name of ['__proto__', 'constructor', 'toString']) {
    t.equal(registry.has(name), false)
    registry.addStatusHandler(name, () => OK)
    t.equal(await registry.isInState(name, OK), true)
  }
  t.strictSame((await registry.snapshot()).entries.map(({ name }) => name), ['__proto__', 'constructor', 'toString'])
})

t.test('an unknown name is an error with a code', async (t) => {
  const registry = new StatusRegistry()
  await t.rejects(registry.getStatus('nope'), { code: 'ERR_UNKNOWN_HANDLER', message: 'there is no status handler "nope"' })
  await t.rejects(registry.isInState('nope', OK), { code: 'ERR_UNKNOWN_HANDLER' })
})

t.test('change is emitted once per transition, and not for the first status', async (t) => {
  const registry = new StatusRegistry({ clock: { now: () => 5_000, monotonic: () => 0 } })
  const changes: StatusChange[] = []
  registry.on('change', (change) => changes.push(change))
  let result: StatusResult = { state: RED, detail: 'a' }
  registry.addStatusHandler('a', () => result)
  await registry.snapshot()
  result = { state: RED, detail: 'b' }
  await registry.snapshot()
  t.strictSame(changes, [])
  result = OK
  await registry.snapshot()
  await registry.snapshot()
  t.strictSame(changes, [{ name: 'a', from: RED, to: OK, status: { state: OK }, at: 5_000 }])
})

t.test('a listener that throws is logged, and the others hear all the same', async (t) => {
  const lines: object[] = []
  const registry = new StatusRegistry({ logger: { info () {}, warn () {}, error: (line: object) => { lines.push(line) } } as never })
  let result: StatusResult = OK
  let heard = 0
  const throwing = (): void => { throw new Error('listener') }
  registry.on('change', throwing).on('change', () => { heard++ })
  registry.addStatusHandler('a', () => result)
  await registry.snapshot()
  result = RED
  t.equal((await registry.snapshot()).state, RED)
  t.equal(heard, 1)
  t.match(lines, [{ handler: 'a', err: { message: 'listener' } }])
  registry.off('change', throwing)
  result = OK
  await registry.snapshot()
  t.equal(lines.length, 1)
  t.equal(heard, 2)
})

t.test('cache gives a result again without a run until its time is over, or the clock went back', async (t) => {
  let now = 1_000_000
  const registry = new StatusRegistry({ clock: { now: () => now, monotonic: () => now } })
  let runs = 0
  registry.addStatusHandler('a', async () => { runs++; return OK }, { cache: second(10) })
  registry.addStatusHandler('b', () => { throw new Error('counts as a result too') }, { cache: second(10) })
  await registry.snapshot()
  now += 9_999
  await registry.snapshot()
  t.equal(runs, 1)
  now += 1
  await registry.snapshot()
  t.equal(runs, 2)
  now -= 3_600_000
  await registry.snapshot()
  t.equal(runs, 3)
})

const badCalls: Array<[string, (registry: StatusRegistry) => unknown, string, RegExp]> = [
  ['an unknown option of a handler', (r) => r.addStatusHandler('a', () => OK, { tiemout: 5 } as never), 'ERR_UNKNOWN_OPTION', /addStatusHandler has no option "tiemout"/],
  ['a timeout that is no time', (r) => r.addStatusHandler('a', () => OK, { timeout: '5s' as never }), 'ERR_INVALID_OPTION', /"timeout"/],
  ['a timeout of 0', (r) => r.addStatusHandler('a', () => OK, { timeout: 0 }), 'ERR_OPTION_OUT_OF_RANGE', /"timeout"/],
  ['a negative cache', (r) => r.addStatusHandler('a', () => OK, { cache: -1 }), 'ERR_OPTION_OUT_OF_RANGE', /"cache"/],
  ['critical that is no boolean', (r) => r.addStatusHandler('a', () => OK, { critical: 'yes' as never }), 'ERR_INVALID_OPTION', /"critical" must be a boolean, not "yes"/],
  ['a description that is no string', (r) => r.addStatusHandler('a', () => OK, { description: 5 as never }), 'ERR_INVALID_OPTION', /"description"/],
  ['tags that are no list', (r) => r.addStatusHandler('a', () => OK, { tags: 'x' as never }), 'ERR_INVALID_OPTION', /"tags"/],
  ['replace that is no boolean', (r) => r.addStatusHandler('a', () => OK, { replace: 1 as never }), 'ERR_INVALID_OPTION', /"replace"/],
  ['a bad name', (r) => r.addStatusHandler('', () => OK), 'ERR_INVALID_NAME', /1 to 100/],
  ['a bad handler', (r) => r.addStatusHandler('a', 'OK' as never), 'ERR_INVALID_HANDLER', /"a"/],
  ['an unknown event', (r) => r.on('chnage' as never, () => {}), 'ERR_INVALID_OPTION', /the event must be "change", not "chnage"/],
  ['a listener that is no function', (r) => r.off('change', 5 as never), 'ERR_INVALID_OPTION', /the listener must be a function, not 5/]
]

for (const [title, call, code, message] of badCalls) {
  t.test(`${title} is refused with ${code}, and nothing is added`, async (t) => {
    const registry = new StatusRegistry()
    t.throws(() => call(registry), { code, message })
    t.equal(registry.latest().entries.length, 0)
  })
}

t.test('bad options of a question reject', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', () => OK)
  await t.rejects(registry.snapshot({ tag: 'x' } as never), { code: 'ERR_UNKNOWN_OPTION' })
  await t.rejects(registry.snapshot({ tags: 'x' as never }), { code: 'ERR_INVALID_OPTION' })
  await t.rejects(registry.snapshot({ timeout: -1 }), { code: 'ERR_OPTION_OUT_OF_RANGE' })
  await t.rejects(registry.getStatus('a', { timeout: NaN }), { code: 'ERR_INVALID_OPTION' })
  await t.rejects(registry.isInState('a', 'ok' as never), { code: 'ERR_INVALID_STATE', message: 'a state must be OK, YELLOW, RED, not "ok"' })
})

t.test('bad options of the registry are refused', async (t) => {
  t.throws(() => new StatusRegistry({ timeout: 0 }), { code: 'ERR_OPTION_OUT_OF_RANGE' })
  t.throws(() => new StatusRegistry({ logger: 'x' as never }), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => new StatusRegistry({ clock: 5 as never }), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => new StatusRegistry({ log: {} } as never), { code: 'ERR_UNKNOWN_OPTION' })
})

t.test('a logger can be given later and taken away', async (t) => {
  const registry = new StatusRegistry()
  t.equal(registry.logger, undefined)
  const logger = { info () {}, warn () {}, error () {} }
  registry.logger = logger
  t.equal(registry.logger, logger)
  registry.logger = undefined
  t.equal(registry.logger, undefined)
})

t.test('a handler may answer at once in one run and later in the next', async (t) => {
  let monotonic = 0
  const registry = new StatusRegistry({ clock: { now: () => 1_000_000 + monotonic, monotonic: () => monotonic } })
  let later = false
  registry.addStatusHandler('a', () => later ? Promise.resolve(RED) : OK)
  for (const expected of [false, false, true, true, false, true]) {
    later = expected
    monotonic += 10
    const { entries: [{ status, at }] } = await registry.snapshot()
    t.strictSame(status, { state: later ? RED : OK })
    t.equal(at, later ? 1_000_000 + monotonic : undefined)
  }
})
