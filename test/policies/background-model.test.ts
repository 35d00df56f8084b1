import fc from 'fast-check'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { Background } from '../../lib/policies/background.js'
import type { HandlerContext } from '../../types/handler.js'
import type { State } from '../../types/status.js'
import { FakeTime, settled } from './support/fake-time.js'

const times = { delay: 100, timeout: 40, maxAge: 250 }

/** How one run of the task goes. */
type Course =
  | { readonly kind: 'sync', readonly state: State | 'throws' }
  /** `heeds`: whether it ends when its signal aborts. */
  | { readonly kind: 'async', readonly takes: number, readonly state: State | 'throws', readonly heeds: boolean }

type Command = { readonly do: 'wait', readonly milliseconds: number } | { readonly do: 'start' } | { readonly do: 'stop' }

const state = fc.constantFrom<State | 'throws'>(OK, OK, YELLOW, RED, 'throws')
const course: fc.Arbitrary<Course> = fc.oneof(
  fc.record({ kind: fc.constant('sync' as const), state }),
  fc.record({ kind: fc.constant('async' as const), takes: fc.constantFrom(0, 1, 39, 41, 300, 5_000), state, heeds: fc.boolean() })
)
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), milliseconds: fc.constantFrom(0, 1, 39, 100, 249, 250, 251, 2_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('start' as const, 'stop' as const) }) }
)

/** The task, and what it saw. */
class Observed {
  open = 0
  most = 0
  runs = 0
  /** When the last result came that was in time, and what it was. */
  result: { readonly at: number, readonly state: State } | undefined
  #stops = 0
  readonly #clock: FakeTime
  readonly #courses: readonly Course[]

  constructor (clock: FakeTime, courses: readonly Course[]) {
    this.#clock = clock
    this.#courses = courses
  }

  stopped (): void {
    this.#stops++
  }

  ask ({ signal }: HandlerContext): State | Promise<State> {
    const course = this.#courses[this.runs++ % this.#courses.length]
    this.open++
    this.most = Math.max(this.most, this.open)
    const began = this.#clock.monotonic()
    const stops = this.#stops
    const end = (): State => {
      this.open--
      if (course.state === 'throws') throw new Error('x')
      const now = this.#clock.monotonic()
      if (now - began < times.timeout && stops === this.#stops) this.result = { at: now, state: course.state }
      return course.state
    }
    if (course.kind === 'sync') return end()
    return new Promise<void>((resolve) => {
      setTimeout(resolve, course.takes)
      if (course.heeds) signal.addEventListener('abort', () => resolve())
    }).then(end)
  }
}

t.test('whatever the task does, there are never two runs at once, and nothing older than maxAge is shown as OK', async (t) => {
  let [shown, red] = [0, 0]
  await fc.assert(fc.asyncProperty(fc.array(course, { minLength: 1, maxLength: 8 }), fc.array(command, { minLength: 3, maxLength: 40 }), fc.constantFrom(OK, RED, undefined), async (courses, commands, initialState) => {
    const clock = new FakeTime()
    const restore = clock.install()
    try {
      const task = new Observed(clock, courses)
      const registry = new StatusRegistry({ clock })
      const background = new Background({ task: (context) => task.ask(context), ...times, initialState, clock })
      registry.addStatusHandler('x', background)
      let waitsSince = 0
      let started = true
      for (const step of commands) {
        if (step.do === 'wait') await clock.advance(step.milliseconds)
        if (step.do === 'start') {
          if (!started) waitsSince = clock.monotonic()
          started = true
          background.start()
        }
        if (step.do === 'stop') {
          started = false
          task.stopped()
          background.stop()
        }
        await settled()
        const { state } = await registry.getStatus('x')
        const now = clock.monotonic()
        const wanted = now - (task.result?.at ?? waitsSince) >= times.maxAge ? RED : task.result?.state ?? initialState ?? YELLOW
        if (state !== wanted) throw new Error(`at ${now} it is ${state}, not ${wanted}`)
        if (task.most > 1) throw new Error(`at ${now} there were ${task.most} runs`)
        if (state === OK) shown++
        if (state === RED && task.result?.state === OK) red++
      }
      const stopping = background.stop()
      await clock.advance(times.timeout)
      await stopping
    } finally {
      restore()
    }
  }), { numRuns: 300 })
  t.ok(shown > 300, `${shown} times it was OK`)
  t.ok(red > 30, `${red} times an OK was too old`)
})
