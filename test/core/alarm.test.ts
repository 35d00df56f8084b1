import t from 'tap'
import { Alarm } from '../../lib/core/alarm.js'

const sleep = async (ms: number): Promise<void> => await new Promise((resolve) => setTimeout(resolve, ms))
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

t.test('one that was stopped and started again goes off after the whole time, once, for the last who started it', async (t) => {
  const rung: string[] = []
  Alarm.start(100, () => rung.push('first')).stop()
  await sleep(60)
  const started = performance.now()
  await new Promise<void>((resolve) => {
    Alarm.start(100, () => {
      rung.push('second')
      resolve()
    })
  })
  t.ok(performance.now() - started > 98)
  await sleep(120)
  t.strictSame(rung, ['second'])
})

t.test('two at a time, of the same time or another, do not disturb each other', async (t) => {
  const rung: string[] = []
  Alarm.start(20, () => rung.push('waiting')).stop()
  const stopped = [Alarm.start(20, () => rung.push('a')), Alarm.start(20, () => rung.push('b')), Alarm.start(30, () => rung.push('c'))]
  stopped[0].stop()
  const both = [20, 20, 30].map(async (time) => await new Promise<void>((resolve) => {
    Alarm.start(time, () => {
      rung.push(`after ${time}`)
      resolve()
    })
  }))
  for (const alarm of stopped.slice(1)) alarm.stop()
  await Promise.all(both)
  await sleep(40)
  t.strictSame(rung, ['after 20', 'after 20', 'after 30'])
})

t.test('a stopped one keeps no process alive, a started one does', async (t) => {
  const before = timers()
  const alarm = Alarm.start(60_000, () => {})
  t.equal(timers(), before + 1)
  alarm.stop()
  t.equal(timers(), before)
  const again = Alarm.start(60_000, () => {})
  t.equal(timers(), before + 1)
  const other = Alarm.start(50_000, () => {})
  again.stop()
  other.stop()
  t.equal(timers(), before)
})

t.test('one that went off for nobody is used again', async (t) => {
  Alarm.start(10, () => {}).stop()
  await sleep(30)
  await new Promise<void>((resolve) => { Alarm.start(10, resolve) })
  t.pass('rang')
})

t.test('of those that are stopped one waits, and the others are cleared', async (t) => {
  const real = globalThis.clearTimeout
  let cleared = 0
  globalThis.clearTimeout = ((timer: NodeJS.Timeout) => {
    cleared++
    real(timer)
  }) as typeof clearTimeout
  t.teardown(() => { globalThis.clearTimeout = real })
  const alarms = Array.from({ length: 5 }, (_value, index) => Alarm.start(60_000 + index, () => {}))
  for (const alarm of alarms) alarm.stop()
  t.ok(cleared >= 4, String(cleared))
})

t.test('one made by fake timers is not used by others, nor the other way round', async (t) => {
  const real = globalThis.setTimeout
  const made: Array<() => void> = []
  const fake = (callback: () => void): unknown => {
    made.push(callback)
    const timer = { ref: () => timer, [Symbol.toPrimitive]: () => -1, unref: () => timer, refresh: () => timer }
    return timer
  }
  t.teardown(() => { globalThis.setTimeout = real })
  Alarm.start(40, () => t.fail('rang for nobody')).stop()
  globalThis.setTimeout = fake as unknown as typeof setTimeout
  let rung = 0
  const alarm = Alarm.start(40, () => { rung++ })
  t.equal(made.length, 1, 'the real one that waited was left alone')
  made[0]()
  t.equal(rung, 1)
  alarm.stop()
  globalThis.setTimeout = real
  await new Promise<void>((resolve) => { Alarm.start(40, resolve) })
  t.pass('rang')
})
