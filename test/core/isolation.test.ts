import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Logger } from '../../types/logger.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED } from '../../lib/core/state.js'
import type { StatusResult } from '../../types/status.js'

interface Line { level: string, details: Record<string, unknown> }

function recorder (): { lines: Line[], logger: Logger } {
  const lines: Line[] = []
  const record = (level: string) => (details: unknown): void => { lines.push({ level, details: details as Record<string, unknown> }) }
  return { lines, logger: { info: record('info'), warn: record('warn'), error: record('error') } }
}

const circular: Record<string, unknown> = { state: 'OK' }
circular.self = circular

const throws = (what: unknown) => () => { throw what }
const rejects = (what: unknown) => async () => { throw what }

const answers: Array<[string, () => unknown, object]> = [
  ['throws', () => { throw new TypeError('password=hunter2') }, { state: RED, detail: 'threw TypeError' }],
  ['throws with a code', () => { throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }) }, { state: RED, detail: 'threw Error ECONNREFUSED' }],
  ['throws with a number for a code', () => { throw Object.assign(new Error('secret'), { code: 1045 }) }, { state: RED, detail: 'threw Error 1045' }],
  ['throws a string', throws('secret'), { state: RED, detail: 'threw a string, not an Error' }],
  ['rejects with undefined', rejects(undefined), { state: RED, detail: 'threw undefined, not an Error' }],
  ['rejects with an object', rejects({ password: 'x' }), { state: RED, detail: 'threw an object, not an Error' }],
  ['rejects with an error that cannot be read', async () => await Promise.reject(Object.defineProperty(new Error('x'), 'name', { get () { throw new Error('no') } })), { state: RED, detail: 'threw an error that cannot be read' }],
  ['returns undefined', () => undefined, { state: RED, detail: 'returned undefined, which is no status: expected a status, OK, YELLOW, RED, true or false' }],
  ['resolves to null', async () => null, { state: RED, detail: /returned null, which is no status/ }],
  ['returns a number', () => 0, { state: RED, detail: /returned 0/ }],
  ['returns a BigInt', () => 1n, { state: RED, detail: /returned 1n/ }],
  ['returns an empty object', () => ({}), { state: RED, detail: 'returned an object without a state' }],
  ['returns an unknown state', () => 'ok', { state: RED, detail: /returned "ok"/ }],
  ['returns an object with an unknown state', () => ({ state: 'green' }), { state: RED, detail: 'returned the unknown state "green": expected OK, YELLOW, RED' }],
  ['returns a state that cannot be read', () => ({ get state () { throw new Error('no') } }), { state: RED, detail: 'returned an object whose state cannot be read' }],
  ['returns an object whose then cannot be read', () => ({ get then () { throw new Error('no') } }), { state: RED, detail: 'threw Error' }],
  ['returns a circular object', () => circular, { state: OK, self: '[circular]' }],
  ['returns a BigInt property', () => ({ state: 'OK', big: 12n }), { state: OK, big: '12' }],
  ['returns a getter that throws', () => ({ state: 'OK', get bad () { throw new Error('no') } }), { state: OK, bad: '[unreadable]' }],
  ['returns a detail of 10 MB', () => ({ state: 'OK', detail: 'x'.repeat(10_000_000) }), { state: OK, detail: `${'x'.repeat(4_095)}…` }],
  ['returns a detail that is no string', () => ({ state: 'OK', detail: { a: 1 } }), { state: OK, detail: '{"a":1}' }],
  ['returns null for a detail', () => ({ state: 'OK', detail: null }), { state: OK }],
  ['returns metrics that are no numbers', () => ({ state: 'OK', metrics: { a: 1, b: '2', c: 3n, d: Infinity } }), { state: OK, metrics: { a: 1, c: 3, d: Infinity } }],
  ['returns metrics that are no object', () => ({ state: 'OK', metrics: 5 }), { state: OK, metrics: undefined }],
  ['returns metrics that cannot be read', () => ({ state: 'OK', get metrics () { throw new Error('no') } }), { state: OK, metrics: undefined }],
  ['returns an instance whose state is inherited', () => new (class { get state (): string { return 'OK' } })(), { state: OK }]
]

for (const [title, answer, expected] of answers) {
  t.test(`a handler that ${title} is shown and disturbs nobody`, async (t) => {
    const registry = new StatusRegistry()
    registry.addStatusHandler('good', async () => OK)
    registry.addStatusHandler('odd', answer as never)
    for (const round of ['first', 'second']) {
      const { entries } = await registry.snapshot()
      t.match(entries[0].status, { state: OK }, round)
      t.match(entries[1].status, expected, round)
      t.doesNotThrow(() => JSON.stringify(entries))
    }
    t.ok(JSON.stringify(await registry.getStatus('odd')).length < 100_000)
  })
}

t.test('no metric beyond the hundredth is kept, and names are bounded', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', () => ({ state: 'OK', metrics: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`m${index}${'x'.repeat(500)}`, index])) }))
  const { metrics } = await registry.getStatus('a')
  t.equal(Object.keys(metrics ?? {}).length, 100)
  t.ok(Object.keys(metrics ?? {}).every((name) => name.length <= 100))
})

t.test('what a handler throws goes to the log as a whole, once per kind of failure', async (t) => {
  const { lines, logger } = recorder()
  const registry = new StatusRegistry({ logger })
  let error = new Error('password=hunter2')
  registry.addStatusHandler('a', async () => { throw error })
  await registry.snapshot()
  await registry.snapshot()
  t.match(lines, [{ level: 'error', details: { handler: 'a', err: { message: 'password=hunter2' } } }])
  t.equal(lines.length, 1)
  error = new RangeError('another')
  await registry.snapshot()
  t.equal(lines.length, 2)
})

t.test('why a status is RED is told apart from what the handler says', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('invalid', () => 5 as never)
  registry.addStatusHandler('said', () => ({ state: RED, detail: 'threw Error' }))
  registry.addStatusHandler('slow', () => new Promise<StatusResult>(() => {}), { timeout: 5 })
  registry.addStatusHandler('threw', () => { throw new Error('x') })
  const faults = async (): Promise<unknown> => (await registry.snapshot()).entries.map(({ fault }) => fault)
  t.strictSame(await faults(), ['invalid', undefined, 'timed out', 'threw'])
  t.strictSame(await faults(), ['invalid', undefined, 'still running', 'threw'])
})

t.test('a handler that hangs is RED after its timeout, and delays no other', async (t) => {
  const { lines, logger } = recorder()
  const registry = new StatusRegistry({ logger, timeout: 20 })
  let signal: AbortSignal | undefined
  registry.addStatusHandler('good', async () => OK)
  registry.addStatusHandler('hangs', (context) => { signal = context.signal; return new Promise<StatusResult>(() => {}) })
  registry.addStatusHandler('longer', () => new Promise<StatusResult>(() => {}), { timeout: 40 })
  const { entries } = await registry.snapshot()
  t.strictSame(entries.map(({ status }) => status), [{ state: OK }, { state: RED, detail: 'timed out after 20 ms' }, { state: RED, detail: 'timed out after 40 ms' }])
  t.match(signal?.reason, { code: 'ERR_HANDLER_TIMEOUT' })
  t.match(lines, [{ level: 'warn', details: { handler: 'hangs', timeout: 20 } }, { level: 'warn', details: { handler: 'longer' } }])
  t.ok((entries[1].duration ?? 0) >= 15)
})

t.test('a question can bring its own timeout, which yields to the handler\'s', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('a', () => new Promise<StatusResult>(() => {}))
  registry.addStatusHandler('b', () => new Promise<StatusResult>(() => {}), { timeout: 11 })
  const { entries } = await registry.snapshot({ timeout: 10 })
  t.match(entries, [{ status: { detail: 'timed out after 10 ms' } }, { status: { detail: 'timed out after 11 ms' } }])
})

t.test('a run that outlived its timeout is not joined by another; when it ends, the next question starts a new one', async (t) => {
  const registry = new StatusRegistry({ timeout: 10 })
  const ends: Array<(result: StatusResult) => void> = []
  registry.addStatusHandler('a', () => new Promise<StatusResult>((resolve) => ends.push(resolve)))
  t.match(await registry.getStatus('a'), { detail: 'timed out after 10 ms' })
  const still = await registry.getStatus('a')
  t.match(still, { state: RED, detail: /^still running since \d{4}-\d\d-\d\dT[\d:.]+Z, past its timeout$/ })
  t.equal(await registry.getStatus('a'), still)
  t.equal(ends.length, 1)
  ends[0](OK)
  await pause(0)
  t.match(registry.latest().entries[0].status, { state: RED }, 'an answer that comes too late is nobody\'s answer')
  const next = registry.getStatus('a')
  t.equal(ends.length, 2)
  ends[1](OK)
  t.strictSame(await next, { state: OK })
})

t.test('a late rejection is no unhandled rejection', async (t) => {
  const registry = new StatusRegistry({ timeout: 5 })
  let end: (error: Error) => void = () => {}
  registry.addStatusHandler('a', () => new Promise<StatusResult>((_resolve, reject) => { end = reject }))
  await registry.getStatus('a')
  end(new Error('late'))
  await pause(5)
  t.equal(registry.latest().entries[0].fault, 'timed out')
})

t.test('each run has a signal of its own, made only when it is read, aborted also when read too late', async (t) => {
  const registry = new StatusRegistry({ timeout: 10 })
  const signals: AbortSignal[] = []
  const late: AbortSignal[] = []
  registry.addStatusHandler('reads', async ({ signal }) => { signals.push(signal); return OK })
  registry.addStatusHandler('late', (context) => new Promise<StatusResult>((resolve) => {
    setTimeout(() => { late.push(context.signal); resolve(OK) }, 30)
  }))
  await registry.getStatus('reads')
  await registry.getStatus('reads')
  t.not(signals[0], signals[1])
  t.notOk(signals[0].aborted || signals[1].aborted)
  await registry.getStatus('late')
  while (late.length === 0) await pause(5)
  t.equal(late[0].aborted, true)
})

t.test('a handler is told its name and gets the log of the registry', async (t) => {
  const { logger } = recorder()
  const registry = new StatusRegistry({ logger })
  registry.addStatusHandler('a', ({ name, log }) => ({ state: 'OK', detail: name, same: log === logger }))
  t.strictSame(await registry.getStatus('a'), { state: OK, detail: 'a', same: true })
})

t.test('removing a handler ends its run, whose end changes nothing any more', async (t) => {
  const registry = new StatusRegistry()
  let signal: AbortSignal | undefined
  let changes = 0
  registry.on('change', () => { changes++ })
  registry.addStatusHandler('a', async (context) => {
    signal = context.signal
    if (registry.latest().entries[0].status === undefined) return OK
    await new Promise<unknown>((resolve) => context.signal.addEventListener('abort', resolve))
    return RED
  })
  await registry.getStatus('a')
  const asked = registry.getStatus('a')
  registry.removeStatusHandler('a')
  t.match(signal?.reason, { code: 'ERR_UNKNOWN_HANDLER' })
  t.match(await asked, { state: RED }, 'who asked gets the answer')
  t.equal(changes, 0)
})

t.test('a promise that lies about itself, or a log that cannot write the error, holds up nobody', async (t) => {
  const logger = { info () {}, warn () {}, error (details: unknown) { if (typeof details !== 'string') throw new Error('unreadable') } }
  const registry = new StatusRegistry({ logger })
  const odd = Promise.resolve('OK' as const)
  Object.defineProperty(odd, 'then', { value () { throw new Error('no') } })
  registry.addStatusHandler('odd', () => odd)
  registry.addStatusHandler('foreign', () => ({ then () { throw new Error('no') } }) as unknown as Promise<StatusResult>)
  registry.addStatusHandler('throws', async () => { throw new Error('x') })
  const broken = new StatusRegistry({ logger: { info () {}, warn () {}, error () { throw new Error('never') } } })
  broken.addStatusHandler('throws', async () => { throw new Error('x') })
  for (let round = 0; round < 2; round++) {
    t.strictSame((await registry.snapshot()).entries.map(({ status }) => status?.detail), ['threw Error', undefined, 'threw Error'])
    t.equal((await broken.snapshot()).state, RED)
  }
})
