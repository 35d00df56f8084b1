import { EventEmitter } from 'node:events'
import t from 'tap'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { StateHandler, StateHandlerMixin } from '../../lib/core/state-handler.js'
import type { Logger } from '../../types/logger.js'
import type { StatusChange } from '../../types/snapshot.js'
import type { Status } from '../../types/status.js'

function recorder (): { lines: string[], logger: Logger } {
  const lines: string[] = []
  return { lines, logger: { info: (line: unknown) => { lines.push(line as string) }, warn () {}, error () {} } }
}

t.test('a state handler without a state is YELLOW and says so', async (t) => {
  const handler = new StateHandler()
  t.equal(handler.state, YELLOW)
  t.strictSame(handler.getStatus(), { state: YELLOW, detail: 'no state was set yet' })
})

t.test('it answers what was last set, with detail and further properties', async (t) => {
  const handler = new StateHandler()
  handler.setState(RED, { detail: 'stopped', jobs: 3, metrics: { jobs: 3 } })
  t.strictSame(handler.getStatus(), { state: RED, detail: 'stopped', jobs: 3, metrics: { jobs: 3 } })
  handler.setState(OK)
  t.strictSame(handler.getStatus(), { state: OK }, 'nothing stays of the state before')
  t.equal(handler.state, OK)
})

t.test('a change of state is one line of info, no change is none', async (t) => {
  const { lines, logger } = recorder()
  const handler = new StateHandler({ logger })
  handler.setState(OK)
  handler.setState(RED, { detail: 'stopped' })
  handler.setState(RED, { detail: 'still stopped' })
  handler.setState(OK, { detail: 'a "quoted"\nline' })
  t.strictSame(lines, ['state change: YELLOW -> OK', 'state change: OK -> RED "stopped"', 'state change: RED -> OK "a \\"quoted\\"\\nline"'])
})

t.test('the mixin makes any class a status handler', async (t) => {
  const { lines, logger } = recorder()
  class Worker extends StateHandlerMixin(EventEmitter) {
    override logger = logger
    constructor (readonly jobs: number) {
      super({ captureRejections: true })
    }
  }
  const worker = new Worker(3)
  worker.on('x', () => worker.setState(OK, { detail: `${worker.jobs} jobs` }))
  worker.emit('x')
  t.type(worker, EventEmitter)
  t.strictSame(worker.getStatus(), { state: OK, detail: '3 jobs' })
  t.strictSame(lines, ['state change: YELLOW -> OK "3 jobs"'])
})

t.test('two instances have two states', async (t) => {
  const [a, b] = [new StateHandler(), new StateHandler()]
  a.setState(RED)
  b.setState(OK)
  t.equal(a.state, RED)
})

t.test('bad input is refused, and the state stays', async (t) => {
  const handler = new StateHandler()
  handler.setState(OK)
  t.throws(() => handler.setState('ok' as never), { code: 'ERR_INVALID_STATE', message: /not "ok"/ })
  t.throws(() => handler.setState(RED, 'stopped' as never), { code: 'ERR_INVALID_OPTION', message: /an object such as \{ detail: "stopped" \}, not "stopped"/ })
  t.throws(() => handler.setState(RED, null as never), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => handler.setState(RED, [] as never), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => new StateHandler({ log: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' })
  t.throws(() => new StateHandler({ logger: 5 as never }), { code: 'ERR_INVALID_OPTION', message: /"logger" must be an object, not 5/ })
  t.equal(handler.state, OK)
  handler.setState(RED, { state: 'OK' } as never)
  t.equal(handler.state, RED, 'a property does not change the state')
})

t.test('a registry hears of a new state at once, without asking', async (t) => {
  let now = 1_000
  const registry = new StatusRegistry({ clock: { now: () => now, monotonic: () => 0 } })
  const changes: StatusChange[] = []
  registry.on('change', (change) => changes.push(change))
  const handler = new StateHandler()
  registry.addStatusHandler('worker', handler)
  t.equal(registry.latest().state, YELLOW)
  now = 2_000
  handler.setState(OK)
  now = 3_000
  handler.setState(RED, { detail: 'stopped' })
  t.match(changes, [{ from: YELLOW, to: OK, at: 2_000 }, { from: OK, to: RED, at: 3_000, status: { detail: 'stopped' } }])
  t.match(registry.latest().entries, [{ status: { state: RED }, since: 3_000, at: 3_000 }])
  now = 4_000
  t.match((await registry.snapshot()).entries, [{ status: { detail: 'stopped' }, since: 3_000, at: 3_000 }])
  handler.setState(RED, { detail: 'again' })
  t.match((await registry.snapshot()).entries, [{ status: { detail: 'again' }, since: 3_000, at: 4_000 }])
})

t.test('it may stand in several registries, and under several names', async (t) => {
  const [a, b] = [new StatusRegistry(), new StatusRegistry()]
  const handler = new StateHandler()
  a.addStatusHandler('x', handler)
  b.addStatusHandler('y', handler)
  b.addStatusHandler('z', handler)
  handler.setState(RED)
  t.equal(await a.isInState('x', RED), true)
  t.equal(await b.isInState('y', RED), true)
  t.equal(await b.isInState('z', RED), true)
})

t.test('a handler that was removed or replaced is not listened to any more', async (t) => {
  const registry = new StatusRegistry()
  let changes = 0
  registry.on('change', () => { changes++ })
  const [first, second] = [new StateHandler(), new StateHandler()]
  registry.addStatusHandler('a', first)
  registry.addStatusHandler('a', second, { replace: true })
  first.setState(RED)
  t.equal(await registry.isInState('a', YELLOW), true)
  registry.removeStatusHandler('a')
  second.setState(RED)
  t.equal(changes, 0)
})

t.test('a subclass that computes its status is asked for it', async (t) => {
  class Queue extends StateHandler {
    length = 0
    override getStatus (): Readonly<Status> {
      return { ...super.getStatus(), state: this.length > 10 ? RED : OK, length: this.length }
    }
  }
  const registry = new StatusRegistry()
  const queue = new Queue()
  registry.addStatusHandler('queue', queue)
  t.match(await registry.getStatus('queue'), { state: OK, length: 0 })
  queue.length = 11
  t.match(await registry.getStatus('queue'), { state: RED, length: 11 })
})

t.test('a logger that throws stops neither the worker nor the news', async (t) => {
  const registry = new StatusRegistry()
  const handler = new StateHandler({ logger: { info () { throw new Error('the log has ended') }, warn () {}, error () {} } })
  registry.addStatusHandler('a', handler)
  handler.setState(OK)
  t.equal(registry.latest().state, OK)
  handler.setState(RED)
  t.equal(registry.latest().state, RED)
})
