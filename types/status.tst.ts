import { describe, expect, test } from 'tstyche'
import {
  defaultRegistry, fail, GREEN, OK, ok, RED, StateHandler, StateHandlerMixin, StatusRegistry, second, YELLOW,
  type HandlerContext, type Snapshot, type State, type Status, type StatusChange, type StatusHandler, type StatusResult, type Time
} from '../lib/index.js'

describe('states', () => {
  test('constants have their own types', () => {
    expect(OK).type.toBe<'OK'>()
    expect(GREEN).type.toBe<'OK'>()
    expect(YELLOW).type.toBe<'YELLOW'>()
    expect(RED).type.toBe<'RED'>()
    expect<State>().type.not.toBeAssignableFrom('GREEN')
    expect<StatusResult>().type.toBeAssignableFrom(ok)
    expect<StatusResult>().type.toBeAssignableFrom(fail)
  })

  test('a status has a state, and whatever else', () => {
    expect<Status>().type.toBeAssignableFrom({ state: OK, detail: 'x', metrics: { a: 1 }, other: [1] })
    expect<Status>().type.not.toBeAssignableFrom({ detail: 'x' })
    expect<Status>().type.not.toBeAssignableFrom({ state: OK, metrics: { a: '1' } })
  })
})

describe('handlers', () => {
  test('are functions, async functions and providers', () => {
    expect<StatusHandler>().type.toBeAssignableFrom(() => OK)
    expect<StatusHandler>().type.toBeAssignableFrom(async () => OK)
    expect<StatusHandler>().type.toBeAssignableFrom(async () => ({ state: RED, detail: 'x' } as const))
    expect<StatusHandler>().type.toBeAssignableFrom(() => true)
    expect<StatusHandler>().type.toBeAssignableFrom({ getStatus: () => YELLOW })
    expect<StatusHandler>().type.toBeAssignableFrom(new StateHandler())
    expect<StatusHandler>().type.not.toBeAssignableFrom(() => 'ok')
    expect<StatusHandler>().type.not.toBeAssignableFrom({})
  })

  test('are given a context', () => {
    defaultRegistry.addStatusHandler('a', (context) => {
      expect(context).type.toBe<HandlerContext>()
      expect(context.signal).type.toBe<AbortSignal>()
      return { state: 'OK', detail: context.name }
    }, { timeout: second(1), critical: false, tags: ['x'] })
    expect(defaultRegistry.addStatusHandler).type.not.toBeCallableWith('a', () => OK, { tiemout: 5 })
  })

  test('a time is a number or a unit', () => {
    expect<Time>().type.toBeAssignableFrom(5)
    expect<Time>().type.toBeAssignableFrom(second(5))
    expect<Time>().type.not.toBeAssignableFrom('5s')
  })
})

describe('the registry', () => {
  const registry = new StatusRegistry()

  test('gives statuses and snapshots', () => {
    expect(registry.getStatus('a')).type.toBe<Promise<Readonly<Status>>>()
    expect(registry.snapshot()).type.toBe<Promise<Snapshot>>()
    expect(registry.latest()).type.toBe<Snapshot>()
    expect(registry.waitForStatus('a', OK, { interval: 5 })).type.toBe<Promise<boolean>>()
    expect(registry.isInState).type.not.toBeCallableWith('a', 'GREEN')
  })

  test('tells of changes', () => {
    registry.on('change', (change) => { expect(change).type.toBe<StatusChange>() })
    expect(registry.on).type.not.toBeCallableWith('changed', () => {})
  })
})

describe('the mixin', () => {
  test('keeps what its base has', () => {
    class Base { constructor (readonly jobs: number) {} }
    class Worker extends StateHandlerMixin(Base) {}
    const worker = new Worker(3)
    expect(worker.jobs).type.toBe<number>()
    expect(worker.state).type.toBe<State>()
    expect(worker.setState).type.toBeCallableWith(RED, { detail: 'stopped', jobs: 3 })
    expect(worker.setState).type.not.toBeCallableWith('GREEN')
  })
})
