import fc from 'fast-check'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { fail, OK, ok, RED, severity, YELLOW } from '../../lib/core/state.js'
import { count, minute, second } from '../../lib/core/units.js'
import { Hysteresis } from '../../lib/policies/hysteresis.js'
import type { HysteresisOptions } from '../../types/policies.js'
import type { State, Status } from '../../types/status.js'
import { answers, contextOf, recorder } from './support/context.js'
import { FakeTime } from './support/fake-time.js'

const context = contextOf()

/** The state after each answer; a letter is a result, `t` throws. */
async function statesAfter (letters: string, options: Partial<HysteresisOptions> = {}): Promise<string> {
  const word: Record<string, State | Error> = { S: OK, Y: YELLOW, F: RED, t: new Error('x') }
  const hysteresis = new Hysteresis({ task: answers(...[...letters].map((letter) => word[letter])), initialState: ok, okAfter: 3, failAfter: 3, ...options })
  let states = ''
  for (const letter of letters) {
    const { state } = await hysteresis.getStatus(context)
    t.equal(hysteresis.state, state, letter)
    states += { OK: 'S', YELLOW: 'Y', RED: 'F' }[state]
  }
  return states
}

const stories: Array<[title: string, results: string, states: string, options?: Partial<HysteresisOptions>]> = [
  ['F S F S F does not trip a threshold of three', 'FSFSF', 'SSSSS'],
  ['three failures in a row do', 'FFF', 'SSF'],
  ['two failures are too few, however often', 'FFSFFSFFS', 'SSSSSSSSS'],
  ['S F S F S does not put it right again', 'SFSFS', 'FFFFF', { initialState: fail }],
  ['three successes in a row do', 'SSS', 'FFS', { initialState: fail }],
  ['after a change the next run begins anew', 'FFFSSFSSS', 'SSFFFFFFS'],
  ['from OK, YELLOW and RED are one run, and the last of them is the new state', 'YFY', 'SSY'],
  ['from OK, YELLOW and RED are one run that can end at RED', 'YYF', 'SSF'],
  ['from RED, YELLOW and OK are one run', 'YSS', 'FFS', { initialState: fail }],
  ['from RED it can get as far as YELLOW', 'SSY', 'FFY', { initialState: fail }],
  ['from YELLOW, better and worse are two runs that end each other', 'SSFFSSFFSSS', 'YYYYYYYYYYS', { initialState: YELLOW }],
  ['from YELLOW, a run of RED leads to RED', 'FFF', 'YYF', { initialState: YELLOW }],
  ['from YELLOW, YELLOW ends a run', 'FFYFF', 'YYYYY', { initialState: YELLOW }],
  ['the lengths of the two ways differ', 'FSSFSSS', 'FFFFFFS', { failAfter: 1, initialState: ok }],
  ['a task that throws is no failure', 'FFtttt', 'SSSSSS'],
  ['a task that throws is no agreement', 'FFtF', 'SSSF'],
  ['a task that throws changes nothing on the way back', 'SStS', 'FFFS', { initialState: fail }],
  ['without options the first result counts', 'FSYF', 'FSYF', { okAfter: undefined, failAfter: undefined, initialState: undefined }],
  ['five to OK, twenty to FAIL', 'SSSSS' + 'F'.repeat(20), 'FFFFS' + 'S'.repeat(19) + 'F', { initialState: fail, okAfter: count(5), failAfter: count(20) }]
]

for (const [title, results, states, options] of stories) {
  t.test(title, async (t) => {
    t.equal(await statesAfter(results, options), states)
  })
}

t.test('before the first result it is YELLOW, for nothing is known yet', async (t) => {
  t.equal(new Hysteresis({ task: () => OK }).state, YELLOW)
})

t.test('a run of a time begins with its first result and is long enough at the first of its results that comes so long after', async (t) => {
  const clock = new FakeTime()
  let result: State = RED
  const hysteresis = new Hysteresis({ task: () => result, initialState: ok, okAfter: minute(1), failAfter: minute(2), clock })
  const states: State[] = []
  const after = async (seconds: number): Promise<void> => {
    await clock.advance(seconds * 1_000)
    states.push((await hysteresis.getStatus(context)).state)
  }
  for (const pause of [100, 60, 59.999, 0.001]) await after(pause)
  t.strictSame(states.splice(0), [OK, OK, OK, RED])
  result = OK
  for (const pause of [500, 59.999]) await after(pause)
  t.strictSame(states.splice(0), [RED, RED], 'time before the run does not count')
  result = RED
  await after(0.5)
  result = OK
  for (const pause of [60, 59.999, 0.001]) await after(pause)
  t.strictSame(states, [RED, RED, RED, OK], 'agreement ends a run of a time too')
})

t.test('a count one way and a time the other way', async (t) => {
  const clock = new FakeTime()
  let result: State = RED
  const hysteresis = new Hysteresis({ task: () => result, initialState: ok, okAfter: 2, failAfter: second(10), clock })
  for (let time = 0; time < 5; time++) t.match(hysteresis.getStatus(context), { state: OK })
  await clock.advance(10_000)
  t.match(hysteresis.getStatus(context), { state: RED })
  result = OK
  t.match([hysteresis.getStatus(context), hysteresis.getStatus(context)], [{ state: RED }, { state: OK }])
})

t.test('the detail says where a run stands, with what the task says', async (t) => {
  const clock = new FakeTime()
  const task = answers<Status | boolean>(true, false, { state: RED, detail: 'refused', metrics: { a: 1 }, port: 25 }, new TypeError('password'), false, true, { state: OK, detail: '3 ms' }, true)
  const hysteresis = new Hysteresis({ task, initialState: ok, okAfter: second(9), failAfter: count(3), clock })
  const statuses: unknown[] = []
  for (let time = 0; time < 8; time++) {
    statuses.push(hysteresis.getStatus(context))
    await clock.advance(4_500)
  }
  t.strictSame(statuses, [
    { state: OK },
    { state: OK, detail: 'RED, 1 of 3 failures' },
    { metrics: { a: 1 }, port: 25, state: OK, detail: 'RED, 2 of 3 failures: refused' },
    { state: OK, detail: 'the task threw TypeError; before that RED, 2 of 3 failures' },
    { state: RED },
    { state: RED, detail: 'OK, passing for 0 ms of 9 s' },
    { state: RED, detail: 'OK, passing for 4.5 s of 9 s: 3 ms' },
    { state: OK }
  ])
})

t.test('a run of failures by time is shown in seconds', async (t) => {
  const clock = new FakeTime()
  const hysteresis = new Hysteresis({ task: () => YELLOW, initialState: ok, failAfter: minute(2), clock })
  await hysteresis.getStatus(context)
  await clock.advance(40_999)
  t.strictSame(await hysteresis.getStatus(context), { state: OK, detail: 'YELLOW, failing for 40 s of 120 s' })
})

t.test('without a run the status is the task\'s own', async (t) => {
  const status = { state: OK, detail: 'fine', metrics: { a: 1 } } as const
  const hysteresis = new Hysteresis({ task: () => status, initialState: ok })
  t.equal(hysteresis.getStatus(context), status)
})

t.test('an answer that is no status is RED, as everywhere', async (t) => {
  const hysteresis = new Hysteresis({ task: answers<never>(5 as never, {} as never, { get state () { throw new Error('x') } } as never), initialState: ok, failAfter: 2 })
  t.match(hysteresis.getStatus(context), { state: OK, detail: /^RED, 1 of 2 failures: returned 5, which is no status/ })
  t.strictSame(hysteresis.getStatus(context), { state: RED, detail: 'returned an object without a state' })
  t.strictSame(hysteresis.getStatus(context), { state: RED, detail: 'returned an object whose state cannot be read' })
})

t.test('a task that answers synchronously is answered for synchronously, another with a promise', async (t) => {
  const sync = new Hysteresis({ task: () => true })
  t.strictSame(sync.getStatus(context), { state: OK })
  const async = new Hysteresis({ task: async () => true })
  t.type(async.getStatus(context), Promise)
  t.strictSame(await async.getStatus(context), { state: OK })
})

t.test('readers at the same moment share a run, which counts once', async (t) => {
  let runs = 0
  const hysteresis = new Hysteresis({ task: async () => { runs++; return fail }, initialState: ok, failAfter: 2 })
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => await hysteresis.getStatus(context)))
  t.equal(runs, 1)
  t.ok(statuses.every((status) => status === statuses[0]))
  t.match(statuses[0], { state: OK, detail: 'RED, 1 of 2 failures' })
  t.match(await hysteresis.getStatus(context), { state: RED })
})

for (const [kind, throwing] of [['throws', () => { throw Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' }) }], ['rejects', async () => { throw Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' }) }]] as const) {
  t.test(`a task that ${kind} is logged once for each run, and its message is not shown`, async (t) => {
    const { lines, logger } = recorder()
    const reader = contextOf(logger, 'mail')
    let fails = true
    const hysteresis = new Hysteresis({ task: () => fails ? throwing() : OK, initialState: ok })
    for (let time = 0; time < 5; time++) {
      t.strictSame(await hysteresis.getStatus(reader), { state: OK, detail: 'the task threw Error ECONNREFUSED' })
    }
    t.equal(lines.length, 5)
    t.match(lines.slice(0, 1), [{ level: 'error', about: { handler: 'mail', err: { message: 'password=hunter2' } }, message: 'the task of a Hysteresis threw, which does not change its state' }])
    fails = false
    await hysteresis.getStatus(reader)
    fails = true
    await hysteresis.getStatus(reader)
    t.equal(lines.length, 6)
  })
}

t.test('a logger that throws disturbs nobody', async (t) => {
  const messages: unknown[] = []
  const throwing = { ...recorder().logger, error (...line: unknown[]) { messages.push(line.at(-1)); throw new Error('no disk') } }
  const hysteresis = new Hysteresis({ task: () => { throw new Error('x') }, initialState: ok })
  t.strictSame(hysteresis.getStatus(contextOf(throwing)), { state: OK, detail: 'the task threw Error' })
  t.equal(messages.length, 2, 'what it cannot write with the error it may write without')
})

t.test('a task whose then cannot be read has thrown', async (t) => {
  const hysteresis = new Hysteresis({ task: () => ({ get then () { throw new RangeError('x') } }) as never, initialState: ok })
  t.strictSame(hysteresis.getStatus(context), { state: OK, detail: 'the task threw RangeError' })
})

t.test('a promise that calls back at once, against the rules, holds nobody up', async (t) => {
  const odd = Object.assign(Promise.resolve(OK), { then (done: (state: State) => void) { done(RED) } })
  const hysteresis = new Hysteresis({ task: () => odd as never })
  for (let time = 0; time < 2; time++) t.strictSame(await hysteresis.getStatus(context), { state: OK })
})

t.test('a task is asked as it is, provider or function, with the context of the reader', async (t) => {
  class Counter {
    asked = 0
    getStatus (given: unknown): boolean { this.asked++; return given === context }
  }
  const task = new Counter()
  t.strictSame(new Hysteresis({ task }).getStatus(context), { state: OK })
  t.equal(task.asked, 1)
  t.strictSame(new Hysteresis({ task: (given) => given === context }).getStatus(context), { state: OK })
})

t.test('policies nest', async (t) => {
  const results = answers(...[RED, RED, RED, RED] as State[])
  const outer = new Hysteresis({ task: new Hysteresis({ task: results, initialState: ok, failAfter: 2 }), initialState: ok, failAfter: 2 })
  const states: State[] = []
  for (let time = 0; time < 4; time++) states.push((await outer.getStatus(context)).state)
  t.strictSame(states, [OK, OK, RED, RED])
})

t.test('stop() stops the task, where it can be stopped', async (t) => {
  let stopped = 0
  await new Hysteresis({ task: { getStatus: () => OK as State, stop: async () => { stopped++ } } as never }).stop()
  t.equal(stopped, 1)
  await new Hysteresis({ task: () => OK }).stop()
  await t.rejects(new Hysteresis({ task: { getStatus: () => OK as State, stop () { throw new Error('does not stop') } } as never }).stop(), { message: 'does not stop' })
})

t.test('it reads well, by its name or by what it does', async (t) => {
  const check = function tcp () { return OK }
  const named = new Hysteresis({ task: check, name: 'mail' })
  t.strictSame([named.name, String(named)], ['mail', 'mail'])
  const options = { task: check, okAfter: count(5), failAfter: minute(2) }
  t.equal(String(new Hysteresis(options)), 'Hysteresis of tcp: better after 5 results, worse after 2 minutes')
  t.equal(new Hysteresis({ task: () => OK, failAfter: 1 }).name, 'Hysteresis of a function: better after 1 result, worse after 1 result')
  t.equal(new Hysteresis({ task: { getStatus: () => OK } }).name, 'Hysteresis of an object: better after 1 result, worse after 1 result')
  t.match(new Hysteresis({ task: named }).name, /^Hysteresis of mail:/)
  t.match(new Hysteresis({ task: { getStatus: () => OK, toString () { throw new Error('x') } } as never }).name, /^Hysteresis of an object:/)
  t.match(new Hysteresis({ task: Object.assign(Object.create(null), { getStatus: () => OK }) }).name, /^Hysteresis of an object:/)
})

const bad: Array<[string, unknown, string, RegExp]> = [
  ['no task', {}, 'ERR_INVALID_HANDLER', /the option "task" must be a function or an object with a method getStatus; it is undefined/],
  ['null for a task', { task: null }, 'ERR_INVALID_HANDLER', /"task" .* null/],
  ['an object that cannot be asked', { task: {} }, 'ERR_INVALID_HANDLER', /"task" .* an object$/],
  ['no options', undefined, 'ERR_INVALID_HANDLER', /"task"/],
  ['a mistyped option', { task: () => OK, okafter: 5 }, 'ERR_UNKNOWN_OPTION', /Hysteresis has no option "okafter"/],
  ['a string for a run', { task: () => OK, okAfter: '5' }, 'ERR_INVALID_OPTION', /"okAfter" must be count\(…\), a whole number of results or a time such as minute\(2\), not "5"/],
  ['null for a run', { task: () => OK, failAfter: null }, 'ERR_INVALID_OPTION', /"failAfter" .* not null/],
  ['NaN for a run', { task: () => OK, failAfter: NaN }, 'ERR_INVALID_OPTION', /"failAfter", without a unit a number of results, must be a number, not NaN/],
  ['half a result', { task: () => OK, failAfter: 2.5 }, 'ERR_OPTION_OUT_OF_RANGE', /"failAfter".* must be a whole number, not 2\.5/],
  ['no results', { task: () => OK, okAfter: 0 }, 'ERR_OPTION_OUT_OF_RANGE', /"okAfter".* not 0/],
  ['negative results', { task: () => OK, okAfter: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /"okAfter".* not -1/],
  ['endless results', { task: () => OK, okAfter: Infinity }, 'ERR_OPTION_OUT_OF_RANGE', /"okAfter".* not Infinity/],
  ['no time', { task: () => OK, okAfter: second(0) }, 'ERR_OPTION_OUT_OF_RANGE', /"okAfter" in milliseconds must be a finite number of 1 or more, not 0/],
  ['an unknown state', { task: () => OK, initialState: 'GREEN' }, 'ERR_INVALID_OPTION', /"initialState" must be OK, YELLOW, RED, true or false, not "GREEN"/],
  ['a name without characters', { task: () => OK, name: '' }, 'ERR_INVALID_OPTION', /"name" must be a string with a character or more, not ""/],
  ['a name that is no string', { task: () => OK, name: 5 }, 'ERR_INVALID_OPTION', /"name" .* not 5/],
  ['a clock that is none', { task: () => OK, clock: 5 }, 'ERR_INVALID_OPTION', /"clock" must be an object, not 5/]
]

for (const [title, options, code, message] of bad) {
  t.test(`${title} is refused with ${code}`, async (t) => {
    t.throws(() => new Hysteresis(options as HysteresisOptions), { code, message })
  })
}

interface Step { readonly pause: number, readonly result: State | 'throws' }

/** What the state must be after the last step, from the whole history: no state is carried along but the states themselves. */
function expected (states: readonly State[], steps: readonly Step[], { okAfter, failAfter }: { okAfter: number | 'time', failAfter: number | 'time' }): State {
  const now = states.at(-1) as State
  const last = steps.at(-1) as Step
  if (last.result === 'throws') return now
  const side = (result: State): number => Math.sign(severity(result) - severity(now))
  if (side(last.result) === 0) return now
  // The longest run that ends here: back to the last change, to a result on another side, or to the beginning.
  let results = 0
  let first = steps.length
  for (let index = steps.length - 1; index >= 0; index--) {
    // What came before a change of the state is not of this run.
    if (index < steps.length - 1 && states[index + 1] !== states[index]) break
    const { result } = steps[index]
    if (result === 'throws') continue
    if (side(result) !== side(last.result)) break
    results++
    first = index
  }
  const lasted = steps.slice(first + 1).reduce((sum, { pause }) => sum + pause, 0)
  const length = side(last.result) < 0 ? okAfter : failAfter
  return (length === 'time' ? lasted >= 10_000 : results >= length) ? last.result : now
}

t.test('whatever comes when, the state changes only after a run that is consecutive and long enough, and the registry tells of each change once', async (t) => {
  const step = fc.record({ pause: fc.constantFrom(0, 1, 2_000, 4_999, 5_000, 10_000), result: fc.constantFrom<Step['result']>(OK, YELLOW, RED, RED, OK, 'throws') })
  const length = fc.constantFrom<number | 'time'>(1, 2, 3, 'time')
  let transitions = 0
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), length, length, fc.constantFrom(OK, YELLOW, RED), fc.boolean(), async (steps, okAfter, failAfter, initialState, sync) => {
    const clock = new FakeTime()
    const registry = new StatusRegistry({ clock })
    const changes: Array<[State, State]> = []
    registry.on('change', ({ from, to }) => changes.push([from, to]))
    let result: Step['result'] = OK
    const answer = (): State => {
      if (result === 'throws') throw new Error('x')
      return result
    }
    const run = (length: number | 'time') => length === 'time' ? second(10) : length
    registry.addStatusHandler('x', new Hysteresis({ task: sync ? answer : async () => answer(), initialState, okAfter: run(okAfter), failAfter: run(failAfter), clock }))
    const states: State[] = [initialState]
    for (const [index, { pause, result: next }] of steps.entries()) {
      await clock.advance(pause)
      result = next
      const { state } = await registry.getStatus('x')
      const wanted = expected(states, steps.slice(0, index + 1), { okAfter, failAfter })
      if (state !== wanted) throw new Error(`after ${index + 1} steps it is ${state}, not ${wanted}`)
      states.push(state)
    }
    const seen = states.slice(1)
    const wanted = seen.slice(1).flatMap((state, index) => state === seen[index] ? [] : [[seen[index], state]])
    transitions += wanted.length
    if (JSON.stringify(changes) !== JSON.stringify(wanted)) throw new Error(`the registry told of ${JSON.stringify(changes)}, not of ${JSON.stringify(wanted)}`)
  }), { numRuns: 500 })
  t.ok(transitions > 100, `${transitions} changes were seen`)
})
