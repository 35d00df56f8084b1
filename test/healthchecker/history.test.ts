import fc from 'fast-check'
import t from 'tap'
import { addUp, uptimeOf, withPresent } from '../../lib/healthchecker/hours.js'
import { History, ringLength } from '../../lib/healthchecker/history.js'
import { Texts } from '../../lib/healthchecker/texts.js'
import type { CheckRecord, RollUp } from '../../types/healthchecker.js'
import { noon } from './support/apps.js'

const hour = 3_600_000

const someChecks = fc.array(fc.record({
  gap: fc.integer({ min: 1, max: 2_000 }),
  result: fc.constantFrom('OK', 'YELLOW', 'RED'),
  duration: fc.integer({ min: 0, max: 60_000 }),
  error: fc.option(fc.string({ maxLength: 20 }), { nil: undefined })
}), { maxLength: 3 * ringLength }).map((list): CheckRecord[] => {
  let at = noon
  return list.map(({ gap, error, ...check }) => {
    at += gap * 1000
    return { at, ...check, ...(error === undefined ? undefined : { error }) } as CheckRecord
  })
})

/** The hours of checks, added up in the plainest way. */
function naiveHours (checks: CheckRecord[]): RollUp[] {
  const hours = [...new Set(checks.map(({ at }) => Math.floor(at / hour) * hour))]
  return hours.map((at) => {
    const within = checks.filter((check) => Math.floor(check.at / hour) * hour === at)
    const durations = within.filter(({ result }) => result !== 'RED').map(({ duration }) => duration)
    return {
      at,
      checks: within.length,
      failures: within.length - durations.length,
      meanDuration: durations.length === 0 ? 0 : durations.reduce((sum, duration) => sum + duration, 0) / durations.length,
      maxDuration: Math.max(0, ...durations)
    }
  })
}

t.test('the last checks, and the hours, are those of a plain list', async () => {
  fc.assert(fc.property(someChecks, someChecks, (checks, others) => {
    const history = new History()
    const [slot, other] = [history.take(), history.take()]
    const hours: RollUp[] = []
    for (let index = 0; index < Math.max(checks.length, others.length); index++) {
      const ended = checks[index] === undefined ? undefined : history.record(slot, checks[index])
      if (ended !== undefined) hours.push(ended)
      if (others[index] !== undefined) history.record(other, others[index])
    }
    const present = history.hour(slot)
    if (present !== undefined) hours.push(present)
    const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
    const unpacked = new History()
    const third = [unpacked.take(), unpacked.take()][1]
    unpacked.unpack(third, history.pack(slot))
    return same(history.checks(slot), checks.slice(-ringLength)) &&
      same(history.checks(other), others.slice(-ringLength)) &&
      same(unpacked.checks(third), history.checks(slot)) &&
      same(hours, naiveHours(checks))
  }), { numRuns: 100 })
})

t.test('a ring goes round for ever', async (t) => {
  const history = new History()
  const slot = history.take()
  for (let check = 0; check < 5 * ringLength + 7; check++) history.record(slot, { at: noon + check * 1000, result: 'OK', duration: check })
  t.same(history.checks(slot).map(({ duration }) => duration), Array.from({ length: ringLength }, (_item, index) => 4 * ringLength + 7 + index))
})

t.test('times are kept to the second, and a long check to a minute', async (t) => {
  const history = new History()
  const slot = history.take()
  history.record(slot, { at: noon + 999, result: 'OK', duration: 1.6 })
  history.record(slot, { at: noon + 1_000, result: 'OK', duration: 1e6 })
  t.same(history.checks(slot), [{ at: noon, result: 'OK', duration: 2 }, { at: noon + 1_000, result: 'OK', duration: 65_535 }])
})

t.test('a slot is used again, with nothing left of the one before; there are as many as it takes', async (t) => {
  const history = new History()
  const slots = Array.from({ length: 2_500 }, () => history.take())
  t.equal(new Set(slots).size, 2_500)
  for (const slot of slots) history.record(slot, { at: noon, result: 'RED', duration: slot, error: `no ${slot}` })
  t.ok(slots.every((slot) => history.checks(slot)[0].error === `no ${slot}`))
  history.give(1_500)
  t.equal(history.take(), 1_500)
  t.same(history.checks(1_500), [])
  t.equal(history.hour(1_500), undefined)
  history.record(1_500, { at: noon, result: 'OK', duration: 3 })
  t.same(history.hour(1_500), { at: noon, checks: 1, failures: 0, meanDuration: 3, maxDuration: 3 })
})

t.test('an hour that could not be stored is taken back while it is the present one', async (t) => {
  const history = new History()
  const slot = history.take()
  history.record(slot, { at: noon, result: 'OK', duration: 4 })
  history.record(slot, { at: noon, result: 'RED', duration: 9 })
  const taken = history.takeHour(slot) as RollUp
  t.equal(history.hour(slot), undefined)
  t.equal(history.takeHour(slot), undefined)
  history.record(slot, { at: noon + 1, result: 'OK', duration: 2 })
  history.giveHour(slot, taken)
  t.same(history.hour(slot), { at: noon, checks: 3, failures: 1, meanDuration: 3, maxDuration: 4 })
  history.record(slot, { at: noon + hour, result: 'OK', duration: 2 })
  history.giveHour(slot, taken)
  t.match(history.hour(slot), { at: noon + hour, checks: 1 })
})

t.test('bytes that are no history are none', async (t) => {
  const history = new History()
  const slot = history.take()
  for (const bytes of [[], [5], [1, 2, 3], [0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 91], [0, ...Buffer.from('[5]')], [0, ...Buffer.from('{}')]]) {
    history.unpack(slot, new Uint8Array(bytes))
    t.same(history.checks(slot), [])
  }
  history.unpack(slot, new Uint8Array([1, 0, 0, 0, 0, 77, 0, 0, 99, ...Buffer.from('[]')]))
  t.same(history.checks(slot), [{ at: 0, result: 'RED', duration: 0 }], 'what is not known is not OK')
})

t.test('texts become numbers, up to a bound', async (t) => {
  const texts = new Texts(3)
  const all = [undefined, 'a', 'b', 'a', 'c', 'd', 'b'].map((text) => texts.text(texts.number(text)))
  t.same(all, [undefined, 'a', 'b', 'a', 'one of very many errors', 'one of very many errors', 'b'])
})

t.test('hours are added up, and uptime is the part of checks that did not fail', async (t) => {
  const one = (at: number, checks: number, failures: number, meanDuration = 0): RollUp => ({ at, checks, failures, meanDuration, maxDuration: meanDuration })
  t.same(addUp(one(noon, 3, 1, 10), one(noon, 9, 1, 5)), { at: noon, checks: 12, failures: 2, meanDuration: 6, maxDuration: 10 })
  t.same(addUp(one(noon, 1, 1), one(noon, 2, 2)), one(noon, 3, 3))
  t.same(withPresent([one(noon, 1, 0)], undefined), [one(noon, 1, 0)])
  t.same(withPresent([one(noon, 1, 0), one(noon + hour, 1, 0)], one(noon, 1, 1)), [one(noon, 2, 1), one(noon + hour, 1, 0)])
  t.same(withPresent([one(noon, 1, 0)], one(noon - hour, 1, 1)).map(({ at }) => at), [noon - hour, noon], 'also after a clock jumped back')
  const hours = [one(noon - 2 * hour, 10, 10), one(noon - hour, 10, 5), one(noon, 10, 0)]
  t.equal(uptimeOf(hours, noon), 1)
  t.equal(uptimeOf(hours, noon - 1), 0.75)
  t.equal(uptimeOf(hours, 0), 0.5)
  t.equal(uptimeOf(hours, noon + hour), undefined)
})
