import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Lanes, patience } from '../../lib/healthchecker/lanes.js'
import { SpreadSchedule } from '../../lib/healthchecker/spread-schedule.js'
import { FakeTime, settled } from '../policies/support/fake-time.js'

const interval = 30_000

interface Fired { name: string, since: number, at: number }

/** A schedule under a clock that passes when the test says so. */
function scheduled (t: Test, random?: () => number): { time: FakeTime, schedule: SpreadSchedule, fired: Fired[] } {
  const time = new FakeTime()
  t.teardown(time.install())
  const schedule = new SpreadSchedule(time, random)
  const fired: Fired[] = []
  schedule.start((name, since) => fired.push({ name, since, at: time.monotonic() }))
  return { time, schedule, fired }
}

function perName (fired: Fired[]): Map<string, number[]> {
  const times = new Map<string, number[]>()
  for (const { name, at } of fired) times.set(name, [...times.get(name) ?? [], at])
  return times
}

function busiest (fired: Fired[], from: number, to: number): { most: number, average: number } {
  const seconds = Array(Math.floor((to - from) / 1000)).fill(0)
  for (const { at } of fired) if (at >= from && at < to) seconds[Math.floor((at - from) / 1000)]++
  return { most: Math.max(...seconds), average: seconds.reduce((sum, count) => sum + count, 0) / seconds.length }
}

t.test('every app has its turn once an interval, and no interval is left out', async (t) => {
  const { time, schedule, fired } = scheduled(t)
  for (let index = 0; index < 200; index++) schedule.set(`app ${index}`, 5_000 + index % 4 * 10_000)
  await time.advance(120_000)
  const times = perName(fired)
  t.equal(times.size, 200)
  for (const [name, at] of times) {
    const length = 5_000 + Number(name.slice(4)) % 4 * 10_000
    t.ok(at[0] <= length + 400, `${name} has its first turn within an interval`)
    for (let index = 1; index < at.length; index++) {
      const gap = at[index] - at[index - 1]
      if (Math.abs(gap - length) > 810) t.fail(`${name} waited ${gap} ms of ${length}`)
    }
    t.ok(at.length >= Math.floor(120_000 / length) - 1)
  }
  t.ok(fired.every(({ since, at }) => at >= since && at - since <= 6), 'nobody is told early, nor late')
})

t.test('first turns and later ones are jittered', async (t) => {
  const { time, schedule, fired } = scheduled(t)
  for (let index = 0; index < 100; index++) schedule.set(`app ${index}`, interval)
  await time.advance(4 * interval)
  const gaps = [...perName(fired).values()].flatMap((at) => at.slice(1).map((time, index) => time - at[index]))
  t.ok(new Set(gaps.map((gap) => Math.round(gap / 10))).size > 20)
})

t.test('the busiest second after two intervals has at most 1.3 times the average, whenever the apps came', async (t) => {
  for (const come of ['at once', 'one by one']) {
    const { time, schedule, fired } = scheduled(t)
    for (let index = 0; index < 1_200; index++) {
      schedule.set(`app ${index}`, interval)
      if (come === 'one by one' && index % 40 === 0) await time.advance(777)
    }
    const from = time.monotonic() + 2 * interval
    await time.advance(3 * interval)
    const { most, average } = busiest(fired, from, from + interval)
    t.ok(most <= 1.3 * average, `${come}: ${most} in the busiest second, ${average} on average`)
  }
})

t.test('soon means within two seconds, and then in the even order again', async (t) => {
  const { time, schedule, fired } = scheduled(t)
  schedule.set('late', interval)
  for (let index = 0; index < 50; index++) schedule.set(`app ${index}`, interval, true)
  await time.advance(2_010)
  t.equal(new Set(fired.map(({ name }) => name)).size - Number(fired.some(({ name }) => name === 'late')), 50)
  await time.advance(2 * interval)
  for (const [name, [first, second]] of perName(fired.filter(({ name }) => name !== 'late'))) {
    if (second - first < interval / 2 - 800 || second - first > 1.5 * interval + 800) t.fail(`${name}: ${second - first} ms`)
  }
})

t.test('says when the next turn is, and nothing of those it does not know', async (t) => {
  const { time, schedule, fired } = scheduled(t)
  t.equal(schedule.next('a'), undefined)
  schedule.set('a', interval)
  const next = schedule.next('a') as number
  t.ok(next > 0 && next <= interval)
  await time.advance(next + 10)
  t.match(fired, [{ name: 'a', since: next }])
  t.ok(schedule.next('a') as number > next + interval - 810)
  schedule.delete('a')
  schedule.delete('a')
  t.equal(schedule.next('a'), undefined)
  await time.advance(3 * interval)
  t.equal(fired.length, 1)
})

t.test('an app that is set again has one turn an interval, of the new length', async (t) => {
  const { time, schedule, fired } = scheduled(t)
  schedule.set('a', interval)
  schedule.set('a', 5_000)
  await time.advance(50_000)
  t.ok(fired.length >= 9 && fired.length <= 11, `${fired.length} turns`)
})

t.test('after a sleep of the process each app has one turn, not all that it missed', async (t) => {
  const time = new FakeTime()
  t.teardown(time.install())
  let skew = 0
  const schedule = new SpreadSchedule({ now: () => time.now(), monotonic: () => time.monotonic() + skew })
  const fired: string[] = []
  schedule.start((name) => fired.push(name))
  for (let index = 0; index < 30; index++) schedule.set(`app ${index}`, interval)
  await time.advance(interval)
  fired.length = 0
  skew = 10 * interval
  await time.advance(interval)
  // What was begun goes on in batches.
  for (let turn = 0; turn < 4; turn++) await settled()
  const most = Math.max(...[...new Set(fired)].map((name) => fired.filter((other) => other === name).length))
  t.ok(most <= 2, `${most} turns at most`)
  t.equal(new Set(fired).size, 30)
})

t.test('a stopped schedule tells nobody, also from within a turn, and can be started again', async (t) => {
  const { time, schedule, fired } = scheduled(t)
  for (let index = 0; index < 10; index++) schedule.set(`app ${index}`, interval)
  schedule.stop()
  await time.advance(2 * interval)
  t.same(fired, [])
  t.equal(time.waiting, 0)
  const again: string[] = []
  schedule.start((name) => {
    again.push(name)
    schedule.stop()
  })
  await time.advance(2 * interval)
  t.equal(again.length, 1)
})

t.test('what is due at the moment of a stop is due when it is started again', async (t) => {
  const { time, schedule } = scheduled(t, () => 0)
  schedule.stop()
  for (let index = 0; index < 3; index++) schedule.set(`app ${index}`, interval, true)
  const told: string[] = []
  const one = (name: string): void => {
    told.push(name)
    schedule.stop()
  }
  for (let turn = 1; turn <= 3; turn++) {
    schedule.start(one)
    await time.advance(10)
    t.equal(told.length, turn)
  }
  t.equal(new Set(told).size, 3)
})

t.test('there is one timer, whatever the number of apps', async (t) => {
  const { time, schedule } = scheduled(t)
  for (let length = 60; length > 5; length--) schedule.set(`app ${length}`, length * 1000)
  t.equal(time.waiting, 1)
  schedule.stop()
  t.equal(time.waiting, 0)
})

t.test('a great many that are due at once are told in batches, between which others have their turn', async (t) => {
  const { time, schedule, fired } = scheduled(t, () => 0)
  for (let index = 0; index < 250; index++) schedule.set(`app ${index}`, interval, true)
  await time.advance(5)
  const batches = [fired.length]
  for (let turn = 0; turn < 32; turn++) {
    await settled()
    batches.push(fired.length - batches.reduce((sum, count) => sum + count, 0))
  }
  t.equal(fired.length, 250)
  t.ok(batches.every((count) => count <= 8 * 2), batches.join())
  schedule.stop()
})

t.test('whatever comes and goes, the order of the turns holds', async (t) => {
  const time = new FakeTime()
  t.teardown(time.install())
  await fc.assert(fc.asyncProperty(
    fc.array(fc.record({ name: fc.integer({ min: 0, max: 60 }), length: fc.integer({ min: 5, max: 15 }), gone: fc.boolean() }), { minLength: 100, maxLength: 150 }),
    async (changes) => {
      const schedule = new SpreadSchedule(time)
      const turns = new Map<string, number>()
      for (const { name, length, gone } of changes) {
        if (gone) schedule.delete(String(name))
        else schedule.set(String(name), length * 1000)
        turns.delete(String(name))
        if (!gone) turns.set(String(name), schedule.next(String(name)) as number)
      }
      const told: number[] = []
      const names = new Set<string>()
      schedule.start((name, since) => {
        told.push(since)
        names.add(name)
        schedule.delete(name)
      })
      const last = Math.max(0, ...turns.values())
      await time.advance(last - time.monotonic() + 10)
      schedule.stop()
      const expected = [...turns.values()].sort((a, b) => a - b)
      return names.size === turns.size && told.every((since, index) => since === expected[index])
    }
  ), { numRuns: 60 })
})

/** Lanes whose runs end when the test says so. */
function lanes (t: Test, most: number): { time: FakeTime, lanes: Lanes<string>, running: Map<string, () => void>, end: (name: string) => Promise<void> } {
  const time = new FakeTime()
  t.teardown(time.install())
  const running = new Map<string, () => void>()
  const run = async (name: string): Promise<void> => {
    await new Promise<void>((resolve) => running.set(name, resolve))
    running.delete(name)
  }
  const end = async (name: string): Promise<void> => {
    running.get(name)?.()
    await settled()
  }
  return { time, lanes: new Lanes(most, run, () => time.monotonic()), running, end }
}

t.test('no more are under way than may be, the others wait in their order', async (t) => {
  const { lanes: two, running, end } = lanes(t, 2)
  for (const name of ['a', 'b', 'c', 'd']) two.add(name, false)
  t.same([...running.keys()], ['a', 'b'])
  t.match(two, { running: 2, waiting: 2 })
  await end('b')
  t.same([...running.keys()], ['a', 'c'])
  await end('a')
  t.same([...running.keys()], ['c', 'd'])
  t.equal(two.waiting, 0)
})

t.test('those that were slow have a lane of their own, and delay nobody else', async (t) => {
  const { lanes: two, running, end } = lanes(t, 2)
  for (const name of ['s1', 's2', 's3', 's4']) two.add(name, true)
  for (const name of ['a', 'b']) two.add(name, false)
  t.same([...running.keys()], ['s1', 's2', 'a', 'b'])
  await end('a')
  t.notOk(running.has('s3'))
  await end('s1')
  t.ok(running.has('s3'))
})

t.test('those that become slow make room', async (t) => {
  const { time, lanes: two, running, end } = lanes(t, 2)
  for (const name of ['hangs 1', 'hangs 2', 'a', 'b']) two.add(name, false)
  t.same([...running.keys()], ['hangs 1', 'hangs 2'])
  await time.advance(patience - 1)
  t.equal(running.size, 2)
  await time.advance(250)
  t.same([...running.keys()], ['hangs 1', 'hangs 2', 'a', 'b'])
  two.add('slow', true)
  t.notOk(running.has('slow'), 'the lane of the slow ones is full')
  await end('hangs 1')
  t.ok(running.has('slow'))
})

t.test('there is a bound for those too of whom nobody knew', async (t) => {
  const { time, lanes: two, running } = lanes(t, 2)
  for (let index = 0; index < 20; index++) two.add(`hangs ${index}`, false)
  await time.advance(60_000)
  t.equal(running.size, 8)
  t.match(two, { running: 8, waiting: 12 })
})

t.test('closed lanes begin nothing, and leave no timer', async (t) => {
  const { time, lanes: one, running, end } = lanes(t, 1)
  for (const name of ['a', 'b']) one.add(name, false)
  one.add('s1', true)
  one.add('s2', true)
  one.close()
  t.equal(one.waiting, 0)
  t.equal(time.waiting, 0)
  await end('a')
  await end('s1')
  one.add('c', false)
  one.add('s3', true)
  t.equal(running.size, 0)
  t.equal(time.waiting, 0)
})

t.test('a very long queue keeps its order', async (t) => {
  const { lanes: one, running, end } = lanes(t, 1)
  for (let index = 0; index < 3_000; index++) one.add(String(index), false)
  for (let index = 0; index < 3_000; index++) {
    if (!running.has(String(index))) t.fail(`${index} is not under way`)
    running.get(String(index))?.()
    await Promise.resolve().then(() => {}).then(() => {}).then(() => {})
  }
  await end('2999')
  t.match(one, { running: 0, waiting: 0 })
})
