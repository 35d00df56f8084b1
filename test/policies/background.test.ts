import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { fail, OK, RED, YELLOW } from '../../lib/core/state.js'
import { count, day, minute, second } from '../../lib/core/units.js'
import { statusPlugin } from '../../lib/plugin.js'
import { Background } from '../../lib/policies/background.js'
import { Hysteresis } from '../../lib/policies/hysteresis.js'
import type { HandlerContext } from '../../types/handler.js'
import type { BackgroundOptions } from '../../types/policies.js'
import type { State, StatusResult } from '../../types/status.js'
import { answers, contextOf, recorder } from './support/context.js'
import { FakeTime, settled } from './support/fake-time.js'

const context = contextOf()

/** The timers go by the clock until the test is over. */
function fakeTime (t: Test): FakeTime {
  const clock = new FakeTime()
  t.teardown(clock.install())
  return clock
}

/** A task whose runs end when the test says so. */
class Runs {
  readonly contexts: HandlerContext[] = []
  readonly ends: Array<(result: StatusResult) => void> = []
  readonly fails: Array<(error: Error) => void> = []
  readonly getStatus = (context: HandlerContext): Promise<StatusResult> => {
    this.contexts.push(context)
    return new Promise((resolve, reject) => {
      this.ends.push(resolve)
      this.fails.push(reject)
    })
  }
}

t.test('readers get the last result at once, however long a run takes', async (t) => {
  const clock = fakeTime(t)
  const runs = new Runs()
  const background = new Background({ task: runs, delay: minute(3), clock })
  t.strictSame(background.getStatus(context), { state: YELLOW, detail: 'not asked yet' })
  await settled()
  t.equal(runs.ends.length, 1, 'it begins when the code that made it has come to its end')
  runs.ends[0]({ state: OK, detail: '3 ms', port: 25 })
  await settled()
  t.strictSame(background.getStatus(context), { state: OK, detail: '3 ms', port: 25 })
  await clock.advance(180_000)
  t.equal(runs.ends.length, 2)
  t.strictSame(background.getStatus(context), { state: OK, detail: '3 ms', port: 25 })
  runs.ends[1](fail)
  await settled()
  t.strictSame(background.getStatus(context), { state: RED })
})

t.test('it runs again when the delay has passed since the last run ended', async (t) => {
  const clock = fakeTime(t)
  const runs = new Runs()
  t.ok(new Background({ task: runs, delay: 1_000, timeout: minute(1), clock }))
  await clock.advance(30_000)
  t.equal(runs.ends.length, 1)
  runs.ends[0](OK)
  await clock.advance(999)
  t.equal(runs.ends.length, 1)
  await clock.advance(1)
  t.equal(runs.ends.length, 2)
  t.equal(clock.waiting, 1, 'nothing but the timeout of the second run is waited for')
})

t.test('a task that answers synchronously needs no timeout', async (t) => {
  const clock = fakeTime(t)
  let runs = 0
  const background = new Background({ task: () => ++runs % 2 === 1, delay: 10, clock })
  await settled()
  t.match([runs, clock.waiting, background.getStatus(context)], [1, 1, { state: OK }])
  await clock.advance(10)
  t.match([runs, background.getStatus(context)], [2, { state: RED }])
})

t.test('before the first result it is what initialState says, for maxAge at most', async (t) => {
  const clock = fakeTime(t)
  const background = new Background({ task: new Runs(), delay: second(10), timeout: 5_000, initialState: OK, clock })
  t.strictSame(background.getStatus(context), { state: OK })
  await clock.advance(34_999)
  t.strictSame(background.getStatus(context), { state: OK, detail: 'still running since 2030-01-01T00:00:00.000Z' })
  await clock.advance(1)
  t.strictSame(background.getStatus(context), { state: RED, detail: 'no result in 35 s; still running since 2030-01-01T00:00:00.000Z' })
})

t.test('with start: false it begins with start(), and only once', async (t) => {
  const clock = fakeTime(t)
  let runs = 0
  const background = new Background({ task: () => { runs++; return OK }, delay: 1_000, maxAge: 5_000, start: false, clock })
  await clock.advance(10_000)
  t.equal(runs, 0)
  t.strictSame(background.getStatus(context), { state: RED, detail: 'no result in 10 s' })
  background.start()
  background.start()
  t.strictSame(background.getStatus(context), { state: YELLOW, detail: 'not asked yet' }, 'a first result is waited for from now on')
  await clock.advance(500)
  t.equal(runs, 1)
  background.start()
  await clock.advance(500)
  t.equal(runs, 2)
})

t.test('a run past its timeout is told to end, and no other begins until it has; its result comes too late', async (t) => {
  const clock = fakeTime(t)
  const { lines, logger } = recorder()
  const runs = new Runs()
  const background = new Background({ task: runs, delay: 1_000, timeout: second(5), clock })
  background.getStatus(contextOf(logger, 'mail'))
  await settled()
  runs.ends[0]({ state: OK, detail: 'fine' })
  await clock.advance(1_000)
  await clock.advance(4_999)
  t.equal(runs.contexts[1].signal.aborted, false)
  await clock.advance(1)
  t.match(runs.contexts[1].signal.reason, { code: 'ERR_HANDLER_TIMEOUT', message: 'the task of "mail" ran longer than 5000 ms' })
  t.strictSame(background.getStatus(context), { state: OK, detail: 'fine; still running since 2030-01-01T00:00:01.000Z' }, 'the last result stands')
  t.match(lines, [{ level: 'error', about: { handler: 'mail', timeout: 5_000 }, message: /ran past its timeout/ }])
  await clock.advance(1_999)
  t.match(background.getStatus(context), { state: OK })
  await clock.advance(1)
  t.strictSame(background.getStatus(context), { state: RED, detail: 'last result 8 s ago; still running since 2030-01-01T00:00:01.000Z' })
  await clock.advance(3_600_000)
  t.equal(runs.ends.length, 2, 'never two at once')
  runs.ends[1](OK)
  await settled()
  t.strictSame(background.getStatus(context), { state: RED, detail: 'last result 3608 s ago; the last run took longer than its timeout' })
  await clock.advance(1_000)
  t.equal(runs.ends.length, 3)
  runs.ends[2](OK)
  await settled()
  t.strictSame(background.getStatus(context), { state: OK })
})

t.test('a run that rejects because it was told to end is logged once', async (t) => {
  const clock = fakeTime(t)
  const { lines, logger } = recorder()
  const background = new Background({
    task: ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    delay: 1_000,
    timeout: 100,
    clock
  })
  background.getStatus(contextOf(logger))
  await clock.advance(150)
  t.equal(lines.length, 1)
  await clock.advance(49_850)
  t.equal(lines.length, 46, 'one for each run of 100 ms and a pause of 1 s')
  t.strictSame(background.getStatus(context), { state: RED, detail: 'no result in 50 s; the last run took longer than its timeout' })
})

t.test('a task that throws is logged once for each run, and is RED when maxAge is over', async (t) => {
  const clock = fakeTime(t)
  const { lines, logger } = recorder()
  const error = Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' })
  const task = answers<State>(OK, error, error, error, error, OK, error)
  const background = new Background({ task: async () => task(), delay: 1_000, timeout: 500, clock, name: 'own' })
  const reader = contextOf(logger, 'mail')
  background.getStatus(reader)
  await clock.advance(1_000)
  t.strictSame(background.getStatus(reader), { state: OK, detail: 'the last run threw Error ECONNREFUSED' })
  await clock.advance(2_499)
  t.match(background.getStatus(reader), { state: OK })
  await clock.advance(1)
  t.strictSame(background.getStatus(reader), { state: RED, detail: 'last result 3.5 s ago; the last run threw Error ECONNREFUSED' })
  t.equal(lines.length, 3)
  t.match(lines.slice(0, 1), [{ level: 'error', about: { handler: 'mail', err: error }, message: 'the task of a Background threw; its last result stands' }])
  await clock.advance(1_500)
  t.strictSame(background.getStatus(reader), { state: OK })
  await clock.advance(1_000)
  t.equal(lines.length, 5)
})

t.test('what is thrown before anybody reads is logged with the first reader, and not without bound', async (t) => {
  const clock = fakeTime(t)
  const { lines, logger } = recorder()
  const background = new Background({ task: () => { throw new Error('x') }, delay: 1_000, clock })
  await clock.advance(5_000)
  background.getStatus(contextOf(logger, 'late'))
  t.match(lines.slice(0, 1), [{ level: 'error', about: { handler: background.name, err: { message: 'x' } } }])
  t.equal(lines.length, 6)
  await background.stop()
  const chatty = new Background({ task: ({ log }) => { log.info('one'); log.warn({ a: 1 }, 'two'); return OK }, delay: 1_000, clock })
  await clock.advance(20_000)
  lines.length = 0
  chatty.getStatus(contextOf(logger))
  t.match(lines.slice(0, 2), [{ level: 'info', about: 'one' }, { level: 'warn', about: { a: 1 }, message: 'two' }])
  t.equal(lines.length, 10)
  await clock.advance(1_000)
  t.equal(lines.length, 12, 'what follows goes where the reader\'s lines go')
})

t.test('a logger that throws disturbs neither readers nor runs', async (t) => {
  const clock = fakeTime(t)
  const throwing = { ...recorder().logger, error () { throw new Error('no disk') } }
  const late = new Background({ task: () => { throw new Error('x') }, delay: 1_000, clock })
  const early = new Background({ task: () => new Promise<StatusResult>(() => {}), delay: 1_000, timeout: 10, clock })
  early.getStatus(contextOf(throwing))
  await clock.advance(100)
  t.match(late.getStatus(contextOf(throwing)), { state: YELLOW, detail: 'the last run threw Error' })
  t.match(early.getStatus(contextOf(throwing)), { state: YELLOW, detail: /^still running/ })
})

t.test('stop() tells the run to end, waits for it, and begins no other', async (t) => {
  const clock = fakeTime(t)
  const runs = new Runs()
  const background = new Background({ task: runs, delay: 1_000, clock })
  await settled()
  runs.ends[0](OK)
  await clock.advance(1_000)
  let stopped = false
  const stopping = background.stop().then(() => { stopped = true })
  t.equal(runs.contexts[1].signal.aborted, true)
  await settled()
  t.equal(stopped, false)
  runs.fails[1](new Error('aborted'))
  await stopping
  await clock.advance(60_000)
  t.equal(runs.ends.length, 2)
  t.equal(clock.waiting, 0)
  t.strictSame(background.getStatus(context), { state: RED, detail: 'last result 61 s ago; stopped' })
})

t.test('stop() resolves within the timeout although the task hangs, and at once for one that had its time', async (t) => {
  const clock = fakeTime(t)
  const background = new Background({ task: () => new Promise<StatusResult>(() => {}), delay: 1_000, timeout: 2_000, clock })
  await settled()
  let stopped = false
  const stopping = background.stop().then(() => { stopped = true })
  await clock.advance(1_999)
  t.equal(stopped, false)
  await clock.advance(1)
  await stopping
  const overdue = new Background({ task: () => new Promise<StatusResult>(() => {}), delay: 1_000, timeout: 2_000, clock })
  await clock.advance(2_000)
  await overdue.stop()
  t.equal(clock.waiting, 0)
})

t.test('stop() before the first run prevents it, and stops a task that can be stopped', async (t) => {
  const clock = fakeTime(t)
  let [runs, stops] = [0, 0]
  const background = new Background({ task: { getStatus: () => { runs++; return OK as State }, stop: async () => { stops++ } } as never, delay: 1_000, clock })
  t.equal(String(background), 'Background of an object: again after 1000 ms')
  await background.stop()
  await clock.advance(10_000)
  t.strictSame([runs, stops], [0, 1])
  t.strictSame(background.getStatus(context), { state: RED, detail: 'no result in 10 s; stopped' })
})

t.test('a task that does not stop is an error to whoever stops it, when the run has ended', async (t) => {
  const clock = fakeTime(t)
  const runs = new Runs()
  const background = new Background({ task: { getStatus: runs.getStatus, stop () { throw new Error('does not stop') } } as never, delay: 1_000, clock })
  await settled()
  let settledYet = false
  const stopping = t.rejects(background.stop(), { message: 'does not stop' }).then(() => { settledYet = true })
  await settled()
  t.equal(settledYet, false)
  runs.ends[0](OK)
  await stopping
  t.match(background.getStatus(context), { state: YELLOW, detail: 'stopped' }, 'a result that comes after the stop is not used')
})

t.test('after stop() it can start again: at once, or when the old run has ended at last', async (t) => {
  const clock = fakeTime(t)
  const runs = new Runs()
  const background = new Background({ task: runs, delay: minute(1), timeout: 1_000, clock })
  await settled()
  runs.ends[0]({ state: OK, detail: 'fine' })
  await settled()
  await background.stop()
  t.strictSame(background.getStatus(context), { state: OK, detail: 'fine; stopped' })
  background.start()
  t.strictSame(background.getStatus(context), { state: OK, detail: 'fine' })
  await settled()
  t.equal(runs.ends.length, 2)
  const stopping = background.stop()
  await clock.advance(1_000)
  await stopping
  background.start()
  t.strictSame(background.getStatus(context), { state: OK, detail: 'fine; still running since 2030-01-01T00:00:00.000Z' })
  await clock.advance(100_000)
  t.equal(runs.ends.length, 2, 'never two at once')
  runs.ends[1](RED)
  await settled()
  t.equal(runs.ends.length, 3)
})

t.test('to start and stop in one go makes no second run', async (t) => {
  const clock = fakeTime(t)
  let runs = 0
  const background = new Background({ task: () => { runs++; return OK }, delay: 1_000, clock })
  const stopping = background.stop()
  background.start()
  await stopping
  await settled()
  t.strictSame([runs, clock.waiting], [1, 1])
  await clock.advance(1_000)
  t.strictSame([runs, clock.waiting], [2, 1])
})

t.test('each run has a signal of its own, made only when it is read, aborted also when read too late', async (t) => {
  const clock = fakeTime(t)
  const runs = new Runs()
  t.ok(new Background({ task: runs, delay: 1_000, timeout: 500, clock }))
  await clock.advance(500)
  t.match(runs.contexts[0].signal.reason, { code: 'ERR_HANDLER_TIMEOUT' })
  runs.ends[0](OK)
  await clock.advance(1_000)
  t.equal(runs.contexts[1].signal.aborted, false)
  t.equal(runs.contexts[1].signal, runs.contexts[1].signal)
})

t.test('what the task answers is copied, so that nobody changes it afterwards', async (t) => {
  const clock = fakeTime(t)
  const status: Record<string, unknown> = { state: OK, more: { a: 1 } }
  const background = new Background({ task: () => status as never, delay: 1_000, clock })
  await settled()
  status.state = RED
  t.strictSame(background.getStatus(context), { state: OK, more: { a: 1 } })
})

t.test('an answer that is no status is RED, as everywhere', async (t) => {
  const clock = fakeTime(t)
  const background = new Background({ task: async () => 5 as never, delay: 1_000, clock })
  await settled()
  t.match(background.getStatus(context), { state: RED, detail: /^returned 5/ })
})

t.test('around a hysteresis it sees to it that the task is asked', async (t) => {
  const clock = fakeTime(t)
  let result: State = RED
  const registry = new StatusRegistry({ clock })
  registry.addStatusHandler('mail', new Background({ task: new Hysteresis({ task: async () => result, initialState: fail, okAfter: 2, failAfter: 2, clock }), delay: minute(3), clock }))
  const changes: string[] = []
  registry.on('change', ({ from, to }) => changes.push(`${from} ${to}`))
  const state = async (): Promise<State> => (await registry.getStatus('mail')).state
  await clock.advance(1)
  t.equal(await state(), RED)
  result = OK
  await clock.advance(180_000)
  t.equal(await state(), RED)
  await clock.advance(180_000)
  t.equal(await state(), OK)
  t.strictSame(changes, ['RED OK'])
})

t.test('the plugin stops on close what it was given', async (t) => {
  const app = Fastify()
  const runs = new Runs()
  const background = new Background({ task: async (context) => await runs.getStatus(context), delay: 1_000, timeout: 50 })
  await app.register(statusPlugin, { registry: new StatusRegistry(), handlers: { mail: background } })
  await app.ready()
  await settled()
  await app.close()
  t.equal(runs.contexts[0].signal.aborted, true)
  t.match(background.getStatus(context), { detail: 'stopped' })
})

t.test('the system\'s time is read once in one go, and again in the next', async (t) => {
  const [first, second] = [0, 1].map(() => new Background({ task: () => OK, delay: 1_000, timeout: 1, maxAge: 40 }))
  t.teardown(async () => { await first.stop(); await second.stop() })
  await settled()
  t.match([first.getStatus(context), second.getStatus(context)], [{ state: OK }, { state: OK }])
  const end = performance.now() + 50
  while (performance.now() < end) await settled()
  t.match([first.getStatus(context), second.getStatus(context)], [{ state: RED, detail: /^last result \d+ ms ago$/ }, { state: RED }])
})

t.test('it keeps no process alive', async (t) => {
  // A process of its own on the built package, without what the test runner would put into its environment.
  const library = resolve(import.meta.dirname, '../../dist/lib/policies/background.js')
  const directory = t.testdir({
    'program.mjs': `
      import { Background } from ${JSON.stringify(library)}
      new Background({ task: () => true, delay: 60_000 })
      new Background({ task: () => new Promise(() => {}), delay: 60_000, timeout: 60_000 })
      process.on('exit', () => console.log(process.uptime() < 30 ? 'ended at once' : 'ended late'))
    `
  })
  const { stdout, stderr } = spawnSync('env', ['-i', process.execPath, resolve(directory, 'program.mjs')], { encoding: 'utf8', timeout: 50_000 })
  t.equal(stdout, 'ended at once\n', stderr)
})

t.test('it reads well, by its name or by what it does', async (t) => {
  const options = { task: async function tcp () { return OK }, delay: minute(3), start: false }
  t.equal(String(new Background({ ...options, name: 'mail' })), 'mail')
  t.equal(new Background(options).name, 'Background of tcp: again after 3 minutes')
  t.equal(String(new Background({ ...options, delay: 250 })), 'Background of tcp: again after 250 ms')
})

const task = (): State => OK
const bad: Array<[string, unknown, string, RegExp]> = [
  ['no task', { delay: 5 }, 'ERR_INVALID_HANDLER', /"task"/],
  ['no delay', { task }, 'ERR_INVALID_OPTION', /"delay" must be a number of milliseconds or a time such as second\(5\), not undefined/],
  ['a count for a delay', { task, delay: count(5) }, 'ERR_INVALID_OPTION', /"delay" .* not count\(5\)/],
  ['a string for a delay', { task, delay: '5s' }, 'ERR_INVALID_OPTION', /"delay" .* not "5s"/],
  ['no delay to wait', { task, delay: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"delay" .* not 0/],
  ['a delay that no timer holds', { task, delay: day(30) }, 'ERR_OPTION_OUT_OF_RANGE', /"delay"/],
  ['NaN for a timeout', { task, delay: 5, timeout: NaN }, 'ERR_INVALID_OPTION', /"timeout" .* not NaN/],
  ['no time for a run', { task, delay: 5, timeout: second(0) }, 'ERR_OPTION_OUT_OF_RANGE', /"timeout" .* not 0/],
  ['a negative age', { task, delay: 5, maxAge: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /"maxAge" .* not -1/],
  ['an endless age', { task, delay: 5, maxAge: Infinity }, 'ERR_OPTION_OUT_OF_RANGE', /"maxAge" .* not Infinity/],
  ['a count for an age', { task, delay: 5, maxAge: count(5) }, 'ERR_INVALID_OPTION', /"maxAge" .* not count\(5\)/],
  ['an unknown state', { task, delay: 5, initialState: 'up' }, 'ERR_INVALID_OPTION', /"initialState" .* not "up"/],
  ['a word for start', { task, delay: 5, start: 'yes' }, 'ERR_INVALID_OPTION', /"start" must be a boolean, not "yes"/],
  ['a clock that is none', { task, delay: 5, clock: null }, 'ERR_INVALID_OPTION', /"clock" must be an object, not null/],
  ['a name without characters', { task, delay: 5, name: '' }, 'ERR_INVALID_OPTION', /"name"/],
  ['a mistyped option', { task, delay: 5, interval: 5 }, 'ERR_UNKNOWN_OPTION', /Background has no option "interval"/]
]

for (const [title, options, code, message] of bad) {
  t.test(`${title} is refused with ${code}`, async (t) => {
    t.throws(() => new Background(options as BackgroundOptions), { code, message })
  })
}
