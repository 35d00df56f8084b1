import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { StateHandler } from '../../lib/core/state-handler.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { second } from '../../lib/core/units.js'
import type { StatusChange } from '../../types/snapshot.js'
import type { State, StatusResult } from '../../types/status.js'

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

t.test('an entry carries how long its last run could take, where there was one to wait for', async (t) => {
  const registry = new StatusRegistry({ timeout: second(7) })
  registry.addStatusHandler('own', async () => OK, { timeout: second(2) })
  registry.addStatusHandler('plain', async () => OK)
  registry.addStatusHandler('sync', () => OK, { timeout: second(2) })
  const timeouts = async (timeout?: number) => Object.fromEntries((await registry.snapshot({ timeout })).entries.map(({ name, timeout }) => [name, timeout]))
  t.strictSame(registry.latest().entries.map(({ timeout }) => timeout), [undefined, undefined, undefined])
  t.strictSame(await timeouts(), { own: 2_000, plain: 7_000, sync: undefined })
  t.strictSame(await timeouts(3_000), { own: 2_000, plain: 3_000, sync: undefined }, 'as whoever asked has it')
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
  const slowly = async (): Promise<StatusResult> => { await null; await null; monotonic += 5; return RED }
  registry.addStatusHandler('a', () => later ? slowly() : OK)
  for (const expected of [false, false, true, true, false, true]) {
    later = expected
    monotonic += 10
    const { entries: [{ status, at }] } = await registry.snapshot()
    t.strictSame(status, { state: later ? RED : OK })
    t.equal(at, later ? 1_000_000 + monotonic : undefined)
  }
})

t.test('a status that one registry made is kept as it is by another', async (t) => {
  const inner = new StatusRegistry()
  const outer = new StatusRegistry()
  inner.addStatusHandler('a', () => ({ state: OK, metrics: { size: 1 }, list: [1] }))
  outer.addStatusHandler('a', async () => await inner.getStatus('a'))
  const given = await inner.getStatus('a')
  t.equal(await outer.getStatus('a'), given)
  t.equal(await outer.getStatus('a'), given)
})

t.test('runs under a millisecond are not told apart: the views stay the same until one takes longer', async (t) => {
  let monotonic = 0
  let took = 0.25
  const registry = new StatusRegistry({ clock: { now: () => 5_000, monotonic: () => monotonic } })
  registry.addStatusHandler('a', async () => { monotonic += took; return OK })
  const first = await registry.snapshot()
  t.match(first.entries[0], { duration: 0.25, at: undefined })
  took = 0.75
  t.equal((await registry.snapshot()).entries, first.entries)
  took = 3
  t.match((await registry.snapshot()).entries, [{ duration: 3, at: 5_003 }])
  took = 0.5
  t.match((await registry.snapshot()).entries, [{ duration: 0.5, at: undefined }])
})

t.test('a handler logs where the registry logs at that moment', async (t) => {
  const lines: string[] = []
  const logger = (name: string) => ({ info: () => lines.push(name), warn: () => {}, error: () => {} })
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', ({ log }) => { log.info('x'); return OK })
  await registry.getStatus('a')
  registry.logger = logger('first')
  await registry.getStatus('a')
  registry.logger = logger('second')
  await registry.getStatus('a')
  t.strictSame(lines, ['first', 'second'])
})

t.test('what a handler does not give any more is not shown any more', async (t) => {
  const registry = new StatusRegistry()
  const answers: Array<Record<string, unknown> & { state: State }> = [
    { state: RED, detail: 'disk full' }, { state: RED, retryAt: undefined }, { state: RED, a: 1, b: 2 }, { state: RED, a: 1 }, { state: RED }
  ]
  registry.addStatusHandler('a', () => answers[0])
  while (answers.length > 0) {
    t.strictSame(await registry.getStatus('a'), JSON.parse(JSON.stringify(answers[0])))
    answers.shift()
  }
})

t.test('a fault ends, and begins, also where the text stays the same', async (t) => {
  const registry = new StatusRegistry()
  let fails = true
  registry.addStatusHandler('a', () => {
    if (fails) throw new Error('x')
    return { state: RED, detail: 'threw Error' }
  })
  for (const expected of ['threw', undefined, 'threw', undefined] as const) {
    fails = expected === 'threw'
    t.match((await registry.snapshot()).entries, [{ status: { state: RED, detail: 'threw Error' }, fault: expected }])
  }
})

t.test('one that holds up the others does not use up their time, nor is it counted as theirs', async (t) => {
  const registry = new StatusRegistry({ timeout: 100 })
  const soon = async (): Promise<StatusResult> => { await new Promise((resolve) => setTimeout(resolve, 10)); return OK }
  registry.addStatusHandler('a', soon)
  registry.addStatusHandler('b', () => {
    const end = performance.now() + 150
    while (performance.now() < end);
    return OK
  })
  registry.addStatusHandler('c', soon)
  registry.addStatusHandler('d', () => { const end = performance.now() + 150; while (performance.now() < end); throw new Error('x') })
  registry.addStatusHandler('e', soon)
  const [a, , c, , e] = (await registry.snapshot()).entries
  t.match([a, c, e].map(({ status }) => status), [{ state: OK }, { state: OK }, { state: OK }])
  t.ok((c.duration ?? 0) > 150, 'd is waited for, since nobody else can run meanwhile')
  t.ok((e.duration ?? 0) < 100, `e took ${e.duration} ms`)
})

t.test('where one takes long, the others were taken when they were taken', async (t) => {
  let now = 1_000_000
  const registry = new StatusRegistry({ clock: { now: () => now, monotonic: () => now } })
  registry.addStatusHandler('quick', async () => OK)
  registry.addStatusHandler('slow', async () => { await null; await null; now += 4_000; return OK })
  registry.addStatusHandler('sync', () => OK)
  const { at, entries } = await registry.snapshot()
  t.equal(at, 1_004_000)
  t.strictSame(entries.map((entry) => entry.at), [1_000_000, 1_004_000, 1_000_000])
  now += 10
  registry.removeStatusHandler('slow')
  t.strictSame((await registry.snapshot()).entries.map((entry) => entry.at), [undefined, undefined])
})

t.test('a slow answer has its own time, and one that comes at once after it has not', async (t) => {
  let now = 1_000_000
  const registry = new StatusRegistry({ clock: { now: () => now, monotonic: () => now } })
  let slow = true
  registry.addStatusHandler('a', () => slow ? (async () => { await null; await null; now += 2; return OK })() : OK)
  t.match((await registry.snapshot()).entries, [{ at: 1_000_002 }])
  slow = false
  for (let time = 0; time < 3; time++) {
    now += 10
    t.match((await registry.snapshot()).entries, [{ at: undefined }])
  }
})

t.test('the clock is read for some runs together, and not once for all', async (t) => {
  let reads = 0
  const registry = new StatusRegistry({ clock: { now: () => 0, monotonic: () => ++reads } })
  for (let index = 0; index < 320; index++) registry.addStatusHandler(`a${index}`, async () => OK)
  await registry.snapshot()
  reads = 0
  await registry.snapshot()
  t.ok(reads >= 40 && reads <= 60, `${reads} readings for 320 runs`)
})

t.test('listeners hear of changes in the order in which they came, also of those that a listener makes', async (t) => {
  const registry = new StatusRegistry()
  const [a, b] = [new StateHandler(), new StateHandler()]
  for (const [name, handler] of Object.entries({ a, b })) {
    handler.setState(OK)
    registry.addStatusHandler(name, handler)
  }
  const heard: string[] = []
  registry.on('change', ({ name, to }) => { if (name === 'a') b.setState(to) })
  registry.on('change', ({ name, from, to }) => heard.push(`${name} ${from} ${to}`))
  a.setState(RED)
  t.strictSame(heard, ['a OK RED', 'b OK RED'])
  a.setState(YELLOW)
  t.strictSame(heard.slice(2), ['a RED YELLOW', 'b RED YELLOW'])
})

t.test('an async listener that fails is logged, and does not end the process', async (t) => {
  const lines: unknown[] = []
  const registry = new StatusRegistry({ logger: { info () {}, warn () {}, error: (about: unknown) => { lines.push(about) } } })
  const handler = new StateHandler()
  handler.setState(OK)
  registry.addStatusHandler('a', handler)
  registry.on('change', async () => { throw new Error('x') })
  handler.setState(RED)
  await new Promise(setImmediate)
  t.match(lines, [{ handler: 'a', err: { message: 'x' } }])
})

t.test('a logger and a clock have the methods that are called, and a name that is waited for is a name', async (t) => {
  const bad: Array<[() => unknown, RegExp]> = [
    [() => new StatusRegistry({ logger: {} as never }), /info\(\) of the option "logger" must be a function, not undefined/],
    [() => new StatusRegistry({ logger: { info () {}, warn () {}, error: 1 } as never }), /error\(\) of the option "logger" must be a function, not 1/],
    [() => new StatusRegistry({ clock: { now: () => 0 } as never }), /monotonic\(\) of the option "clock" must be a function, not undefined/],
    [() => new StateHandler({ logger: {} as never }), /info\(\) of the option "logger"/]
  ]
  for (const [make, message] of bad) t.throws(make, { code: 'ERR_INVALID_OPTION', message })
  await t.rejects(new StatusRegistry().waitForStatus(undefined as never, OK), { code: 'ERR_INVALID_NAME' })
})

t.test('a timeout is logged, and a change told, for nobody in particular', async (t) => {
  const storage = new AsyncLocalStorage<number>()
  const seen: unknown[] = []
  const registry = new StatusRegistry({ timeout: 20, logger: { info () {}, warn: () => { seen.push(storage.getStore()) }, error () {} } })
  let hangs = false
  registry.addStatusHandler('a', async () => hangs ? await new Promise<never>(() => {}) : OK)
  await storage.run(1, () => registry.snapshot())
  hangs = true
  await storage.run(2, () => registry.snapshot())
  t.strictSame(seen, [undefined])
})
