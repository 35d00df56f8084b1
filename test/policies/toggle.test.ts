import fc from 'fast-check'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { fail, OK, ok, RED, YELLOW } from '../../lib/core/state.js'
import { count } from '../../lib/core/units.js'
import { Hysteresis } from '../../lib/policies/hysteresis.js'
import { Oneshot } from '../../lib/policies/oneshot.js'
import { Toggle } from '../../lib/policies/toggle.js'
import type { ToggleOptions } from '../../types/policies.js'
import type { State } from '../../types/status.js'
import { answers, contextOf, recorder } from './support/context.js'
import { settled } from './support/fake-time.js'

const context = contextOf()

t.test('OK, it asks toFail; RED, it asks toOk; each by its word', async (t) => {
  const asked: string[] = []
  const side = (name: string, ...states: State[]) => {
    const next = answers(...states)
    return (): State => { asked.push(name); return next() }
  }
  const toggle = new Toggle({ toFail: side('toFail', OK, YELLOW, RED, OK), toOk: side('toOk', RED, YELLOW, OK) })
  const states: State[] = []
  for (let time = 0; time < 7; time++) {
    states.push((await toggle.getStatus(context)).state)
    t.equal(toggle.state, states[time] === YELLOW ? OK : states[time])
  }
  t.strictSame(asked, ['toFail', 'toFail', 'toFail', 'toOk', 'toOk', 'toOk', 'toFail'])
  t.strictSame(states, [OK, YELLOW, RED, RED, RED, OK, OK], 'YELLOW is shown while it is OK, and never switches')
})

t.test('it begins with initialState', async (t) => {
  for (const [initialState, state] of [[fail, RED], [RED, RED], [ok, OK], [OK, OK], [undefined, OK]] as const) {
    t.equal(new Toggle({ toFail: () => OK, toOk: () => OK, initialState }).state, state)
  }
})

t.test('the status is what the task said; while it is RED, what toFail said, unless toOk has something to say', async (t) => {
  const toggle = new Toggle({
    toFail: answers({ state: OK, detail: '3 ms' } as const, { state: YELLOW, detail: 'slow' } as const, { state: RED, detail: 'refused', port: 25 } as const),
    toOk: answers<never>(false as never, YELLOW as never, { state: RED, detail: 'nobody fired' } as never, { state: YELLOW, detail: 'half way', a: 1 } as never, { state: OK, detail: 'fired' } as never)
  })
  const statuses: unknown[] = []
  for (let time = 0; time < 8; time++) statuses.push(toggle.getStatus(context))
  t.strictSame(statuses, [
    { state: OK, detail: '3 ms' },
    { state: YELLOW, detail: 'slow' },
    { state: RED, detail: 'refused', port: 25 },
    { state: RED, detail: 'refused', port: 25 },
    { state: RED, detail: 'refused', port: 25 },
    { state: RED, detail: 'nobody fired' },
    { state: RED, detail: 'half way', a: 1 },
    { state: OK, detail: 'fired' }
  ])
  const fromTheStart = new Toggle({ toFail: () => OK, toOk: new Oneshot({ name: 'reset' }), initialState: fail })
  t.strictSame(fromTheStart.getStatus(context), { state: RED, detail: 'waits for reset' })
})

t.test('ten failures to fail, and a person to put it right again', async (t) => {
  let result: State = RED
  const registry = new StatusRegistry()
  const reset = new Oneshot()
  const changes: string[] = []
  registry.on('change', ({ to }) => changes.push(to))
  registry.addStatusHandler('mail', new Toggle({ toFail: new Hysteresis({ task: async () => result, initialState: ok, failAfter: count(10) }), toOk: reset }))
  const state = async (): Promise<State> => (await registry.getStatus('mail')).state
  for (let time = 1; time < 10; time++) t.equal(await state(), OK)
  t.equal(await state(), RED)
  result = OK
  for (let time = 0; time < 30; time++) t.equal(await state(), RED, 'it does not come back by itself')
  await reset.fire()
  t.equal(await state(), OK)
  t.equal(await state(), OK, 'one good result is enough for the hysteresis')
  result = RED
  for (let time = 1; time < 10; time++) t.equal(await state(), OK)
  t.equal(await state(), RED)
  t.strictSame(changes, [RED, OK, RED])
})

t.test('a task that throws is logged once for each run, and the state stays', async (t) => {
  const { lines, logger } = recorder()
  const reader = contextOf(logger, 'mail')
  const error = Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' })
  const toggle = new Toggle({ toFail: answers<State>(error, error, RED), toOk: async () => { throw error } })
  for (let time = 0; time < 2; time++) t.strictSame(await toggle.getStatus(reader), { state: OK, detail: 'the task threw Error ECONNREFUSED' })
  t.equal(lines.length, 2)
  t.match(lines.slice(0, 1), [{ level: 'error', about: { handler: 'mail', err: error }, message: 'the task of a Toggle threw, which does not change its state' }])
  t.strictSame(await toggle.getStatus(reader), { state: RED })
  for (let time = 0; time < 3; time++) t.strictSame(await toggle.getStatus(reader), { state: RED, detail: 'the task threw Error ECONNREFUSED' })
  t.equal(lines.length, 5)
})

t.test('readers at the same moment share a question, so that no second side is asked', async (t) => {
  const ends: Array<(state: State) => void> = []
  let toOk = 0
  const toggle = new Toggle({ toFail: () => new Promise<State>((resolve) => ends.push(resolve)), toOk: async () => { toOk++; return OK } })
  const first = toggle.getStatus(context)
  const second = toggle.getStatus(context)
  t.equal(ends.length, 1)
  ends[0](RED)
  t.match(await Promise.all([first, second]), [{ state: RED }, { state: RED }])
  t.equal(toOk, 0)
  t.match(await toggle.getStatus(context), { state: OK })
})

t.test('stop() stops both tasks, the one that is both once', async (t) => {
  const stopped: string[] = []
  const task = (name: string): never => ({ getStatus: () => OK, stop: async () => { stopped.push(name) } }) as never
  await new Toggle({ toFail: task('toFail'), toOk: task('toOk') }).stop()
  t.strictSame(stopped.splice(0), ['toFail', 'toOk'])
  const both = task('both')
  await new Toggle({ toFail: both, toOk: both }).stop()
  t.strictSame(stopped.splice(0), ['both'])
  const broken = { getStatus: () => OK, stop () { throw new Error('does not stop') } } as never
  await t.rejects(new Toggle({ toFail: broken, toOk: task('toOk') }).stop(), { message: 'does not stop' })
  t.strictSame(stopped, ['toOk'], 'one that does not stop does not keep the other from it')
})

t.test('it reads well, by its name or by what it does', async (t) => {
  const toFail = function tcp () { return OK }
  t.equal(String(new Toggle({ toFail, toOk: new Oneshot({ name: 'reset' }) })), 'Toggle: RED by tcp, OK by reset')
  t.equal(new Toggle({ toFail: () => OK, toOk: () => OK }).name, 'Toggle: RED by a function, OK by a function')
  t.equal(String(new Toggle({ toFail, toOk: toFail, name: 'mail' })), 'mail')
})

const task = (): State => OK
const bad: Array<[string, unknown, string, RegExp]> = [
  ['no toFail', { toOk: task }, 'ERR_INVALID_HANDLER', /the option "toFail" must be a function/],
  ['no toOk', { toFail: task }, 'ERR_INVALID_HANDLER', /the option "toOk" must be a function/],
  ['YELLOW to begin with', { toFail: task, toOk: task, initialState: YELLOW }, 'ERR_INVALID_OPTION', /"initialState" must be OK, RED, true or false, not "YELLOW"/],
  ['a name without characters', { toFail: task, toOk: task, name: '' }, 'ERR_INVALID_OPTION', /"name"/],
  ['a mistyped option', { tofail: task, toOk: task }, 'ERR_UNKNOWN_OPTION', /Toggle has no option "tofail"/]
]

for (const [title, options, code, message] of bad) {
  t.test(`${title} is refused with ${code}`, async (t) => {
    t.throws(() => new Toggle(options as ToggleOptions), { code, message })
  })
}

interface Answer { readonly state: State | 'throws', readonly sync: boolean }
type Command = { readonly do: 'read', readonly readers: number } | { readonly do: 'answer', readonly answer: Answer }

t.test('whatever its tasks answer and however many read, it never asks the wrong side, nor two at once', async (t) => {
  const state = fc.constantFrom<Answer['state']>(OK, YELLOW, RED, 'throws')
  const command = fc.oneof<fc.Arbitrary<Command>[]>(
    fc.record({ do: fc.constant('read' as const), readers: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('answer' as const), answer: fc.record({ state, sync: fc.boolean() }) })
  )
  let switches = 0
  await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60 }), fc.constantFrom(OK, RED), async (commands, initialState) => {
    let expected: 'OK' | 'RED' = initialState
    let next: Answer = { state: OK, sync: true }
    let end: ((answer: Answer) => void) | undefined
    /** The same rule in other words: only the word of the side that was asked counts. */
    const said = (side: 'toFail' | 'toOk', { state }: Answer): State => {
      if (state === 'throws') throw new Error('x')
      const before = expected
      if (side === 'toFail' && state === RED) expected = RED
      if (side === 'toOk' && state === OK) expected = OK
      if (expected !== before) switches++
      return state
    }
    const side = (name: 'toFail' | 'toOk') => (): State | Promise<State> => {
      if (name !== (expected === OK ? 'toFail' : 'toOk')) throw new Error(`${name} was asked while it was ${expected}`)
      if (end !== undefined) throw new Error('two were asked at once')
      if (next.sync) return said(name, next)
      return new Promise<Answer>((resolve) => { end = resolve }).then((answer) => {
        end = undefined
        return said(name, answer)
      })
    }
    const { lines, logger } = recorder()
    const toggle = new Toggle({ toFail: side('toFail'), toOk: side('toOk'), initialState })
    for (const step of commands) {
      if (step.do === 'read') {
        for (let reader = 0; reader < step.readers; reader++) {
          const status = toggle.getStatus(contextOf(logger))
          // A state that is not YELLOW is the one it came to.
          if (!(status instanceof Promise) && status.state !== YELLOW && status.state !== expected) throw new Error(`${status.state}, not ${expected}`)
        }
      } else {
        next = step.answer
        end?.(step.answer)
        await settled()
      }
      if (toggle.state !== expected) throw new Error(`it is ${toggle.state}, not ${expected}`)
    }
    const wrong = lines.map(({ about }) => (about.err as Error).message).find((message) => message !== 'x')
    if (wrong !== undefined) throw new Error(wrong)
  }), { numRuns: 300 })
  t.ok(switches > 100, `it switched ${switches} times`)
})
