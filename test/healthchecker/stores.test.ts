import { spawnSync } from 'node:child_process'
import { once, EventEmitter } from 'node:events'
import { appendFileSync, chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MessagePort, Worker } from 'node:worker_threads'
import Database from 'libsql'
import t, { type Test } from 'tap'
import { SqliteFile } from '../../lib/healthchecker/stores/sqlite-file.js'
import { cutsOf } from '../../lib/healthchecker/stores/outbox-bound.js'
import { memoryFleetStore } from '../../lib/healthchecker/stores/memory-fleet-store.js'
import { sqliteFleetStore, SqliteFleetStore, startWorker } from '../../lib/healthchecker/stores/sqlite-fleet-store.js'
import { isWritable } from '../../lib/healthchecker/stores/read-only-copy.js'
import { serve, type Answer, type Question } from '../../lib/healthchecker/stores/sqlite-worker.js'
import type { FleetStore, OutboxEntry, StoredApp } from '../../types/healthchecker.js'
import { noon, registration, stored, transition } from './support/apps.js'

const hour = 3_600_000
const hourOf = (name: string, at: number, checks = 10) => ({ kind: 'hour', hour: { name, at, checks, failures: 1, meanDuration: 2.5, maxDuration: 7 } } as const)

interface Found { id: number, suspected: boolean, apps: StoredApp[] }

async function all (store: FleetStore): Promise<Found> {
  const apps: StoredApp[] = []
  return { ...await store.open((batch) => apps.push(...batch)), apps }
}

interface Kept {
  store: FleetStore
  /** Closes it, and gives what is there when it is opened again. */
  again (): Promise<Found>
}

async function inMemory (): Promise<Kept> {
  const store = memoryFleetStore()
  return { store, again: async () => { await store.close(); return await all(store) } }
}

/** The other end of a thread. */
class Port extends EventEmitter {
  readonly said: Answer[] = []
  closed = false
  postMessage (answer: Answer): void {
    this.said.push(answer)
    this.emit('said')
  }

  close (): void { this.closed = true }

  async ask (operation: Question['operation'], ...values: unknown[]): Promise<Answer> {
    this.emit('message', { id: 1, operation, values })
    await once(this, 'said')
    return this.said.at(-1) as Answer
  }
}

/** What the thread does, in this one: to start one takes a test a second. */
class SameThread extends EventEmitter {
  readonly #port = new Port()

  constructor () {
    super()
    serve(this.#port as unknown as MessagePort)
    this.#port.on('said', () => this.emit('message', structuredClone(this.#port.said.at(-1))))
  }

  postMessage (question: Question): void { this.#port.emit('message', structuredClone(question)) }
  ref (): void {}
  unref (): void {}
  terminate (): void {}
}

const inThisThread = (path: string): FleetStore => new SqliteFleetStore(path, () => new SameThread() as unknown as Worker)

async function inFile (t: Test): Promise<Kept> {
  const kept = { store: inThisThread(join(t.testdir(), 'fleet.db')), again: async () => { await kept.store.close(); return await all(kept.store) } }
  t.teardown(async () => await kept.store.close())
  return kept
}

for (const [kind, make] of [['memory', inMemory], ['an SQLite file', inFile]] as const) {
  t.test(`a store in ${kind} is empty at first`, async (t) => {
    const { store, again } = await make(t)
    t.same(await all(store), { id: 0, suspected: false, apps: [] })
    t.same(await store.outbox.owed(), { count: 0, next: undefined, oldest: undefined, dropped: 0 })
    t.same(await store.outbox.due(noon, 10), [])
    t.same(await store.hours('a', 0), [])
    t.same(await again(), { id: 0, suspected: false, apps: [] })
  })

  t.test(`a store in ${kind} gives back all that it was given`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const full = stored('ä "quoted" \'; DROP TABLE app', {
      trusted: true,
      remote: true,
      health: { state: 'DEGRADING', before: 'HEALTHY', failures: 1, successes: 0 },
      paused: { at: noon + 5, by: 'alice', why: 'new disk' },
      lastCheck: { at: noon + 0.5, result: 'RED', duration: 12.25, error: 'no answer' },
      recent: new Uint8Array([1, 2, 0, 255]),
      since: noon + 3
    })
    await store.write([{ kind: 'put', app: stored('plain') }, { kind: 'put', app: full }])
    const { apps } = await again()
    t.same(apps.find(({ registration }) => registration.name === 'plain'), stored('plain'))
    t.same(apps.find(({ trusted }) => trusted), full)
  })

  t.test(`in ${kind} a changed registration keeps state and history, and a removed app takes its own with it`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const health = { state: 'HEALTHY', before: 'HEALTHY', failures: 0, successes: 2 } as const
    await store.write([{ kind: 'put', app: stored('a', { health, since: noon + 1 }) }, { kind: 'put', app: stored('b') }, hourOf('a', noon)])
    const changed = registration('a', { port: 81 })
    await store.write([{ kind: 'put', app: { ...stored('a'), registration: changed, registeredAt: 5, trusted: true, remote: true } }])
    t.same((await again()).apps.find(({ registration }) => registration.name === 'a'), stored('a', { registration: changed, health, since: noon + 1, trusted: true, remote: true }))
    t.equal((await store.hours('a', 0)).length, 1)

    await store.write([{ kind: 'remove', name: 'a' }, { kind: 'remove', name: 'nobody' }])
    t.same((await again()).apps.map(({ registration }) => registration.name), ['b'])
    await store.write([{ kind: 'put', app: stored('a') }])
    t.same(await store.hours('a', 0), [], 'one that comes under the same name begins anew')
  })

  t.test(`in ${kind} a notice, the state and the mails owed are one`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const app = stored('a', { health: { state: 'DEGRADING', before: 'UNKNOWN', failures: 1, successes: 0 }, since: noon + 9 })
    await store.write([{ kind: 'put', app: stored('a') }])
    await store.write([
      { kind: 'notice', notice: transition(7, 'a'), app: { ...app, registration: registration('a', { port: 99 }), trusted: true }, receivers: ['x@example.org', 'y@example.org'] },
      { kind: 'notice', notice: { id: 5, kind: 'suspicion', suspected: true, failing: 2, of: 3, at: noon }, receivers: [] },
      { kind: 'notice', notice: transition(6, 'gone'), app: stored('gone'), receivers: ['z@example.org'] }
    ])
    const { id, apps, suspected } = await again()
    t.equal(id, 7)
    t.equal(suspected, true, 'a suspicion that has no end yet')
    t.same(apps, [app], 'and the registration is as it was')
    t.same(await store.outbox.due(noon, 10), [
      { id: 1, receiver: 'x@example.org', notice: transition(7, 'a'), attempts: 0, notBefore: 0 },
      { id: 2, receiver: 'y@example.org', notice: transition(7, 'a'), attempts: 0, notBefore: 0 },
      { id: 3, receiver: 'z@example.org', notice: transition(6, 'gone'), attempts: 0, notBefore: 0 }
    ])
    await store.write([{ kind: 'notice', notice: { id: 8, kind: 'suspicion', suspected: false, failing: 1, of: 3, at: noon }, receivers: [] }])
    t.equal((await again()).suspected, false)
  })

  t.test(`the outbox in ${kind} keeps what is owed until it is sent`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const receivers = ['a@example.org', 'b@example.org', 'c@example.org']
    await store.write([{ kind: 'notice', notice: transition(1, 'a'), receivers }])
    await store.outbox.assign([1, 2], 'mail 1')
    await store.outbox.postpone([1, 99], noon + 100)
    await store.outbox.postpone([1], noon + 200)
    await again()
    t.same((await store.outbox.due(noon + 199, 10)).map(({ id }) => id), [2, 3])
    t.same((await store.outbox.due(noon + 200, 2)).map(({ id }) => id), [1, 2], 'the oldest first, no more than asked for')
    t.match((await store.outbox.due(noon + 200, 1))[0], { attempts: 2, notBefore: noon + 200, mail: 'mail 1' })
    t.same(await store.outbox.owed(), { count: 3, next: noon + 200, oldest: noon, dropped: 0 })
    await store.outbox.remove([1, 3, 99])
    await again()
    t.same(await store.outbox.owed(), { count: 1, next: undefined, oldest: noon, dropped: 0 })
    await store.write([{ kind: 'notice', notice: transition(2, 'a'), receivers: ['d@example.org'] }])
    t.same((await store.outbox.due(noon, 10)).map(({ id }) => id), [2, 4], 'no id is used again')
  })

  t.test(`the outbox in ${kind} keeps what was given up, the last thousand entries of it, and owes it no longer`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const receivers = Array.from({ length: 1_003 }, (_, index) => `receiver${index + 1}@example.org`)
    await store.write([{ kind: 'notice', notice: transition(1, 'a'), receivers }])
    await store.outbox.assign([1], 'mail 1')
    await store.outbox.postpone([1], noon)
    await store.outbox.fail([1, 99_999], 'RCPT TO: 550 no such user', noon + 1)
    const failed = [{ id: 1, receiver: 'receiver1@example.org', notice: transition(1, 'a'), attempts: 1, notBefore: noon, mail: 'mail 1', why: 'RCPT TO: 550 no such user', failedAt: noon + 1 }]
    t.same(await store.outbox.failed(10), failed)
    t.same(await store.outbox.owed(), { count: 1_002, next: undefined, oldest: noon, dropped: 0 })
    t.not((await store.outbox.due(noon + 2, 1))[0].id, 1)
    await again()
    t.same(await store.outbox.failed(10), failed)
    await store.outbox.fail(Array.from({ length: 1_001 }, (_, index) => index + 2), 'later', noon + 2)
    const kept = await store.outbox.failed(2_000)
    t.equal(kept.length, 1_000)
    t.same([kept[0].id, kept[999].id], [1_002, 3], 'the last first')
    t.same(await store.outbox.owed(), { count: 1, next: undefined, oldest: noon, dropped: 0 })
  })

  t.test(`the outbox in ${kind} is bounded: who is owed the most is owed how many were dropped, and a mail is never in part`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const [alice, bob] = ['alice@example.org', 'bob@example.org']
    const times = (receiver: string, count: number): string[] => Array.from({ length: count }, () => receiver)
    await store.write([
      { kind: 'notice', notice: transition(1, 'a'), receivers: times(alice, 40_000) },
      { kind: 'notice', notice: transition(2, 'a', { at: noon + 1 }), receivers: [...times(alice, 59_990), ...times(bob, 10)] }
    ])
    t.equal(await store.outbox.assign([74_990, 80_000], 'mail 1'), true)
    await store.outbox.postpone([74_990, 80_000], noon + 100)
    t.same(await store.outbox.owed(), { count: 100_000, next: noon + 100, oldest: noon, dropped: 0 }, 'so many are no more than there may be')
    await store.write([{ kind: 'notice', notice: transition(3, 'a', { at: noon + 2 }), receivers: [] }])
    t.equal((await store.outbox.owed()).count, 100_000)

    await store.write([{ kind: 'notice', notice: transition(4, 'a', { at: noon + 2 }), receivers: [bob] }])
    // Each has a half of 50,000: of Alice's 99,990 the oldest 74,991 go, and what is in one mail with one of them.
    await again()
    t.same(await store.outbox.owed(), { count: 24_998 + 1 + 11, next: undefined, oldest: noon + 1, dropped: 74_992 })
    const due = await store.outbox.due(noon, 100_000)
    t.same([due[0].id, due.filter(({ receiver }) => receiver === bob).length], [74_992, 11])
    t.same(due.at(-1), { id: 100_002, receiver: alice, notice: { kind: 'dropped', id: 2, count: 74_992, since: noon, at: noon + 1 }, attempts: 0, notBefore: 0 })
    t.equal(await store.outbox.assign([100_002, 80_000], 'mail 2'), false, 'one of them is gone')
    t.equal((await store.outbox.due(noon, 100_000)).at(-1)?.mail, undefined)
    await store.outbox.remove([100_002])
    t.match(await store.outbox.owed(), { count: 24_998 + 11, dropped: 0 })
  })

  t.test(`progress in ${kind} replaces what it has, and leaves the rest`, async (t) => {
    const { store, again } = await make(t)
    await all(store)
    const lastCheck = { at: noon, result: 'OK', duration: 1 } as const
    const recent = new Uint8Array([9])
    const health = { state: 'UNKNOWN', before: 'UNKNOWN', failures: 0, successes: 1 } as const
    await store.write([{ kind: 'put', app: stored('a') }, { kind: 'progress', name: 'a', health, lastCheck, recent }, { kind: 'progress', name: 'nobody', health }])
    t.same((await again()).apps, [stored('a', { health, lastCheck, recent })])
    const further = { ...health, successes: 2 }
    await store.write([{ kind: 'progress', name: 'a', health: further }])
    t.same((await again()).apps, [stored('a', { health: further, lastCheck, recent })])
  })

  t.test(`${kind} keeps the hours of 30 days, and adds to them`, async (t) => {
    const { store } = await make(t)
    await all(store)
    await store.write([{ kind: 'put', app: stored('a') }, { kind: 'put', app: stored('b') }])
    await store.write([hourOf('a', noon), hourOf('a', noon + hour), hourOf('b', noon), hourOf('nobody', noon), { kind: 'hour', hour: { name: 'a', at: noon, checks: 4, failures: 1, meanDuration: 6.5, maxDuration: 9 } }])
    t.same(await store.hours('a', 0), [
      { at: noon, checks: 14, failures: 2, meanDuration: 3.5, maxDuration: 9 },
      { at: noon + hour, checks: 10, failures: 1, meanDuration: 2.5, maxDuration: 7 }
    ])
    await store.write([1, 2].map(() => ({ kind: 'hour', hour: { name: 'b', at: noon + hour, checks: 3, failures: 3, meanDuration: 0, maxDuration: 0 } } as const)))
    t.same((await store.hours('b', noon + 1)), [{ at: noon + hour, checks: 6, failures: 6, meanDuration: 0, maxDuration: 0 }])
    t.same((await store.hours('a', noon + 1)).map(({ at }) => at), [noon + hour])
    await store.write([hourOf('a', noon + 30 * 24 * hour + hour)])
    t.same((await store.hours('a', 0)).map(({ at }) => at), [noon + hour, noon + 30 * 24 * hour + hour])
    t.equal((await store.hours('b', 0)).length, 2)
    t.same(await store.hours('nobody', 0), [])
  })
}

t.test('what is dropped is counted through, and no receiver loses all that is left to tell', (t) => {
  const entry = (id: number, receiver: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({ id, receiver, notice: transition(id, 'x', { at: noon + id }), attempts: 0, notBefore: 0, ...more })
  const before = { kind: 'dropped', id: 3, count: 5, since: noon - 9, at: noon + 3 } as const
  const entries = [entry(1, 'b'), entry(4, 'a', { notice: before }), entry(5, 'a', { mail: 'm' }), entry(6, 'a'), entry(7, 'a', { mail: 'm' }), entry(8, 'a', { mail: 'n' }), entry(9, 'a')]
  t.same(cutsOf(entries, 100), [])
  t.same(cutsOf(entries, 12), [], 'just as many as may be')
  t.same(cutsOf(entries, 10), [{ receiver: 'a', ids: [4, 5, 7], notice: { kind: 'dropped', id: 7, count: 7, since: noon - 9, at: noon + 7 } }])
  t.same(cutsOf(entries, 8).map(({ ids }) => ids), [[4, 5, 6, 7]])
  t.same(cutsOf(entries, 1).map(({ receiver, ids }) => [receiver, ids]), [['a', [4, 5, 6, 7, 8, 9]]], 'of one that is alone there is nothing to make')
  t.end()
})

t.test('many apps come in batches, in one list', async (t) => {
  const { store } = await inFile(t)
  await all(store)
  await store.write(Array.from({ length: 2_345 }, (_item, index) => ({ kind: 'put', app: stored(`app ${index}`) } as const)))
  await store.close()
  const sizes: number[] = []
  await store.open((apps) => sizes.push(apps.length))
  t.same(sizes, [1000, 1000, 345])
})

t.test('a second healthchecker on the same file is refused, until the first has let go', async (t) => {
  const path = join(t.testdir(), 'fleet.db')
  const first = sqliteFleetStore(path)
  const second = sqliteFleetStore(path)
  t.teardown(async () => await Promise.all([first.close(), second.close()]))
  await all(first)
  await t.rejects(all(second), { code: 'ERR_STORE_LOCKED', message: /in use/ })
  await t.rejects(all(inThisThread(path)), { code: 'ERR_STORE_LOCKED' })
  await first.write([{ kind: 'put', app: stored('a') }])
  await first.close()
  t.equal((await all(second)).apps.length, 1)
})

t.test('one that was refused does not give up the lock of the one before, who has the same process', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'fleet.db')
  const [first, second, third] = [path, join(folder, 'link.db'), path].map(sqliteFleetStore)
  t.teardown(async () => await Promise.all([first, second, third].map(async (store) => await store.close())))
  await all(first)
  symlinkSync(path, join(folder, 'link.db'))
  await t.rejects(all(second), { code: 'ERR_STORE_LOCKED', message: /this process has it already/ })
  const program = 'try { new (require("libsql"))(process.argv[1]).exec("BEGIN EXCLUSIVE") } catch ({ code }) { console.log(code) }'
  const other = (): string => spawnSync(process.execPath, ['-e', program, path], { encoding: 'utf8' }).stdout
  t.equal(other(), 'SQLITE_BUSY\n')
  await first.close()
  t.equal(other(), '')
  await all(third)
})

t.test('nobody else may read what is in a file that it made', async (t) => {
  const path = join(t.testdir(), 'fleet.db')
  const store = inThisThread(path)
  await all(store)
  await store.write([{ kind: 'put', app: stored('a') }])
  t.same([path, `${path}-wal`].map((name) => statSync(name).mode & 0o777), [0o600, 0o600])
  chmodSync(path, 0o640)
  await store.close()
  const again = inThisThread(path)
  await all(again)
  await again.close()
  t.equal(statSync(path).mode & 0o777, 0o640, 'what somebody set stays')
})

t.test('a file of a newer version, and one that is no store, is refused and not touched', async (t) => {
  const path = join(t.testdir({ text: 'x'.repeat(5_000), short: 'SQLite format 3\0' }), 'fleet.db')
  const store = inThisThread(path)
  await all(store)
  await store.write([{ kind: 'put', app: stored('a') }])
  // As a process leaves it that was killed: with a log that SQLite would work off.
  copyFileSync(path, `${path}.newer`)
  copyFileSync(`${path}-wal`, `${path}.newer-wal`)
  await store.close()

  const newer = readFileSync(`${path}.newer`)
  newer.writeInt32BE(2, 60)
  writeFileSync(`${path}.newer`, newer)
  const foreign = new Database(`${path}.foreign`)
  foreign.exec('CREATE TABLE t (x)')
  foreign.close()

  const cases = [[`${path}.newer`, 'ERR_STORE_NEWER'], [`${path}.foreign`, 'ERR_STORE_CORRUPT'], [join(path, '../text'), 'ERR_STORE_CORRUPT'], [join(path, '../short'), 'ERR_STORE_CORRUPT']] as const
  for (const [file, code] of cases) {
    const before = [file, `${file}-wal`].map((name) => existsSync(name) ? readFileSync(name) : undefined)
    await t.rejects(all(inThisThread(file)), { code }, file)
    const after = [file, `${file}-wal`].map((name) => existsSync(name) ? readFileSync(name) : undefined)
    t.same(after, before, 'untouched')
  }
})

t.test('what a process left half made is made anew', async (t) => {
  const folder = t.testdir({ empty: '' })
  for (const name of ['empty', 'absent']) {
    const store = inThisThread(join(folder, name))
    t.same(await all(store), { id: 0, suspected: false, apps: [] })
    await store.write([{ kind: 'put', app: stored('a') }])
    await store.close()
  }
  // A journal of another database in the old mode: SQLite undoes what it can, and only then it is known whose it is.
  const foreign = new Database(join(folder, 'foreign'))
  foreign.exec('CREATE TABLE t (x)')
  foreign.close()
  writeFileSync(join(folder, 'foreign-journal'), 'x')
  await t.rejects(all(inThisThread(join(folder, 'foreign'))), { code: 'ERR_STORE_CORRUPT' })
})

t.test('a file that is damaged inside, or in no folder, says so', async (t) => {
  const path = join(t.testdir(), 'fleet.db')
  const store = inThisThread(path)
  await all(store)
  await store.write(Array.from({ length: 500 }, (_item, index) => ({ kind: 'put', app: stored(`app ${index}`) } as const)))
  await store.close()
  truncateSync(path, 20_000)
  appendFileSync(path, Buffer.alloc(60_000, 0xff))
  await t.rejects(all(inThisThread(path)), { code: 'ERR_STORE_CORRUPT' })
  await t.rejects(all(inThisThread(join(path, '../no/folder.db'))), { code: 'ERR_STORE_FAILED', reason: 'STORE_FAILED' })
})

t.test('all of a write or nothing, also where it fails in the middle', async (t) => {
  const { store, again } = await inFile(t)
  await all(store)
  const broken = { kind: 'put', app: { ...stored('b'), registeredAt: null } } as never
  await t.rejects(store.write([{ kind: 'put', app: stored('a') }, broken]), { code: 'ERR_STORE_FAILED', reason: 'STORE_FAILED', statusCode: 503 })
  await store.write([{ kind: 'put', app: stored('c') }])
  t.same((await again()).apps.map(({ registration }) => registration.name), ['c'])
})

t.test('a full disk is told apart, and what comes afterwards is stored', (t) => {
  const file = new SqliteFile(Limited, join(t.testdir(), 'fleet.db'))
  const big = (name: string): StoredApp => stored(name, { recent: new Uint8Array(200_000) })
  file.write([{ kind: 'put', app: stored('a') }])
  t.throws(() => file.write([{ kind: 'put', app: stored('b') }, { kind: 'put', app: big('c') }]), { code: 'SQLITE_FULL' })
  file.write([{ kind: 'put', app: stored('d') }])
  t.same(file.apps('').map(({ registration }) => registration.name), ['a', 'd'])
  file.close()
  t.end()
})

t.test('a file that cannot be written is read, its log included, and left as it is', async (t) => {
  const path = join(t.testdir({ tmp: {} }), 'fleet.db')
  const { TMPDIR } = process.env
  process.env.TMPDIR = join(path, '../tmp')
  t.teardown(() => { if (TMPDIR === undefined) delete process.env.TMPDIR; else process.env.TMPDIR = TMPDIR })
  const file = new SqliteFile(Database, path)
  file.write([{ kind: 'put', app: stored('a') }])
  t.ok(existsSync(`${path}-wal`))
  const before = readFileSync(path)
  for (const log of [true, false]) {
    const reads = new SqliteFile(Database, path, () => false)
    t.same(reads.apps('').map(({ registration }) => registration.name), ['a'])
    t.throws(() => reads.write([{ kind: 'put', app: stored('b') }]), { code: 'SQLITE_READONLY' })
    t.throws(() => reads.remove([1]), { code: 'SQLITE_READONLY' })
    reads.close()
    if (log) {
      t.same(readFileSync(path), before)
      file.close()
    }
  }
  t.same(readdirSync(tmpdir()), [], 'the copy is gone')
})

t.test('a file that was read-only is written as soon as it can be, and has all that it had, unless somebody else had it meanwhile', (t) => {
  const path = join(t.testdir({ tmp: {} }), 'fleet.db')
  const { TMPDIR } = process.env
  process.env.TMPDIR = join(path, '../tmp')
  t.teardown(() => { if (TMPDIR === undefined) delete process.env.TMPDIR; else process.env.TMPDIR = TMPDIR })
  const names = (file: SqliteFile): string[] => file.apps('').map(({ registration }) => registration.name)
  const put = (name: string) => [{ kind: 'put', app: stored(name) }] as const
  const first = new SqliteFile(Database, path)
  first.write(put('a'))
  // As a process leaves it that was killed: what it stored is in the log.
  for (const part of ['', '-wal']) copyFileSync(path + part, `${path}.killed${part}`)
  first.close()

  let writable = false
  const file = new SqliteFile(Database, `${path}.killed`, () => writable)
  t.same(names(file), ['a'])
  t.throws(() => file.write(put('b')), { code: 'SQLITE_READONLY' })
  writable = true
  file.write(put('c'))
  t.same(names(file), ['a', 'c'])
  t.same(readdirSync(tmpdir()), [], 'the copy is gone')
  t.throws(() => new SqliteFile(Database, `${path}.killed`), { code: 'ERR_STORE_LOCKED' }, 'it has the lock of the file itself')
  file.close()
  const again = new SqliteFile(Database, `${path}.killed`)
  t.same(names(again), ['a', 'c'])
  again.close()

  writable = false
  const other = new SqliteFile(Database, path)
  const late = new SqliteFile(Database, path, () => writable)
  writable = true
  t.throws(() => late.write(put('d')), { code: 'SQLITE_READONLY_CHANGED' }, 'the other has the lock')
  other.write(put('of the other'))
  other.close()
  t.throws(() => late.write(put('d')), { code: 'SQLITE_READONLY_CHANGED' })
  t.same(names(late), ['a'], 'it goes on with what it has')
  late.close()
  t.same(readdirSync(tmpdir()), [])
  const last = new SqliteFile(Database, path)
  t.same(names(last), ['a', 'of the other'])
  last.close()

  // What cannot be opened for another reason says that, and is tried again.
  copyFileSync(`${path}.killed`, path)
  let broken = false
  class Breaking extends Database {
    constructor (path: string) {
      super(path)
      if (broken) throw Object.assign(new Error('no'), { code: 'SQLITE_IOERR' })
    }
  }
  writable = false
  broken = true
  t.throws(() => new SqliteFile(Breaking, path, () => writable), { code: 'SQLITE_IOERR' })
  t.same(readdirSync(tmpdir()), [], 'no copy is left of what cannot be read')
  broken = false
  const retried = new SqliteFile(Breaking, path, () => writable)
  writable = true
  broken = true
  t.throws(() => retried.write(put('e')), { code: 'SQLITE_IOERR' })
  broken = false
  retried.write(put('e'))
  t.same(names(retried), ['a', 'c', 'e'])
  retried.close()
  t.notOk(isWritable(join(path, '../absent')))
  t.end()
})

/** A disk of 30 pages. */
class Limited extends Database {
  constructor (path: string) {
    super(path)
    this.exec('PRAGMA max_page_count = 30')
  }
}

t.test('a thread that ends, or breaks, lets nobody wait', async (t) => {
  for (const [event, value] of [['error', new Error('out of memory')], ['exit', 1]] as const) {
    const thread = Object.assign(new EventEmitter(), { postMessage: () => {}, ref: () => {}, unref: () => {}, terminate: () => {} })
    const store = new SqliteFleetStore('x', () => thread as unknown as Worker)
    const opening = all(store)
    thread.emit(event, value)
    await t.rejects(opening, { code: 'ERR_STORE_FAILED', statusCode: 503 })
    await t.rejects(store.write([]), { code: 'ERR_STORE_FAILED' })
  }
})

t.test('a store whose thread ended says that only a restart helps, and lets go of the file', async (t) => {
  const path = join(t.testdir(), 'fleet.db')
  let thread: Worker | undefined
  const store = new SqliteFleetStore(path, () => (thread = startWorker()))
  await all(store)
  await store.write([{ kind: 'put', app: stored('a') }])
  // While it does nothing: the driver ends the whole process where it is ended in the middle of a statement.
  await thread?.terminate()
  await t.rejects(store.write([{ kind: 'put', app: stored('b') }]), { code: 'ERR_STORE_FAILED', reason: 'STORE_FAILED', message: /: its thread has ended, and nothing can be stored: restart the healthchecker$/ })
  await store.close()
  const other = sqliteFleetStore(path)
  t.match(await all(other), { apps: [{ registration: { name: 'a' } }] })
  await t.rejects(all(store), { code: 'ERR_STORE_LOCKED' })
  await other.close()
  t.match(await all(store), { apps: [{ registration: { name: 'a' } }] }, 'begun again, it works like every other')
  await store.close()
})

t.test('without its package a store says what to install', async (t) => {
  const thread = Object.assign(new EventEmitter(), { postMessage: ({ id }: Question) => thread.emit('message', { id, error: { code: 'ERR_MODULE_NOT_FOUND', message: 'x' } }), ref: () => {}, unref: () => {}, terminate: () => {} })
  await t.rejects(all(new SqliteFleetStore('x', () => thread as unknown as Worker)), { code: 'ERR_PACKAGE_MISSING', message: /npm install libsql/ })
})

t.test('why a store cannot be written is said in words', async (t) => {
  for (const [code, reason, message] of [
    ['SQLITE_FULL', 'STORE_FULL', /: the disk is full$/],
    ['SQLITE_READONLY_DIRECTORY', 'STORE_READ_ONLY', /: the file cannot be written$/],
    ['SQLITE_READONLY_CHANGED', 'STORE_READ_ONLY', /: it was read-only at the start, and somebody else may have changed it since: restart the healthchecker$/],
    ['SQLITE_IOERR', 'STORE_FAILED', /: it could not be written or read$/]
  ] as const) {
    const thread = Object.assign(new EventEmitter(), { postMessage: ({ id }: Question) => thread.emit('message', { id, error: { code, message: 'x' } }), ref: () => {}, unref: () => {}, terminate: () => {} })
    await t.rejects(all(new SqliteFleetStore('x', () => thread as unknown as Worker)), { code: 'ERR_STORE_FAILED', reason, message, statusCode: 503 })
  }
})

t.test('a path that is none is refused', async (t) => {
  for (const path of ['', ':memory:', 'file:x?mode=memory', 'http://example.org', 'libsql://x', 'a\0b', 5 as never, undefined as never]) {
    t.throws(() => sqliteFleetStore(path), { code: 'ERR_INVALID_OPTION' }, String(path))
  }
})

t.test('a store that is not open, or closed, rejects and hangs nobody', async (t) => {
  const store = sqliteFleetStore(join(t.testdir(), 'fleet.db'))
  await t.rejects(store.write([]), { code: 'ERR_STORE_FAILED' })
  await store.close()
  await all(store)
  const late = [store.write([]), store.close(), store.write([])]
  t.same((await Promise.allSettled(late)).map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected'])
  await t.rejects(store.outbox.owed(), { code: 'ERR_STORE_FAILED' })
})

t.test('the thread answers every question, also where it has nothing to answer from', async (t) => {
  const port = new Port()
  serve(port as unknown as MessagePort, async () => { throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }) })
  t.match(await port.ask('open', 'x'), { error: { code: 'ERR_MODULE_NOT_FOUND' } })
  t.match(await port.ask('owed'), { error: { code: 'undefined', message: 'the store is not open' } })
  await port.ask('close')
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(port.closed)

  const other = new Port()
  serve(other as unknown as MessagePort)
  const path = join(t.testdir(), 'fleet.db')
  t.match(await other.ask('open', path), { value: undefined })
  t.match(await other.ask('lastNotice'), { value: { id: 0, suspected: false } })
  t.match(await other.ask('write', [{ kind: 'put', app: stored('a') }]), { value: undefined })
  await other.ask('close')
  rmSync(path)
  t.doesNotThrow(() => serve(null))
})
