import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { toHash, type Hash } from '../../lib/auth/htpasswd-hash.js'
import type { Check } from '../../lib/auth/htpasswd-users.js'
import { execArgvOf, Verifier } from '../../lib/auth/htpasswd-verifier.js'
import { hashes, password } from './support/htpasswd-lines.js'
import { until } from './support/until.js'

const long = 60_000
const wanted = (): boolean => true
const check = (password: string): Check => ({ password, own: toHash(hashes.sha1) as Hash, others: [] })

/** A thread of a few lines, in place of the one that verifies. */
function thread (code: string): Worker {
  return new Worker(`const { parentPort } = require('node:worker_threads')\n${code}`, { eval: true, execArgv: [] })
}

const isYes = 'parentPort.on("message", ({ password }) => parentPort.postMessage(password === "yes"))'

/** A thread that is none: a test answers for it. */
class Thread extends EventEmitter {
  asked: string[] = []
  referenced = true
  ended = false
  postMessage ({ password }: Check): void { this.asked.push(password) }
  ref (): void { this.referenced = true }
  unref (): void { this.referenced = false }
  terminate (): void { this.ended = true }
}

const threads = (): { all: Thread[], start: () => Worker } => {
  const all: Thread[] = []
  return { all, start: () => all[all.push(new Thread()) - 1] as unknown as Worker }
}

t.test('verifies in a thread of its own, which it starts for the first and keeps', async (t) => {
  const verifier = new Verifier()
  t.notOk(verifier.running)
  t.equal(await verifier.verify(check(password), long, wanted), true)
  t.ok(verifier.running)
  t.ok(verifier.took > 0)
  t.equal(await verifier.verify(check('wrong'), long, wanted), false)
  t.equal(await verifier.verify({ password, others: [toHash(hashes.sha1) as Hash] }, long, wanted), false)
})

t.test('asks for one verification at a time, in their order', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start)
  const answers = ['a', 'b', 'c'].map((password) => verifier.verify(check(password), long, wanted))
  for (const [index, answer] of [true, false, true].entries()) {
    await setImmediate()
    t.same(all[0].asked, ['a', 'b', 'c'].slice(0, index + 1))
    all[0].emit('message', answer)
    t.equal(await answers[index], answer)
  }
  t.equal(all.length, 1)
})

t.test('keeps the process alive while it verifies, and only then', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start)
  for (let time = 0; time < 2; time++) {
    const answer = verifier.verify(check('a'), long, wanted)
    await setImmediate()
    t.equal(all[0].referenced, true)
    all[0].emit('message', true)
    await answer
    t.equal(all[0].referenced, false)
  }
})

t.test('does not verify for a client that has left', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start)
  t.equal(await verifier.verify(check('a'), long, () => false), false)
  t.equal(all.length, 0)
})

t.test('a thread that hangs is ended after the timeout, and the next verification gets a new one', async (t) => {
  const codes = ['parentPort.on("message", () => { for (;;); })', isYes]
  let started = 0
  let exited = 0
  const verifier = new Verifier(() => thread(codes[started++]).on('exit', () => { exited++ }))
  const answers = [verifier.verify(check('yes'), 200, wanted), verifier.verify(check('yes'), long, wanted)]
  await t.rejects(answers[0], { message: 'the verification took longer than 200 ms' })
  t.equal(await answers[1], true)
  await until('the thread has ended', () => exited === 1)
  t.equal(started, 2)
})

t.test('what a thread says after it was given up is not the answer to the next verification', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start)
  const answers = [verifier.verify(check('a'), 10, wanted), verifier.verify(check('b'), long, wanted)]
  await t.rejects(answers[0], { message: /took longer/ })
  t.ok(all[0].ended)
  await until('there is another thread', () => all.length === 2)
  for (const event of [['message', true], ['error', new Error('x')], ['exit', 1]] as const) all[0].emit(event[0], event[1])
  all[1].emit('message', false)
  t.equal(await answers[1], false)
  t.ok(verifier.running)
})

t.test('what a thread says unasked is ignored', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start)
  const first = verifier.verify(check('a'), long, wanted)
  await setImmediate()
  all[0].emit('message', false)
  all[0].emit('message', true)
  t.equal(await first, false)
  all[0].emit('message', true)
  const second = verifier.verify(check('a'), long, wanted)
  await setImmediate()
  all[0].emit('message', false)
  t.equal(await second, false)
})

for (const [what, code, message, threads] of [
  ['ends', 'parentPort.on("message", () => process.exit(3))', 'the verifying thread ended with code 3', 2],
  ['throws', 'parentPort.on("message", () => { throw new Error("broken") })', 'broken', 2],
  ['cannot be loaded', 'require("no-such-package")', /Cannot find module 'no-such-package'/, 2],
  ['says that it threw', `parentPort.once("message", () => { parentPort.postMessage("TypeError"); ${isYes} })`, 'the verification threw TypeError', 1]
] as const) {
  t.test(`a thread that ${what} is an error, and the next verification works`, async (t) => {
    let started = 0
    const verifier = new Verifier(() => thread(started++ === 0 ? code : isYes))
    await t.rejects(verifier.verify(check('no'), long, wanted), { message })
    t.equal(await verifier.verify(check('yes'), long, wanted), true)
    t.equal(started, threads)
  })
}

t.test('a thread that cannot be started is an error each time', async (t) => {
  let tries = 0
  const verifier = new Verifier(() => { throw new Error(`not permitted ${++tries}`) })
  for (const time of [1, 2]) await t.rejects(verifier.verify(check('a'), long, wanted), { message: `not permitted ${time}` })
  t.notOk(verifier.running)
})

t.test('a thread that dies while it is idle takes nothing with it', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start)
  const first = verifier.verify(check('a'), long, wanted)
  await setImmediate()
  all[0].emit('message', true)
  await first
  all[0].emit('error', new Error('out of memory'))
  all[0].emit('exit', 1)
  t.notOk(verifier.running)
  const second = verifier.verify(check('a'), long, wanted)
  await setImmediate()
  all[1].emit('message', true)
  t.equal(await second, true)
})

t.test('a thread that is idle for a while ends, and not before', async (t) => {
  let exited = 0
  const verifier = new Verifier(() => thread(isYes).on('exit', () => { exited++ }), 150)
  for (let time = 1; time <= 2; time++) {
    for (let turn = 0; turn < 3; turn++) t.equal(await verifier.verify(check('yes'), long, wanted), true)
    t.ok(verifier.running)
    await until('the thread has ended', () => exited === time)
    t.notOk(verifier.running)
  }
})

t.test('a verification that outlasts the idle time is not cut short', async (t) => {
  const { all, start } = threads()
  const verifier = new Verifier(start, 10)
  for (let time = 0; time < 2; time++) {
    const answer = verifier.verify(check('a'), long, wanted)
    await new Promise((resolve) => setTimeout(resolve, time === 0 ? 0 : 50))
    t.notOk(all[0].ended)
    all[0].emit('message', true)
    t.equal(await answer, true)
  }
})

t.test('a thread has the options of its process, but for one that makes Node refuse files', async (t) => {
  t.equal(execArgvOf([]), undefined)
  t.equal(execArgvOf(['--enable-source-maps', '--import', 'x']), undefined)
  t.same(execArgvOf(['--input-type=module', '-e', 'x']), [])
})
