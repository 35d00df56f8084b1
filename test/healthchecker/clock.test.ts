import t, { type Test } from 'tap'
import { day, hour, minute } from '../../lib/core/units.js'
import { WatchedFleet, memoryFleetStore } from '../../lib/healthchecker/index.js'
import { OutboxWorker } from '../../lib/healthchecker/mail/outbox-worker.js'
import type { Outcome } from '../../lib/healthchecker/mail/smtp-sender.js'
import type { FleetStore } from '../../types/healthchecker.js'
import { FakeTime } from '../policies/support/fake-time.js'
import { registration } from './support/apps.js'
import { broken, HandSchedule, target } from './support/target.js'

const ms = {
  minute: minute(1).milliseconds,
  hour: hour(1).milliseconds,
  day: day(1).milliseconds
}

/** A clock that somebody sets: what it shows jumps, and the time that passes does not. */
class Jumping {
  readonly time = new FakeTime()
  skew = 0
  now = (): number => this.time.now() + this.skew
  monotonic = (): number => this.time.monotonic()
}

interface Mailing {
  readonly fleet: WatchedFleet
  /** What was sent, in words. */
  readonly sent: string[]
  outcome: Outcome
  tried: number
  check (): Promise<void>
  close (): Promise<void>
}

async function mailing (t: Test, clock: Jumping, store: FleetStore): Promise<Mailing> {
  const schedule = new HandSchedule()
  const fleet = new WatchedFleet({ clock, schedule, store, owe: () => ['alice@example.org'] })
  await fleet.start()
  const it: Mailing = {
    fleet,
    sent: [],
    outcome: { how: 'sent' },
    tried: 0,
    async check () {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          fleet.off('check', done)
          resolve()
        }
        fleet.on('check', done)
        schedule.turn('shop')
      })
      await clock.time.advance(0)
    },
    async close () {
      await worker.close()
      await fleet.close()
    }
  }
  const worker = new OutboxWorker({
    outbox: fleet.outbox,
    clock,
    gather: 10_000,
    giveUpAfter: 4 * ms.day,
    timeout: 60_000,
    logger: undefined,
    random: () => 0.5,
    async send ({ entries }) {
      it.tried++
      if (it.outcome.how === 'sent') it.sent.push(...entries.map(({ notice }) => notice.kind === 'state' ? notice.to : notice.kind))
      return it.outcome
    }
  })
  fleet.on('transition', () => worker.notice())
  worker.start()
  t.teardown(async () => await it.close())
  return it
}

t.test('whatever a clock shows, what is told is told in time, and what has to wait waits as long as it should', async (t) => {
  for (const jump of [40 * ms.day, -40 * ms.day, ms.hour, -ms.hour]) {
    const clock = new Jumping()
    const restore = clock.time.install()
    const app = await target(t)
    const it = await mailing(t, clock, memoryFleetStore())
    await it.fleet.register(registration('shop', { port: app.port }))
    await it.check()
    await it.check()
    app.answer = broken
    await it.check()
    clock.skew += jump
    await it.check()
    t.match(it.fleet.get('shop'), { state: 'UNHEALTHY', since: clock.now() })
    await clock.time.advance(ms.minute + 10_000)
    t.same(it.sent, ['HEALTHY', 'DEGRADING', 'UNHEALTHY'], `after a jump of ${jump / ms.hour} hours`)
    t.ok(Math.abs((it.fleet.get('shop')?.nextCheck as number) - clock.now()) < ms.day, 'the next check is soon')

    clock.skew -= 2 * jump
    await clock.time.advance(ms.day - 2 * ms.minute)
    await it.check()
    t.equal(it.fleet.get('shop')?.paused, undefined, 'it was not unhealthy for a day')
    await clock.time.advance(2 * ms.minute)
    await it.check()
    t.match(it.fleet.get('shop'), { paused: { by: 'healthchecker' } })
    await clock.time.advance(10_000)
    t.equal(it.sent.at(-1), 'paused')

    const history = await it.fleet.history('shop')
    t.equal(history?.checks.length, 6)
    t.ok(history?.hours.every(({ at }) => at <= clock.now()))
    for (const part of Object.values(history?.uptime ?? {})) t.ok(part >= 0 && part <= 1)
    await it.close()
    restore()
  }
})

t.test('a clock that was ahead when the store was written pauses nobody at the next start, nor tells again', async (t) => {
  const clock = new Jumping()
  t.teardown(clock.time.install())
  const store = memoryFleetStore()
  const app = await target(t, broken)
  const before = await mailing(t, clock, store)
  await before.fleet.register(registration('shop', { port: app.port }))
  clock.skew = 40 * ms.day
  await before.check()
  await before.check()
  await clock.time.advance(ms.minute)
  await before.close()
  clock.skew = 0
  const after = await mailing(t, clock, store)
  await after.check()
  await clock.time.advance(ms.day - ms.minute)
  await after.check()
  t.match(after.fleet.get('shop'), { state: 'UNHEALTHY', paused: undefined })
  t.same(after.sent, [])
  const history = await after.fleet.history('shop')
  t.ok(history !== undefined && history.hours.length > 0 && history.hours.every(({ at }) => at <= clock.now()), 'the hours that lie ahead are not shown yet')
  t.same(history?.uptime.day, 0)
  await clock.time.advance(ms.minute)
  await after.check()
  t.match(after.fleet.get('shop'), { paused: { by: 'healthchecker' } })
})

t.test('a clock that jumps while the mail server is down neither gives a mail up nor keeps it waiting', async (t) => {
  for (const jump of [40 * ms.day, -40 * ms.day]) {
    const clock = new Jumping()
    const restore = clock.time.install()
    const app = await target(t, broken)
    const it = await mailing(t, clock, memoryFleetStore())
    await it.fleet.register(registration('shop', { port: app.port }))
    it.outcome = { how: 'down', why: 'ECONNREFUSED' }
    await it.check()
    await clock.time.advance(11_000)
    t.equal(it.tried, 1)
    clock.skew = jump
    await clock.time.advance(ms.minute)
    t.ok(it.tried > 1, `${it.tried} attempts`)
    it.outcome = { how: 'sent' }
    clock.skew = 0
    await clock.time.advance(3 * ms.minute)
    t.same(it.sent, ['DEGRADING'])
    t.same(await it.fleet.outbox.failed(1), [])
    await it.close()
    restore()
  }
})
