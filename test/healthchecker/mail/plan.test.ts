import fc from 'fast-check'
import t from 'tap'
import { receiversOf } from '../../../lib/healthchecker/mail/owe.js'
import { aloneAfter, isGivenUp, longestWait, planOf, retryDelay } from '../../../lib/healthchecker/mail/plan.js'
import { mailAllow } from '../../../lib/healthchecker/mail/receivers.js'
import type { HealthState, OutboxEntry } from '../../../types/healthchecker.js'
import { app, entry, suspicion, transition } from './support/outbox.js'

const nobodyAllowed = mailAllow([], 'x')
const shop = app('shop', { email: ['alice@example.org'], trusted: true })
const everybody = (): string[] => ['alice@example.org', 'bob@example.org']
const now = Date.UTC(2030, 0, 1)
const gather = 10_000
const nobodyWaits = new Map<string, number>()

t.test('people are told of trouble, of its end and of a pause, and not of an app that is well for the first time', async (t) => {
  const told = (from: HealthState, to: HealthState): boolean => receiversOf(transition(1, { from, to }), shop, false, nobodyAllowed, everybody).length > 0
  for (const [from, to, expected] of [
    ['UNKNOWN', 'HEALTHY', false],
    ['UNKNOWN', 'DEGRADING', true],
    ['HEALTHY', 'DEGRADING', true],
    ['DEGRADING', 'UNHEALTHY', true],
    ['DEGRADING', 'HEALTHY', true],
    ['DEGRADING', 'UNKNOWN', true],
    ['UNHEALTHY', 'HEALTHY', true]
  ] as const) t.equal(told(from, to), expected, `${from} to ${to}`)
  for (const [kind, expected] of [['paused', 1], ['resumed', 0]] as const) {
    const notice = transition(1, { kind, from: 'UNHEALTHY', to: 'UNHEALTHY' })
    t.equal(receiversOf(notice, shop, false, nobodyAllowed, everybody).length, expected, kind)
  }
})

t.test('only those who are allowed are told, each once; the token of the registration allows all', async (t) => {
  const email = ['alice@example.org', 'ALICE@example.org', 'bob@example.com']
  const allow = mailAllow(['@example.org'], 'x')
  t.same(receiversOf(transition(1), app('shop', { email }), false, allow, everybody), ['alice@example.org'])
  t.same(receiversOf(transition(1), app('shop', { email, trusted: true }), false, allow, everybody), ['alice@example.org', 'bob@example.com'])
  t.same(receiversOf(transition(1), undefined, false, allow, everybody), [], 'an app that is not there any more')
})

t.test('a suspicion is told to everybody, and while it lasts nothing of single states, but of pauses', async (t) => {
  t.same(receiversOf(suspicion(1), undefined, true, nobodyAllowed, everybody), everybody())
  t.same(receiversOf(suspicion(1, { suspected: false }), undefined, false, nobodyAllowed, everybody), everybody())
  t.same(receiversOf(transition(1, { to: 'UNHEALTHY' }), shop, true, nobodyAllowed, everybody), [])
  t.same(receiversOf(transition(1, { kind: 'paused' }), shop, true, nobodyAllowed, everybody), ['alice@example.org'])
})

t.test('the wait doubles from 10 seconds to 10 minutes, a quarter more or less', async (t) => {
  const middle = [1, 2, 3, 4, 5, 6, 7, 8, 400].map((attempts) => retryDelay(attempts, 0.5) / 1_000)
  t.same(middle, [10, 20, 40, 80, 160, 320, 600, 600, 600])
  t.equal(retryDelay(1, 0), 7_500)
  t.equal(retryDelay(1, 1), 12_500)
  fc.assert(fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
    const delay = retryDelay(attempts, random)
    return Number.isInteger(delay) && delay >= 7_500 && delay <= longestWait
  }))
})

t.test('what is owed to a receiver at once is one mail, and each receiver has their own', async (t) => {
  const entries = [entry(1), entry(2, { receiver: 'bob@example.org' }), entry(3), entry(4)]
  const { mails, wait } = planOf(entries, now + gather, gather, nobodyWaits)
  t.same(mails.map(({ receiver, entries }) => [receiver, entries.map(({ id }) => id)]), [['alice@example.org', [1, 3, 4]], ['bob@example.org', [2]]])
  t.equal(wait, undefined)
})

t.test('trouble is gathered for as long as it takes, good news alone six times as long', async (t) => {
  const at = (to: HealthState, id = 1): OutboxEntry => entry(id, { notice: transition(id, { to, from: 'DEGRADING' }) })
  t.equal(planOf([at('UNHEALTHY')], now + 4_000, gather, nobodyWaits).wait, 6_000)
  t.equal(planOf([at('HEALTHY')], now + 4_000, gather, nobodyWaits).wait, 56_000)
  t.equal(planOf([at('UNKNOWN')], now + 4_000, gather, nobodyWaits).wait, 56_000)
  t.equal(planOf([entry(1, { notice: suspicion(1, { suspected: false }) })], now + 4_000, gather, nobodyWaits).wait, 56_000)
  t.equal(planOf([entry(1, { notice: suspicion(1) })], now + 4_000, gather, nobodyWaits).wait, 6_000)
  t.equal(planOf([at('HEALTHY'), at('UNHEALTHY', 2)], now + 4_000, gather, nobodyWaits).wait, 6_000)
  t.equal(planOf([entry(1, { notice: transition(1, { kind: 'paused', to: 'UNKNOWN' }) })], now + 4_000, gather, nobodyWaits).wait, 6_000)
  const both = planOf([at('HEALTHY'), { ...at('UNHEALTHY', 2), receiver: 'bob@example.org' }], now + 4_000, gather, nobodyWaits)
  t.equal(both.wait, 6_000, 'the next that is complete')
  t.same(both.mails, [])
  t.equal(planOf([at('HEALTHY')], now + 60_000, gather, nobodyWaits).mails.length, 1)
})

t.test('a clock that went back keeps nobody waiting', async (t) => {
  t.equal(planOf([entry(1)], now - 3_600_000, gather, nobodyWaits).mails.length, 1)
  const ahead = new Map([['alice@example.org', now + 2 * longestWait]])
  t.equal(planOf([entry(1)], now + gather, gather, ahead).mails.length, 1, 'a wait that was set by a clock that was ahead')
})

t.test('what is tried again is the same mail, and what happened since waits for it and then goes in one mail', async (t) => {
  const tried = planOf([entry(1), entry(2)], now + gather, gather, nobodyWaits).mails[0]
  t.equal(tried.assigned, false)
  const again = tried.entries.map((one) => ({ ...one, mail: tried.id, attempts: 1 }))
  const later = planOf([...again, entry(3)], now + 60_000, gather, nobodyWaits)
  t.same(later.mails.map(({ id, attempts, assigned }) => ({ id, attempts, assigned })), [{ id: tried.id, attempts: 1, assigned: true }])
  const waits = planOf([entry(3), entry(4)], now + 60_000, gather, new Map([['alice@example.org', now + 70_000]]))
  t.same(waits, { mails: [], held: [{ ids: [3, 4], until: now + 70_000 }], wait: undefined })
  const over = planOf([entry(3, { attempts: 1, notice: transition(3, { at: now + 65_000 }) }), entry(4, { notice: transition(4, { at: now + 70_000 }) })], now + 70_000, gather, new Map([['alice@example.org', now + 70_000]]))
  t.same(over.mails.map(({ entries }) => entries.map(({ id }) => id)), [[3, 4]], 'what has waited is gathered no more')
})

t.test('a mail that fails again and again does not hold back what happened since', async (t) => {
  const mail = planOf([entry(1)], now + gather, gather, nobodyWaits).mails[0].id
  const stuck = entry(1, { mail, attempts: aloneAfter })
  const { mails } = planOf([stuck, entry(2)], now + gather, gather, nobodyWaits)
  t.same(mails.map(({ entries }) => entries.map(({ id }) => id)), [[2], [1]], 'what was tried least goes first')
})

t.test('of two mails that were tried equally often the older goes first', async (t) => {
  const { mails } = planOf([entry(2, { receiver: 'bob@example.org' }), entry(1)], now + gather, gather, nobodyWaits)
  t.same(mails.map(({ receiver }) => receiver), ['alice@example.org', 'bob@example.org'])
})

t.test('the id of a mail is the same for the same entries, and another for another receiver, store, time or part', async (t) => {
  const idOf = (...entries: OutboxEntry[]): string => planOf(entries, now + 60_000, gather, nobodyWaits).mails[0].id
  const id = idOf(entry(1), entry(2))
  t.equal(idOf(entry(1), entry(2)), id)
  t.match(id, /^[0-9a-f]{32}\.2$/)
  const others = [
    idOf(entry(1)),
    idOf(entry(1, { receiver: 'bob@example.org' }), entry(2, { receiver: 'bob@example.org' })),
    idOf(entry(1), entry(2, { notice: transition(2, { at: now - 1 }) })),
    idOf(entry(1), entry(2, { notice: suspicion(2) }))
  ]
  t.equal(new Set([id, ...others]).size, 5)
})

t.test('of a mail of which only a part is due nothing is sent', async (t) => {
  const { id } = planOf([entry(1), entry(2)], now + gather, gather, nobodyWaits).mails[0]
  t.same(planOf([entry(1, { mail: id, attempts: 1 })], now + gather, gather, nobodyWaits).mails, [])
  t.equal(planOf([entry(1, { mail: id, attempts: 1 }), entry(2, { mail: id, attempts: 1 })], now + gather, gather, nobodyWaits).mails.length, 1)
})

t.test('a mail is given up when it is old and was tried ten times, and not for its age alone', async (t) => {
  const mail = (attempts: number): Parameters<typeof isGivenUp>[0] => planOf([entry(1, { attempts })], now + gather, gather, nobodyWaits).mails[0]
  const days = (number: number): number => now + number * 86_400_000
  t.equal(isGivenUp(mail(9), days(5), 4 * 86_400_000), true)
  t.equal(isGivenUp(mail(8), days(5), 4 * 86_400_000), false, 'a clock that jumps ahead ends nothing')
  t.equal(isGivenUp(mail(500), days(3), 4 * 86_400_000), false)
})
