import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { headersOf, basic } from '../auth/support/basic.js'
import { hashes, password } from '../auth/support/htpasswd-lines.js'
import { until } from '../system/support/until.js'
import { Sample } from './support/sample.js'

const OK = '200 OK'
const FAIL = '503 FAIL'
const minute = 60_000
const stopped = { code: 0, signal: null, stderr: '' }

const times = (count: number, answer: string): string[] => Array.from({ length: count }, () => answer)

t.setTimeout(60_000)
t.jobs = 3

t.test('example 1 is OK while the backend takes connections, and FAIL while it does not', async (t) => {
  const sample = await Sample.start(t, 'example-1')
  t.same(await sample.answers(2), [OK, OK])
  await sample.backend.goAway()
  t.same(await sample.answers(2), [FAIL, FAIL])
  await sample.backend.comeBack()
  t.same(await sample.answers(2), [OK, OK])
  t.same(await sample.stop(), stopped)
})

t.test('example 1 has an address for each thing that one can ask', async (t) => {
  const sample = await Sample.start(t, 'example-1')
  t.same(await sample.answers(1, { method: 'HEAD' }), ['200 '])
  t.equal((await sample.post()).status, 405)
  t.equal((await fetch(`${sample.address}s`)).status, 404)
  t.equal(await (await fetch(new URL('/svc_status.csv', sample.address))).text(), 'service\tOK\n')
})

t.test('example 2 needs 5 good answers in a row for OK and 20 bad ones in a row for FAIL', async (t) => {
  const sample = await Sample.start(t, 'example-2')
  t.same(await sample.answers(4), times(4, FAIL), 'it begins with FAIL')
  await sample.backend.goAway()
  t.same(await sample.answers(1), [FAIL], 'a bad answer ends the run of good ones')
  await sample.backend.comeBack()
  t.same(await sample.answers(7), [...times(4, FAIL), ...times(3, OK)])

  await sample.backend.goAway()
  t.same(await sample.answers(19), times(19, OK))
  await sample.backend.comeBack()
  t.same(await sample.answers(1), [OK], 'a good answer ends the run of bad ones')
  await sample.backend.goAway()
  t.same(await sample.answers(22), [...times(19, OK), ...times(3, FAIL)])

  await sample.backend.comeBack()
  t.same(await sample.answers(5), [...times(4, FAIL), OK])
  t.same(await sample.stop(), stopped)
})

t.test('example 3 needs a minute of good answers for OK and two minutes of bad ones for FAIL', async (t) => {
  const sample = await Sample.start(t, 'example-3')
  const answersAfter = async (milliseconds: number): Promise<string> => {
    await sample.pass(milliseconds)
    return (await sample.answers(1))[0]
  }
  t.same(await sample.answers(30), times(30, FAIL), 'it begins with FAIL, and their number does not count')
  t.equal(await answersAfter(minute - 1), FAIL)
  await sample.backend.goAway()
  t.same(await sample.answers(1), [FAIL], 'a bad answer ends the run of good ones')
  await sample.backend.comeBack()
  t.equal(await answersAfter(1), FAIL, 'which begins anew')
  t.equal(await answersAfter(minute - 1), FAIL)
  t.equal(await answersAfter(1), OK)

  await sample.backend.goAway()
  t.same(await sample.answers(30), times(30, OK))
  t.equal(await answersAfter(2 * minute - 1), OK)
  await sample.backend.comeBack()
  t.same(await sample.answers(1), [OK], 'a good answer ends the run of bad ones')
  await sample.backend.goAway()
  t.equal(await answersAfter(1), OK, 'which begins anew')
  t.equal(await answersAfter(minute), OK)
  t.equal(await answersAfter(minute - 1), OK)
  t.equal(await answersAfter(1), FAIL)

  await sample.backend.comeBack()
  t.same(await sample.answers(1), [FAIL])
  t.equal(await answersAfter(minute), OK)
  t.same(await sample.stop(), stopped)
})

t.test('example 4 asks every 3 minutes however often it is asked, and 2 answers in a row count', async (t) => {
  const sample = await Sample.start(t, 'example-4')
  const { backend } = sample
  const run = async (): Promise<void> => {
    await sample.pass(1)
    await sample.waitsFor(3 * minute)
  }
  /** What it answers from now on until just before the next run. */
  const answersUntilNextRun = async (): Promise<string[]> => {
    const first = await sample.answers(20)
    await sample.pass(3 * minute - 1)
    return [...new Set([...first, ...await sample.answers(20)])]
  }
  await sample.waitsFor(3 * minute)
  t.same(await answersUntilNextRun(), [FAIL], 'one good answer')
  t.equal(backend.connections, 1)
  await run()
  t.same(await answersUntilNextRun(), [OK], 'two of them')
  t.equal(backend.connections, 2)

  await backend.goAway()
  t.same(await sample.answers(20), times(20, OK), 'nobody has looked yet')
  await run()
  t.same(await answersUntilNextRun(), [OK], 'one bad answer')
  await backend.comeBack()
  await run()
  t.same(await answersUntilNextRun(), [OK], 'a good one, which ends the run')
  await backend.goAway()
  await run()
  t.same(await answersUntilNextRun(), [OK], 'one bad answer')
  await run()
  t.same(await answersUntilNextRun(), [FAIL], 'two of them')

  await backend.comeBack()
  await run()
  t.same(await answersUntilNextRun(), [FAIL], 'one good answer')
  await run()
  t.same(await answersUntilNextRun(), [OK], 'two of them')
  await until('it has had the connections of its five runs', () => backend.connections === 5)
  t.same(await sample.stop(), stopped)
})

t.test('example 5 needs 10 bad answers in a row for FAIL, and an operator with a password to be OK again', async (t) => {
  const passwords = join(t.testdir(), 'htpasswd')
  await writeFile(passwords, `operator:${hashes['bcrypt 4']}\n`)
  const sample = await Sample.start(t, 'example-5', passwords)
  const { backend } = sample
  t.same(await sample.answers(2), [OK, OK])
  await backend.goAway()
  t.same(await sample.answers(9), times(9, OK))
  await backend.comeBack()
  t.same(await sample.answers(1), [OK], 'a good answer ends the run')
  await backend.goAway()
  t.same(await sample.answers(12), [...times(9, OK), ...times(3, FAIL)])
  await backend.comeBack()
  const connections = backend.connections
  t.same(await sample.answers(30), times(30, FAIL), 'that the backend is back does not help')
  t.equal(backend.connections, connections, 'nobody looks any more')

  for (const [who, headers] of Object.entries<{ authorization?: string }>({
    'nobody in particular': {},
    'an operator with another password': headersOf(basic('operator', 'wrong horse')),
    'somebody who is not in the file': headersOf(basic('nobody', password))
  })) {
    const reply = await sample.post(headers)
    t.equal(reply.status, 401, who)
    t.match(reply.headers.get('www-authenticate'), /^Basic realm=/, who)
    t.same(await sample.answers(2), [FAIL, FAIL], `${who} changes nothing`)
  }

  t.equal((await sample.post(headersOf(basic('operator', password)))).status, 200)
  t.same(await sample.answers(30), times(30, OK))

  await backend.goAway()
  t.same(await sample.answers(10), [...times(9, OK), FAIL], 'all of it once more')
  t.equal((await sample.post(headersOf(basic('operator', password)))).status, 200)
  t.same(await sample.answers(3), [OK, FAIL, FAIL], 'OK is not for long while the backend is away')
  await backend.comeBack()
  t.equal((await sample.post(headersOf(basic('operator', password)))).status, 200)
  t.same(await sample.answers(3), [OK, OK, OK])
  t.same(await sample.stop(), stopped)
})

t.test('example 5 lets nobody in, and says so in its log, where there is no file', async (t) => {
  const sample = await Sample.start(t, 'example-5', join(t.testdir(), 'missing'))
  await sample.backend.goAway()
  t.same(await sample.answers(10), [...times(9, OK), FAIL])
  t.equal((await sample.post(headersOf(basic('operator', password)))).status, 500)
  await sample.backend.comeBack()
  t.same(await sample.answers(2), [FAIL, FAIL])
  t.match((await sample.stop()).stderr, /the htpasswd file cannot be read/)
})
