import t, { type Test } from 'tap'
import { OutboxWorker, type WorkerOptions } from '../../../lib/healthchecker/mail/outbox-worker.js'
import type { Mail } from '../../../lib/healthchecker/mail/plan.js'
import type { Outcome } from '../../../lib/healthchecker/mail/smtp-sender.js'
import { recordedLog, type Recorded } from '../../auth/support/recorded-log.js'
import { FakeTime, settled } from '../../policies/support/fake-time.js'
import { MemoryOutbox, suspicion, transition } from './support/outbox.js'

const alice = 'alice@example.org'
const bob = 'bob@example.org'

interface Attempt {
  readonly at: number
  readonly mail: Mail
}

interface Scene {
  readonly clock: FakeTime
  readonly outbox: MemoryOutbox
  readonly attempts: Attempt[]
  readonly lines: Recorded[]
  readonly worker: OutboxWorker
  /** What the server says; changed at any time. */
  answer: (mail: Mail, signal: AbortSignal) => Outcome | Promise<Outcome>
  /** The same after a crash: another worker on the same outbox. */
  restart (): OutboxWorker
  /** Something is owed to the receivers from now on. */
  owe (...receivers: string[]): void
}

const down: Outcome = { how: 'down', why: 'ECONNREFUSED (CONN)' }
const sent: Outcome = { how: 'sent' }

function scene (t: Test, options: Partial<WorkerOptions> = {}): Scene {
  const clock = new FakeTime()
  t.teardown(clock.install())
  const outbox = new MemoryOutbox()
  const { log, lines } = recordedLog()
  const attempts: Attempt[] = []
  const start = (): OutboxWorker => new OutboxWorker({
    outbox,
    send: async (mail, signal) => {
      attempts.push({ at: clock.monotonic(), mail })
      return await scene.answer(mail, signal)
    },
    gather: 10_000,
    giveUpAfter: 4 * 86_400_000,
    timeout: 120_000,
    logger: log,
    clock,
    random: () => 0.5,
    ...options
  })
  let last = 0
  const scene: Scene = {
    clock,
    outbox,
    attempts,
    lines,
    worker: start(),
    answer: () => sent,
    restart: start,
    owe (...receivers) {
      const notice = transition(++last, { app: `app ${last}`, at: clock.now() })
      for (const receiver of receivers) outbox.owe(receiver, notice)
      scene.worker.notice()
    }
  }
  t.teardown(async () => {
    const closing = scene.worker.close()
    await clock.advance(60_000)
    await closing
  })
  return scene
}

const seconds = ({ attempts }: Scene): number[] => attempts.map(({ at }) => at / 1_000)
const sizes = ({ attempts }: Scene): number[] => attempts.map(({ mail }) => mail.entries.length)

t.test('what happens within ten seconds is one mail to each receiver, and leaves the outbox when it was sent', async (t) => {
  const s = scene(t)
  s.worker.start()
  await s.clock.advance(0)
  s.owe(alice, bob)
  await s.clock.advance(9_000)
  s.owe(alice)
  t.same(s.attempts, [])
  await s.clock.advance(1_000)
  t.same(s.attempts.map(({ mail }) => [mail.receiver, mail.entries.length]), [[alice, 2], [bob, 1]])
  t.equal(s.outbox.entries.size, 0)
  await s.clock.advance(120_000)
  t.equal(s.attempts.length, 2)
  t.same(s.worker.state.counts, { owed: 0, dropped: 0, sent: 2, failed: 0 })
  t.same(s.lines.map(({ message }) => message), ['the mail server took a mail', 'the mail server took a mail'])
})

t.test('what was owed before the start is sent at once', async (t) => {
  const s = scene(t)
  s.outbox.owe(alice, transition(1, { at: s.clock.now() - 60_000 }))
  s.worker.start()
  await s.clock.advance(0)
  t.equal(s.attempts.length, 1)
})

t.test('a mail belongs to the outbox before it is sent, and is the same after a crash before it was marked', async (t) => {
  const s = scene(t)
  s.answer = async () => {
    t.same(s.outbox.calls, ['owed', 'due', 'assign'])
    return await new Promise(() => {})
  }
  s.owe(alice)
  await s.clock.advance(10_000)
  s.answer = () => sent
  s.outbox.owe(alice, transition(9, { at: s.clock.now() }))
  const second = s.restart()
  second.start()
  await s.clock.advance(0)
  t.equal(s.attempts[1].mail.id, s.attempts[0].mail.id)
  t.equal(s.attempts[1].mail.entries.length, 1, 'what happened since is no part of it')
  await s.clock.advance(10_000)
  t.equal(s.attempts.length, 3)
  t.equal(s.outbox.entries.size, 0)
  await second.close()
})

t.test('a server that is down for an hour loses nothing, is asked ever more seldom, and then each receiver gets three mails at most', async (t) => {
  const s = scene(t)
  s.answer = () => down
  s.worker.start()
  for (let minute = 0; minute < 60; minute++) {
    s.owe(alice, bob)
    await s.clock.advance(60_000)
  }
  t.ok(s.attempts.length <= 12, `${s.attempts.length} attempts in an hour`)
  t.same(seconds(s).slice(0, 4), [10, 20, 40, 80])
  t.equal(s.outbox.entries.size, 120)
  t.match(s.worker.state.trouble, { what: 'server', why: down.why, since: Date.UTC(2030, 0, 1, 0, 0, 10) })
  t.same(s.lines.filter(({ level }) => level === 'warn').length, 1, 'one line in the log, not one an attempt')
  s.attempts.length = 0
  s.answer = () => sent
  await s.clock.advance(15 * 60_000)
  t.equal(s.outbox.entries.size, 0)
  for (const receiver of [alice, bob]) {
    const theirs = s.attempts.filter(({ mail }) => mail.receiver === receiver)
    t.ok(theirs.length <= 3, `${theirs.length} mails`)
    t.equal(theirs.reduce((sum, { mail }) => sum + mail.entries.length, 0), 60)
  }
  t.equal(s.worker.state.trouble, undefined)
  t.equal(s.lines.at(-1)?.message, 'the mail server took a mail')
  t.ok(s.lines.some(({ message }) => message === 'the mail server takes mails again'))
})

t.test('another reason why the server takes no mail is another line in the log', async (t) => {
  const s = scene(t)
  let why = 'a'
  s.answer = () => ({ how: 'down', why })
  s.owe(alice)
  await s.clock.advance(30_000)
  why = 'b'
  await s.clock.advance(30_000)
  t.same(s.lines.map(({ details }) => details.why), ['a', 'b'])
})

t.test('a receiver whose mail is refused for now does not keep the others waiting, and gets what happened since in one mail', async (t) => {
  const s = scene(t)
  s.answer = ({ receiver }) => receiver === alice ? { how: 'later', why: 'RCPT TO: 452 full' } : sent
  s.owe(alice, bob)
  await s.clock.advance(10_000)
  t.same(s.attempts.map(({ mail }) => mail.receiver), [alice, bob])
  t.equal(s.worker.state.trouble, undefined, 'the server is well')
  t.match(s.lines[0], { level: 'warn', details: { receiver: alice, attempts: 1, why: 'RCPT TO: 452 full' } })
  for (let time = 0; time < 5; time++) {
    s.owe(alice)
    await s.clock.advance(10_000)
  }
  t.same(seconds(s), [10, 10, 20, 40])
  s.answer = () => sent
  await s.clock.advance(60_000)
  t.same(sizes(s).slice(4), [1, 5])
  t.equal(s.attempts[4].mail.id, s.attempts[0].mail.id)
  t.equal(s.outbox.entries.size, 0)
})

t.test('a mail that is refused for good is kept as failed with why, not tried again, and the others are sent', async (t) => {
  const s = scene(t)
  s.answer = ({ receiver }) => receiver === alice ? { how: 'never', why: 'RCPT TO: 550 no such user' } : sent
  s.owe(alice, bob)
  await s.clock.advance(3_600_000)
  t.same(s.attempts.map(({ mail }) => mail.receiver), [alice, bob])
  t.match(await s.outbox.failed(10), [{ receiver: alice, why: 'RCPT TO: 550 no such user', failedAt: Date.UTC(2030, 0, 1, 0, 0, 10) }])
  t.equal(s.outbox.entries.size, 0)
  t.same(s.worker.state.counts, { owed: 0, dropped: 0, sent: 1, failed: 1 })
  t.match(s.lines.find(({ level }) => level === 'error'), { details: { receiver: alice, why: 'RCPT TO: 550 no such user' } })
})

t.test('a mail that could not be sent for four days is given up, and kept as failed', async (t) => {
  const s = scene(t)
  s.answer = () => down
  s.owe(alice)
  await s.clock.advance(4 * 86_400_000)
  t.equal(s.outbox.given.length, 0)
  await s.clock.advance(11 * 60_000)
  t.match(s.outbox.given, [{ receiver: alice, why: down.why }])
  t.equal(s.outbox.entries.size, 0)
  t.ok(s.attempts.length < 600, `${s.attempts.length} attempts`)
})

t.test('a mail on which the server always hangs up holds up neither the other receivers nor, for long, what happens next', async (t) => {
  const s = scene(t)
  s.answer = ({ entries }) => entries.some(({ notice }) => notice.id === 1) ? down : sent
  s.owe(alice)
  await s.clock.advance(5_000)
  s.owe(bob)
  await s.clock.advance(35_000)
  t.ok(s.attempts.some(({ mail }) => mail.receiver === bob))
  t.equal(s.outbox.entries.size, 1)
  s.owe(alice)
  await s.clock.advance(10 * 60_000)
  t.same([...s.outbox.entries.values()].map(({ notice }) => notice.id), [1])
})

t.test('a mail that cannot even be written is tried again later, and holds up nobody', async (t) => {
  const s = scene(t)
  s.answer = ({ receiver }) => {
    if (receiver === alice) throw new RangeError('Invalid time value')
    return sent
  }
  s.owe(alice, bob)
  await s.clock.advance(10_000)
  t.same(s.attempts.map(({ mail }) => mail.receiver), [alice, bob])
  t.match(s.lines[0], { level: 'warn', details: { why: 'RangeError' } })
})

t.test('a server that takes too long is given up for the time being', async (t) => {
  const s = scene(t)
  s.answer = async (_mail, signal) => await new Promise((resolve) => signal.addEventListener('abort', () => resolve(down)))
  s.owe(alice)
  await s.clock.advance(129_000)
  t.equal(s.worker.state.trouble, undefined)
  await s.clock.advance(1_000)
  t.match(s.worker.state.trouble, { what: 'server' })
})

t.test('an outbox that cannot be read is asked again, ever more seldom, and is in the log once', async (t) => {
  const s = scene(t)
  s.outbox.broken.add('due')
  s.owe(alice)
  await s.clock.advance(600_000)
  t.ok(s.outbox.calls.length < 20, `${s.outbox.calls.length} calls in ten minutes`)
  t.match(s.worker.state.trouble, { what: 'outbox', why: 'ERR_STORE_FAILED', since: Date.UTC(2030, 0, 1, 0, 0, 10) })
  t.equal(s.lines.length, 1)
  t.match(s.lines[0].details.err, { message: 'the disk is full' })
  s.outbox.broken.clear()
  await s.clock.advance(600_000)
  t.equal(s.attempts.length, 1)
  t.equal(s.worker.state.trouble, undefined)
})

t.test('a full disk does not keep a mail from being sent, and it is sent once', async (t) => {
  const s = scene(t)
  for (const method of ['assign', 'remove'] as const) s.outbox.broken.add(method)
  s.owe(alice)
  s.owe(bob)
  await s.clock.advance(3_600_000)
  t.same(s.attempts.map(({ mail }) => mail.receiver), [alice, bob])
  t.equal(s.outbox.entries.size, 2)
  t.equal(s.lines.filter(({ level }) => level === 'error').length, 1)
  s.owe(alice)
  await s.clock.advance(1_200_000)
  t.equal(s.attempts.length, 3, 'what comes is sent, too')
  s.outbox.broken.clear()
  await s.clock.advance(1_200_000)
  t.equal(s.outbox.entries.size, 0)
  t.equal(s.attempts.length, 3)
})

t.test('a refusal that cannot be stored is asked for again, but not at once', async (t) => {
  const s = scene(t)
  for (const method of ['fail', 'postpone'] as const) s.outbox.broken.add(method)
  s.answer = () => ({ how: 'never', why: '550' })
  s.owe(alice)
  await s.clock.advance(600_000)
  t.ok(s.attempts.length > 1 && s.attempts.length < 10, `${s.attempts.length} attempts`)
  s.outbox.broken.clear()
  await s.clock.advance(600_000)
  t.equal(s.outbox.given.length, 1)
})

t.test('a clock that went back an hour keeps nothing waiting for an hour', async (t) => {
  const s = scene(t)
  s.owe(alice)
  const [owed] = s.outbox.entries.values()
  s.outbox.entries.set(owed.id, { ...owed, attempts: 1, mail: 'x.1', notBefore: s.clock.now() + 3_600_000 })
  await s.clock.advance(10_000)
  t.equal(s.attempts.length, 1)
})

t.test('what came into the outbox without a word is found within a minute', async (t) => {
  const s = scene(t)
  s.worker.start()
  await s.clock.advance(1_000)
  s.outbox.owe(alice, transition(1, { at: s.clock.now() }))
  await s.clock.advance(60_000)
  t.equal(s.attempts.length, 1)
})

t.test('of very much that is owed ten thousand entries are looked at in one go', async (t) => {
  const s = scene(t)
  for (let id = 1; id <= 12_000; id++) s.outbox.owe(alice, suspicion(id, { at: s.clock.now() }))
  s.worker.notice()
  await s.clock.advance(30_000)
  t.same(sizes(s), [10_000, 2_000])
})

t.test('however much waits for a receiver who is refused now, the others do not wait for it', async (t) => {
  const s = scene(t)
  s.answer = ({ receiver }) => receiver === alice ? { how: 'later', why: '452' } : sent
  s.owe(alice)
  await s.clock.advance(10_000)
  for (let id = 1; id <= 10_000; id++) s.outbox.owe(alice, transition(id, { at: s.clock.now() - 10_000 }))
  s.outbox.owe(bob, transition(1, { at: s.clock.now() - 10_000 }))
  s.worker.notice()
  await s.clock.advance(10_000)
  t.ok(s.attempts.some(({ mail }) => mail.receiver === bob))
})

t.test('after close nothing is begun, no timer is left, and a mail under way comes to its end', async (t) => {
  const s = scene(t)
  let answer: ((outcome: Outcome) => void) | undefined
  s.answer = async () => await new Promise((resolve) => { answer = resolve })
  s.owe(alice, bob)
  await s.clock.advance(10_000)
  const closing = s.worker.close()
  answer?.(sent)
  await settled()
  await closing
  t.equal(s.outbox.entries.size, 1, 'the one that was taken is marked, the other is owed')
  s.worker.notice()
  t.equal(s.clock.waiting, 0)
  t.equal(s.attempts.length, 1)
})

t.test('close ends a mail that hangs, which is sent again after the next start', async (t) => {
  const s = scene(t)
  s.answer = async (_mail, signal) => await new Promise((resolve) => signal.addEventListener('abort', () => resolve(down)))
  s.owe(alice)
  await s.clock.advance(10_000)
  const closing = s.worker.close()
  await s.clock.advance(3_000)
  await closing
  t.equal(s.clock.waiting, 0)
  t.match([...s.outbox.entries.values()], [{ attempts: 0, mail: s.attempts[0].mail.id }])
  t.equal(s.lines.length, 0, 'nothing is wrong with the server')
})

t.test('close does not wait for an outbox that hangs', async (t) => {
  const s = scene(t)
  s.outbox.owed = async () => await new Promise(() => {})
  s.worker.start()
  await s.clock.advance(0)
  let closed = false
  s.worker.close().then(() => { closed = true })
  await s.clock.advance(10_000)
  t.ok(closed)
  t.equal(s.clock.waiting, 0)
})

t.test('what was dropped is said loudly, once, and told to whom it was owed', async (t) => {
  const s = scene(t, { gather: 0 })
  s.answer = () => down
  s.outbox.owe(alice, { kind: 'dropped', id: 7, count: 40, since: 1, at: 2 })
  s.outbox.dropped = 40
  s.worker.start()
  await s.clock.advance(60_000)
  const loud = (): Recorded[] => s.lines.filter(({ level }) => level === 'error')
  t.match(loud(), [{ details: { owed: 1, dropped: 40 }, message: /the oldest notices were dropped, and their receivers will be told how many/ }])
  t.match(s.worker.state, { counts: { dropped: 40 }, lastError: 'ECONNREFUSED (CONN)' })
  s.outbox.dropped = 90
  await s.clock.advance(60_000)
  t.equal(loud().length, 2)
  s.answer = () => sent
  s.outbox.dropped = 0
  await s.clock.advance(600_000)
  t.match(s.attempts.at(-1)?.mail.entries, [{ notice: { kind: 'dropped', count: 40 } }])
  t.match(s.worker.state, { counts: { owed: 0, dropped: 0 }, lastError: undefined })
  t.equal(loud().length, 2)
})

t.test('a mail of which a part was dropped since it was planned is planned anew', async (t) => {
  const s = scene(t, { gather: 0 })
  s.owe(alice, alice)
  const { assign } = s.outbox
  s.outbox.assign = async (...all) => {
    s.outbox.assign = assign
    s.outbox.entries.delete(1)
    return await assign.apply(s.outbox, all)
  }
  await s.clock.advance(1_000)
  t.same(s.attempts.map(({ mail }) => mail.entries.map(({ id }) => id)), [[2]])
  t.equal(s.outbox.entries.size, 0)
})
