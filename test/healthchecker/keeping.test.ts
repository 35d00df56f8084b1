import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import t, { type Test } from 'tap'
import type { Logger } from '../../types/logger.js'
import { App } from '../../lib/healthchecker/app.js'
import { Health } from '../../lib/healthchecker/health.js'
import { History } from '../../lib/healthchecker/history.js'
import { Journal } from '../../lib/healthchecker/journal.js'
import { Keeping } from '../../lib/healthchecker/keeping.js'
import { KeptConnections } from '../../lib/healthchecker/kept-connections.js'
import { Roster } from '../../lib/healthchecker/roster.js'
import { memoryFleetStore } from '../../lib/healthchecker/stores/memory-fleet-store.js'
import { FailingTargets, suspects } from '../../lib/healthchecker/suspicion.js'
import type { FleetStore, StoreChange, StoredApp } from '../../types/healthchecker.js'
import { FakeTime, settled } from '../policies/support/fake-time.js'
import { noon, stored, transition } from './support/apps.js'

const hour = 3_600_000

/** A store whose writes end when the test says so, or at once. */
class HeldStore {
  readonly store: FleetStore = memoryFleetStore()
  readonly writes: Array<readonly StoreChange[]> = []
  fails = false
  hold = false
  release = (): void => {}

  constructor () {
    const write = this.store.write.bind(this.store)
    this.store.write = async (changes) => {
      this.writes.push(changes)
      if (this.hold) await new Promise<void>((resolve) => { this.release = resolve })
      if (this.fails) throw new Error('no')
      await write(changes)
    }
  }
}

function journaled (t: Test): { time: FakeTime, held: HeldStore, journal: Journal, lines: string[], troubles: unknown[] } {
  const time = new FakeTime()
  t.teardown(time.install())
  const held = new HeldStore()
  const lines: string[] = []
  const log = (...line: unknown[]): void => { lines.push(String(line.at(-1))) }
  const troubles: unknown[] = []
  return { time, held, lines, troubles, journal: new Journal(held.store, { info: log, warn: log, error: log } as Logger, (trouble) => troubles.push(trouble)) }
}

const remove = (name: string): StoreChange[] => [{ kind: 'remove', name }]
const names = (changes: readonly StoreChange[]): unknown[] => changes.map((change) => 'name' in change ? change.name : change.kind)

t.test('what comes in one turn, and while another is written, is stored together, in its order', async (t) => {
  const { held, journal } = journaled(t)
  held.hold = true
  const first = [journal.ask(remove('a')), journal.ask(remove('b'))]
  await settled()
  const second = [journal.ask(remove('c')), journal.ask([...remove('d'), ...remove('e')])]
  journal.owe(remove('f'))
  await settled()
  t.same(held.writes.map(names), [['a', 'b']], 'one write at a time')
  held.hold = false
  held.release()
  await Promise.all([...first, ...second])
  await settled()
  t.same(held.writes.map(names), [['a', 'b'], ['c', 'd', 'e', 'f']])
})

t.test('a very great deal goes in several writes', async (t) => {
  const { held, journal } = journaled(t)
  await Promise.all(Array.from({ length: 4_500 }, async (_item, index) => await journal.ask(remove(String(index)))))
  t.same(held.writes.map(({ length }) => length), [2_000, 2_000, 500])
})

t.test('who asks again as soon as it is stored is not forgotten', async (t) => {
  const { held, journal } = journaled(t)
  let asked = 0
  const again = (): void => { if (asked++ < 5) journal.ask(remove(String(asked))).then(again) }
  // Whoever is told runs some microtasks later.
  for (let later = 0; later < 8; later++) {
    asked = 0
    held.writes.length = 0
    let first = journal.ask(remove('first'))
    for (let hop = 0; hop < later; hop++) first = first.then(() => {})
    await first.then(again)
    await settled()
    t.equal(held.writes.length, 6, `${later} microtasks later`)
  }
})

t.test('of very many who asked, not all are told at once: others have their turn in between', async (t) => {
  for (const fails of [false, true]) {
    const { held, journal } = journaled(t)
    held.fails = fails
    let told = 0
    let inThisTurn = 0
    let mostInOneTurn = 0
    const tellOne = (): void => {
      told++
      if (++inThisTurn === 1) setImmediate(() => { inThisTurn = 0 })
      mostInOneTurn = Math.max(mostInOneTurn, inThisTurn)
    }
    await Promise.all(Array.from({ length: 1_500 }, async (_item, index) => await journal.ask(remove(String(index))).then(tellOne, tellOne)))
    t.equal(told, 1_500)
    t.ok(mostInOneTurn <= 200, `${mostInOneTurn} in one turn`)
    t.equal(held.writes.length, 1, 'stored together all the same')
  }
})

t.test('what is owed waits for a store that fails, each told once; what was asked for does not', async (t) => {
  const { time, held, journal, lines, troubles } = journaled(t)
  held.fails = true
  let told = 0
  const asked = journal.ask(remove('asked'))
  journal.owe(remove('owed 1'), () => told++)
  await t.rejects(asked, { message: 'no' })
  t.ok(journal.fails)
  t.match(troubles, [{ code: 'STORE_FAILED', detail: 'no' }])
  journal.owe(remove('owed 2'), () => told++)
  await time.advance(3_000)
  t.equal(held.writes.length, 4, 'tried again every second')
  held.fails = false
  await time.advance(1_000)
  t.same(names(held.writes.at(-1) as StoreChange[]), ['owed 1', 'owed 2'])
  t.equal(told, 2)
  t.notOk(journal.fails)
  t.same([troubles.length, troubles[1], lines.length], [2, undefined, 2])
  await time.advance(60_000)
  t.equal(held.writes.length, 5)
})

t.test('what is wrong with a store is told again where it is something else', async (t) => {
  const { time, held, journal, troubles } = journaled(t)
  held.store.write = async () => { throw new Error(time.monotonic() < 2_000 ? 'it is slow' : 'restart it') }
  journal.owe(remove('a'))
  await time.advance(3_000)
  t.match(troubles, [{ detail: 'it is slow' }, { detail: 'restart it' }])
  t.equal(troubles.length, 2)
})

t.test('what came while a write failed is stored after what was in it', async (t) => {
  const { time, held, journal } = journaled(t)
  held.hold = true
  journal.owe(remove('1'))
  await settled()
  journal.owe(remove('2'))
  Object.assign(held, { fails: true, hold: false })
  held.release()
  await settled()
  held.fails = false
  await time.advance(1_000)
  t.same(held.writes.flatMap(names).slice(-2), ['1', '2'])
})

t.test('what waits is bounded, and what is forgotten is said', async (t) => {
  const { time, held, journal, lines } = journaled(t)
  held.fails = true
  journal.owe(remove('first'))
  await settled()
  let told = 0
  for (let index = 0; index < 51_500; index++) journal.owe(remove(String(index)), () => told++)
  t.equal(told, 1_500)
  t.equal(lines.filter((line) => /forgotten/.test(line)).length, 2)
  held.fails = false
  await time.advance(1_000)
  await journal.close()
  t.equal(told, 51_500)
  t.equal(held.writes.flat().length, 1 + 50_000)
})

t.test('who asked for what is forgotten is never told that it is stored', async (t) => {
  const { held, journal } = journaled(t)
  held.fails = true
  journal.owe(remove('first'))
  await settled()
  let stored = false
  const asked = journal.ask(remove('asked')).then(() => { stored = true }, () => {})
  for (let index = 0; index < 50_500; index++) journal.owe(remove(String(index)))
  await settled()
  t.notOk(stored)
  held.fails = false
  await journal.close()
  await asked
  t.ok(stored && held.writes.flatMap(names).includes('asked'))
})

t.test('nothing is forgotten where only those wait who asked', async (t) => {
  const { time, held, journal, lines } = journaled(t)
  held.fails = true
  await t.rejects(journal.ask(remove('first')))
  const many = Promise.allSettled(Array.from({ length: 50_002 }, async () => await journal.ask(remove('asked'))))
  const told: unknown[] = []
  many.then((all) => told.push(...all))
  // Those who asked are told in turns of the event loop, which no fake clock counts.
  while (told.length === 0) await time.advance(1_000)
  t.ok((await many).every(({ status }) => status === 'rejected'))
  t.equal(lines.length, 1)
})

t.test('a journal that is closed has stored all, or says what it could not', async (t) => {
  const good = journaled(t)
  good.held.hold = true
  const asked = good.journal.ask(remove('a'))
  await settled()
  good.journal.owe(remove('b'))
  const closing = good.journal.close()
  good.held.hold = false
  good.held.release()
  await Promise.all([asked, closing])
  t.same(good.held.writes.flatMap(names), ['a', 'b'])
  const bad = journaled(t)
  bad.held.fails = true
  bad.journal.owe(remove('a'))
  await settled()
  await bad.journal.close()
  t.match(bad.lines.at(-1), /could not be stored/)
  t.equal(bad.time.waiting, 0)
})

interface Kept {
  time: FakeTime
  held: HeldStore
  journal: Journal
  troubles: unknown[]
  roster: Roster
  history: History
  keeping: Keeping
  add (name: string): App
}

function keeping (t: Test): Kept {
  const { time, held, journal, troubles } = journaled(t)
  const roster = new Roster()
  const history = new History()
  const { setInterval, clearInterval } = globalThis
  // The fake clock has no intervals: each is a row of timers.
  globalThis.setInterval = ((call: () => void, delay: number) => {
    const handle = { stopped: false, unref: () => handle }
    const next = (): unknown => setTimeout(() => {
      if (handle.stopped) return
      call()
      next()
    }, delay)
    next()
    return handle
  }) as unknown as typeof setInterval
  globalThis.clearInterval = ((handle: { stopped: boolean } | undefined) => { if (handle !== undefined) handle.stopped = true }) as typeof clearInterval
  t.teardown(() => Object.assign(globalThis, { setInterval, clearInterval }))
  return {
    time,
    held,
    journal,
    troubles,
    roster,
    history,
    keeping: new Keeping(journal, roster, history),
    add (name) {
      const app = new App(stored(name), history.take())
      roster.add(app)
      return app
    }
  }
}

async function storedIn ({ store }: HeldStore): Promise<Map<string, StoredApp>> {
  const apps = new Map<string, StoredApp>()
  await store.open((batch) => { for (const app of batch) apps.set(app.registration.name, app) })
  return apps
}

t.test('counters are stored within a second, last checks and hours within five minutes', async (t) => {
  const { time, held, history, journal, keeping: kept, add } = keeping(t)
  const apps = ['a', 'b', 'c'].map(add)
  await journal.ask(apps.map((app) => ({ kind: 'put', app: app.stored() })))
  kept.start()
  apps[0].health = { ...Health.unknown, successes: 1 }
  kept.progress(apps[0])
  for (const app of apps) history.record(app.slot, { at: noon, result: 'OK', duration: 5 })
  await time.advance(1_000)
  t.equal((await storedIn(held)).get('a')?.health.successes, 1)
  await time.advance(300_000)
  for (const [name, { recent }] of await storedIn(held)) {
    t.ok(recent !== undefined && recent[0] === 1, `the last checks of ${name}`)
    t.match(await held.store.hours(name, 0), [{ at: noon, checks: 1, meanDuration: 5 }])
  }
  kept.hour(apps[1], { at: noon + hour, checks: 7, failures: 0, meanDuration: 1, maxDuration: 1 })
  await time.advance(1_000)
  t.match(await held.store.hours('b', 0), [{ checks: 1 }, { at: noon + hour, checks: 7 }])
})

t.test('what could not be stored is stored later, once', async (t) => {
  const { time, held, history, journal, keeping: kept, add } = keeping(t)
  const [app, gone] = [add('a'), add('gone')]
  await journal.ask([app, gone].map((app) => ({ kind: 'put', app: app.stored() })))
  kept.start()
  held.fails = true
  for (const { slot } of [app, gone]) history.record(slot, { at: noon, result: 'OK', duration: 5 })
  app.health = { ...Health.unknown, failures: 1 }
  for (const each of [app, gone]) {
    kept.progress(each)
    kept.hour(each, { at: noon - hour, checks: 2, failures: 0, meanDuration: 1, maxDuration: 1 })
  }
  await time.advance(5_000)
  const tried = held.writes.length
  gone.gone = true
  kept.forget(gone)
  held.fails = false
  await time.advance(301_000)
  t.ok(held.writes.length > tried)
  t.equal((await storedIn(held)).get('a')?.health.failures, 1)
  t.match(await held.store.hours('a', 0), [{ at: noon - hour, checks: 2 }, { at: noon, checks: 1 }])
  t.notOk((await held.store.hours('gone', 0)).some(({ at }) => at === noon - hour), 'nothing comes of one that is gone')
})

t.test('a store that failed is found to work again also where nothing happens but checks', async (t) => {
  const { time, held, history, journal, keeping: kept, add, troubles } = keeping(t)
  const app = add('a')
  await journal.ask([{ kind: 'put', app: app.stored() }])
  kept.start()
  held.fails = true
  history.record(app.slot, { at: noon, result: 'OK', duration: 5 })
  await settled()
  await t.rejects(journal.ask(remove('somebody')))
  await time.advance(3_000)
  t.ok(journal.fails)
  // The hour ends while it is being written.
  held.hold = true
  await time.advance(2_000)
  t.same(history.hour(app.slot), undefined)
  history.record(app.slot, { at: noon + hour, result: 'OK', duration: 7 })
  held.hold = false
  held.release()
  await settled()
  held.fails = false
  await time.advance(3_000)
  t.notOk(journal.fails)
  t.equal(troubles.at(-1), undefined)
  await time.advance(301_000)
  t.match(await held.store.hours('a', 0), [{ at: noon, checks: 1, meanDuration: 5 }, { at: noon + hour, checks: 1, meanDuration: 7 }])
})

t.test('an hour that could not be stored with its app is kept, unless the app is gone', async (t) => {
  const { time, held, history, journal, keeping: kept, add } = keeping(t)
  const apps = Array.from({ length: 600 }, (_item, index) => add(`app ${String(index).padStart(3, '0')}`))
  await journal.ask(apps.map((app) => ({ kind: 'put', app: app.stored() })))
  const [stays, goes] = apps
  for (const { slot } of [stays, goes]) history.record(slot, { at: noon, result: 'OK', duration: 5 })
  kept.start()
  Object.assign(held, { hold: true, fails: true })
  await time.advance(1_000)
  t.same([history.hour(stays.slot), history.hour(goes.slot)], [undefined, undefined], 'both are being stored')
  goes.gone = true
  held.release()
  await settled()
  t.match(history.hour(stays.slot), { at: noon, checks: 1, meanDuration: 5 })
  t.equal(history.hour(goes.slot), undefined, 'its slot may be of another app by now')
})

t.test('who goes while others are stored is not, nor is what has its name or its place since', async (t) => {
  const { time, held, history, roster, keeping: kept, add } = keeping(t)
  // So many that a second's share of them, 101, is stored in two goes; and as many have counters to store.
  roster.load(Array.from({ length: 30_300 }, (_item, index) => new App(stored(`app ${String(index).padStart(5, '0')}`), history.take())))
  for (const app of roster.all.slice(200, 301)) kept.progress(app)
  kept.start()
  held.hold = true
  await time.advance(1_000)
  const gone = [roster.all[100], roster.all[300]]
  for (const app of gone) {
    roster.remove(app)
    app.gone = true
    history.give(app.slot)
    const { name, slot } = add(app.name)
    history.record(slot, { at: noon, result: 'OK', duration: 5 })
    t.ok(gone.some((one) => one.name === name && one.slot === slot))
  }
  held.hold = false
  held.release()
  await settled()
  t.equal(held.writes.flat().length, 200)
  for (const { slot } of gone) t.match(history.hour(slot), { checks: 1 })
})

t.test('one write at a time, also where it takes longer than a second', async (t) => {
  const { time, held, journal, keeping: kept, add } = keeping(t)
  const app = add('a')
  await journal.ask([{ kind: 'put', app: app.stored() }])
  kept.start()
  held.hold = true
  kept.progress(app)
  await time.advance(2_000)
  kept.progress(app)
  await time.advance(8_000)
  t.equal(held.writes.length, 2)
  held.hold = false
  held.release()
})

t.test('few apps are written once in five minutes each, and not once in a second', async (t) => {
  const { time, held, journal, keeping: kept, add } = keeping(t)
  await journal.ask(['a', 'b', 'c'].map((name) => ({ kind: 'put', app: add(name).stored() })))
  held.writes.length = 0
  kept.start()
  await time.advance(302_000)
  t.same(held.writes.map(names), [['a'], ['b'], ['c']])
  await time.advance(300_000)
  t.equal(held.writes.length, 6)
})

t.test('where there is nothing to store, nothing is written', async (t) => {
  const { time, held, keeping: kept } = keeping(t)
  kept.start()
  await time.advance(10_000)
  t.equal(held.writes.length, 0)
})

t.test('connections are tried again where very many addresses had none that was of use, and never too many are kept', async (t) => {
  const connections = new KeptConnections()
  const socket = (remoteAddress: string): Duplex => Object.assign(new EventEmitter(), { remoteAddress, remotePort: 80 }) as unknown as Duplex
  const inVain = (address: string): boolean => {
    const one = socket(address)
    const kept = connections.keep(one)
    one.emit('close')
    return kept
  }
  t.same([inVain('a'), inVain('a'), inVain('a')], [true, true, false])
  for (let index = 0; index < 20_000; index++) inVain(String(index))
  t.equal(inVain('a'), true)
  const all = Array.from({ length: 2_001 }, (_item, index) => socket(`b ${index}`))
  t.equal(all.filter((one) => connections.keep(one)).length, 2_000)
  for (let round = 0; round < 20; round++) {
    connections.reuse(all[0])
    connections.keep(all[0])
  }
  t.equal(all[0].listenerCount('close'), 1)
  connections.reuse(all[0])
  all[0].emit('close')
  t.same([connections.keep(socket('c')), connections.keep(socket('d'))], [true, false])
})

t.test('hours that wait are bounded', async (t) => {
  const { held, journal, keeping: kept, add } = keeping(t)
  const app = add('a')
  await journal.ask([{ kind: 'put', app: app.stored() }])
  for (let index = 0; index < 100_003; index++) kept.hour(app, { at: noon - index, checks: 1, failures: 0, meanDuration: 1, maxDuration: 1 })
  held.writes.length = 0
  held.store.write = async (changes) => { held.writes.push(changes) }
  await kept.close()
  t.equal(held.writes.flat().filter(({ kind }) => kind === 'hour').length, 100_000)
  t.match(held.writes.flat().find(({ kind }) => kind === 'hour'), { hour: { at: noon - 3 } })
})

t.test('at the end all is stored, in slices, unless the store fails', async (t) => {
  const { held, history, journal, keeping: kept, add } = keeping(t)
  const apps = Array.from({ length: 1_200 }, (_item, index) => add(`app ${index}`))
  await journal.ask(apps.map((app) => ({ kind: 'put', app: app.stored() })))
  for (const app of apps) history.record(app.slot, { at: noon, result: 'OK', duration: 5 })
  held.writes.length = 0
  await kept.close()
  t.equal(held.writes.length, 12)
  t.equal([...(await storedIn(held)).values()].filter(({ recent }) => recent !== undefined).length, 1_200)
  held.fails = true
  journal.owe([{ kind: 'notice', notice: transition(1, 'x'), receivers: [] }])
  await settled()
  held.writes.length = 0
  await kept.close()
  t.equal(held.writes.length, 0)
})

t.test('suspects itself where more than half of three or more fail together, until half of them answer', async (t) => {
  const cases: Array<[boolean, number, number, number, boolean]> = [
    // suspected, lately, failing, of
    [false, 0, 0, 0, false], [false, 1, 1, 1, false], [false, 2, 2, 2, false], [false, 2, 2, 3, true],
    [false, 2, 2, 4, false], [false, 3, 3, 4, true], [false, 0, 4, 4, false], [false, 1, 4, 4, false],
    [true, 0, 3, 4, true], [true, 0, 2, 4, false], [true, 0, 0, 4, false], [true, 2, 2, 2, false]
  ]
  for (const [suspected, lately, failing, of, expected] of cases) {
    t.equal(suspects(suspected, { lately, failing, of }), expected, JSON.stringify({ suspected, lately, failing, of }))
  }
})

t.test('who has failed for long did not fail together with the others', async (t) => {
  const targets = new FailingTargets<string>()
  targets.failed('a', 0)
  targets.failed('b', 100_000)
  targets.failed('a', 200_000)
  t.same(targets.count(359_999, 5), { lately: 2, failing: 2, of: 5 })
  t.same(targets.count(360_000, 5), { lately: 1, failing: 2, of: 5 })
  targets.failed('a', 360_001)
  targets.failed('c', 360_001)
  t.same(targets.count(360_002, 5), { lately: 2, failing: 3, of: 5 })
  targets.recovered('a')
  targets.recovered('b')
  targets.recovered('nobody')
  t.same(targets.count(360_003, 4), { lately: 1, failing: 1, of: 4 })
})
