import t from 'tap'
import type { Decommission, DecommissionOptions, DecommissionStore } from '../../types/decommission.js'
import { day, memoryStore, minute, second } from '../../lib/index.js'
import { fromText, toText } from '../../lib/probe/decommission.js'
import { Decommissioning } from '../../lib/probe/decommissioning.js'
import { FakeTime } from '../policies/support/fake-time.js'

interface Subject {
  readonly subject: Decommissioning
  readonly time: FakeTime
  readonly changes: boolean[]
  readonly log: string[]
}

function decommissioning (store: DecommissionStore = memoryStore(), time = new FakeTime()): Subject {
  const changes: boolean[] = []
  const log: string[] = []
  const logger = { info (...line: unknown[]) { log.push(String(line.at(-1))) }, warn () {}, error () {} }
  return { subject: new Decommissioning(store, logger, (outOfService) => changes.push(outOfService), 5_000, time), time, changes, log }
}

t.test('a decommission for some time ends by itself, and nothing is written for it', async (t) => {
  const store = memoryStore()
  let written = 0
  const { subject, time, changes, log } = decommissioning({ ...store, write: async (one) => { written++; await store.write(one) } })
  t.teardown(time.install())
  await subject.decommission('OFF', { for: minute(30), reason: 'new disk', by: 'alice' })
  t.strictSame(subject.current, { body: 'OFF', since: time.now(), until: time.now() + 1_800_000, reason: 'new disk', by: 'alice' })
  await time.advance(1_799_999)
  t.equal(subject.body, 'OFF')
  t.strictSame(changes, [true])
  await time.advance(1)
  t.equal(subject.body, undefined)
  t.strictSame(changes, [true, false])
  t.equal(log.at(-1), 'the time of the decommission is over')
  t.equal(written, 1)
  t.equal(time.waiting, 0)
})

t.test('the end is noticed when it is there, and clients may keep their connections from then on', async (t) => {
  const { subject, time, changes } = decommissioning()
  t.teardown(time.install())
  await subject.decommission('OFF', { for: second(90) })
  await time.advance(89_999)
  t.strictSame(changes, [true])
  await time.advance(1)
  t.strictSame(changes, [true, false])
})

t.test('an end to come does not keep the process alive', async (t) => {
  const { subject } = decommissioning(memoryStore(), Object.assign(new FakeTime(), { now: () => Date.now() }))
  const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  await subject.decommission('OFF', { for: minute(30) })
  t.equal(timers(), before)
  await subject.close()
})

t.test('what a store tells after the close changes nothing', async (t) => {
  let tell: (decommission: Decommission | undefined) => void = () => {}
  const store = { ...memoryStore(), open: async (onChange: typeof tell) => { tell = onChange; return undefined } }
  const { subject, time, changes } = decommissioning(store)
  t.teardown(time.install())
  await subject.open()
  await subject.close()
  tell({ body: 'OFF', since: time.now(), until: time.now() + 10_000 })
  t.equal(subject.body, undefined)
  t.strictSame(changes, [])
  t.equal(time.waiting, 0)
})

t.test('one whose time was over while the process was down is over', async (t) => {
  const time = new FakeTime()
  t.teardown(time.install())
  const stored: Decommission = { body: 'OFF', since: time.now() - 2_000, until: time.now() }
  const store = { ...memoryStore(), open: async () => stored }
  const { subject, changes } = decommissioning(store, time)
  await subject.open()
  t.equal(subject.current, undefined)
  t.strictSame(changes, [])
  t.equal(time.waiting, 0)
})

t.test('the probe knows the end by the time of day, also before a timer has gone off', async (t) => {
  const time = new FakeTime()
  let now = time.now()
  const { subject } = decommissioning(memoryStore(), Object.assign(time, { now: () => now }))
  t.teardown(time.install())
  await subject.decommission('OFF', { for: minute(30) })
  now += 1_800_000
  t.equal(subject.body, undefined)
  t.equal(subject.current, undefined)
})

t.test('an end that has come stays, also where the clock is set back afterwards', async (t) => {
  const { subject, time } = decommissioning()
  t.teardown(time.install())
  await subject.decommission('OFF', { for: second(10) })
  const began = time.now()
  await time.advance(10_000)
  t.equal(subject.body, undefined)
  time.now = () => began
  t.equal(subject.body, undefined)
})

t.test('a clock that is set forward is noticed within a minute, by those too that wait to be told', async (t) => {
  const time = new FakeTime()
  let now = time.now()
  const { subject, changes } = decommissioning(memoryStore(), Object.assign(time, { now: () => now }))
  t.teardown(time.install())
  await subject.decommission('OFF', { for: day(2) })
  now += 200_000_000
  await time.advance(60_000)
  t.strictSame(changes, [true, false])
})

t.test('another decommission, a recommission and a close take the end away', async (t) => {
  const { subject, time, changes } = decommissioning()
  t.teardown(time.install())
  await subject.decommission('A', { for: second(10) })
  await subject.decommission('B')
  await time.advance(20_000)
  t.equal(subject.body, 'B')
  await subject.decommission('C', { for: second(10) })
  await subject.recommission()
  t.equal(time.waiting, 0)
  await subject.decommission('D', { for: second(10) })
  await subject.close()
  t.equal(time.waiting, 0)
  t.strictSame(changes, [true, false, true])
})

t.test('draining outlasts it', async (t) => {
  const { subject, time, changes } = decommissioning()
  t.teardown(time.install())
  await subject.decommission('OFF', { for: second(10) })
  subject.startDraining()
  await time.advance(10_000)
  t.equal(subject.body, 'DRAINING')
  t.strictSame(changes, [true])
})

t.test('from a second to 365 days', async (t) => {
  for (const time of [second(1), 1_000, day(365)]) {
    const { subject } = decommissioning()
    await subject.decommission('OFF', { for: time })
    t.not(subject.current, undefined)
    await subject.close()
  }
})

const wrong: Array<[string, unknown, string, RegExp]> = [
  ['too short a time', { for: 999 }, 'ERR_OPTION_OUT_OF_RANGE', /"for" in milliseconds must be from 1000 to/],
  ['too long a time', { for: day(366) }, 'ERR_OPTION_OUT_OF_RANGE', /"for"/],
  ['a time that is none', { for: '30m' }, 'ERR_INVALID_OPTION', /"for"/],
  ['an empty reason', { reason: '' }, 'ERR_INVALID_DECOMMISSION', /the reason must have 1 to 256 characters; it is ""; nothing was changed/],
  ['a reason with a line feed', { reason: 'a\nb' }, 'ERR_INVALID_DECOMMISSION', /the reason must have no control characters/],
  ['a reason that is none', { reason: 5 }, 'ERR_INVALID_DECOMMISSION', /the reason must be a string; it is 5/],
  ['somebody without a name', { by: '' }, 'ERR_INVALID_DECOMMISSION', /"by" must have/],
  ['an unknown option', { until: 5 }, 'ERR_UNKNOWN_OPTION', /decommission has no option "until"; it has for, reason, by/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`a decommission with ${what} is refused and changes nothing`, async (t) => {
    const { subject, changes } = decommissioning()
    await t.rejects(subject.decommission('OFF', options as DecommissionOptions), { code, message })
    t.equal(subject.current, undefined)
    t.strictSame(changes, [])
  })
}

t.test('what a store keeps as text is the same when it is read', async (t) => {
  for (const one of [undefined, { body: 'außer Betrieb 🚧', since: 1 }, { body: 'OFF', since: 1, until: 2, reason: 'r', by: 'b' }]) {
    t.strictSame(fromText(toText(one)), one)
  }
  for (const text of ['', '{', '[]', '5', '"OFF"', '{"body":"OFF","since":1,"by":5}', '{"body":"OFF","since":null}', '{"body":"OFF","since":1e999}', '{"body":"OFF","since":1,"until":1e300}']) {
    t.throws(() => fromText(text), { code: 'ERR_STORE_CORRUPT' }, text)
  }
})
