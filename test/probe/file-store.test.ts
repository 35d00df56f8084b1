import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { fileStore } from '../../lib/index.js'
import { everybody, logLines, statusApp, until, type LogLine, type StatusApp } from '../support/app.js'

const off: Decommission = { body: 'OFF', since: 1_000, until: 4_102_444_800_000, reason: 'new disk', by: 'alice' }

interface Follower {
  readonly store: DecommissionStore
  readonly heard: Array<Decommission | undefined>
  readonly failures: Array<{ code?: string }>
}

/** A store that is closed with its test, with what it says. */
function follower (t: Test, path: string): Follower {
  const heard: Follower['heard'] = []
  const failures: Follower['failures'] = []
  const store = fileStore(path)
  t.teardown(async () => await store.close())
  return { store: { ...store, open: async () => await store.open((one) => heard.push(one), (error) => failures.push(error as NodeJS.ErrnoException)) }, heard, failures }
}

async function appOn (t: Test, path: string): Promise<StatusApp & { lines: LogLine[] }> {
  const { lines, stream } = logLines()
  return { ...await statusApp(t, { probeStatus: { auth: everybody, store: fileStore(path) } }, { logger: { level: 'info', stream } }), lines }
}

t.test('without the file the instance is in service', async (t) => {
  const { store } = follower(t, join(t.testdir(), 'decommission.json'))
  t.equal(await store.open(() => {}), undefined)
  await store.write(undefined)
  t.pass('and to put it back in service once more is no error')
})

t.test('what was written is there after a restart, with everything that belongs to it', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'decommission.json')
  const { store, heard } = follower(t, path)
  await store.open(() => {})
  await store.write(off)
  t.strictSame(await follower(t, path).store.open(() => {}), off)
  t.strictSame(JSON.parse(await readFile(path, 'utf8')), off, 'as JSON that people can read')
  await store.write(undefined)
  t.equal(await follower(t, path).store.open(() => {}), undefined)
  t.strictSame(await readdir(folder), [], 'nothing is left over')
  t.strictSame(heard, [], 'whoever writes is not told of it')
})

t.test('a change is seen by everybody who has the same file, well within a second', async (t) => {
  const path = join(t.testdir(), 'decommission.json')
  const [writer, ...readers] = Array.from({ length: 4 }, () => follower(t, path))
  for (const { store } of [writer, ...readers]) await store.open(() => {})
  for (const [index, change] of [off, { ...off, body: 'OTHER' }, undefined].entries()) {
    const begun = performance.now()
    await writer.store.write(change)
    await until(() => readers.every(({ heard }) => heard.length > index), 'all have heard of it')
    t.comment(`${Math.round(performance.now() - begun)} ms`)
    for (const { heard } of readers) t.strictSame(heard[index], change)
  }
  t.strictSame(writer.heard, [])
})

for (const [what, content] of [
  ['nothing', ''],
  ['half a decommission', '{"body":"OFF","sin'],
  ['another JSON', '{"version":2}'],
  ['a text', 'OFF'],
  ['an array', '[]'],
  ['a body that says OK', '{"body":"ok","since":1}'],
  ['a body that no probe can answer', '{"body":"a\\u0000b","since":1}'],
  ['a moment that is none', '{"body":"OFF","since":"now"}'],
  ['a moment beyond all dates', '{"body":"OFF","since":8640000000000001}'],
  ['an end that is none', '{"body":"OFF","since":1,"until":"later"}'],
  ['a reason that is none', '{"body":"OFF","since":1,"reason":{}}'],
  ['more than any decommission', `{"body":"OFF","since":1,"more":"${'x'.repeat(20_000)}"}`]
]) {
  t.test(`a file with ${what} leaves what was last known, and is reported until it is right again`, async (t) => {
    const path = join(t.testdir(), 'decommission.json')
    const { store, heard, failures } = follower(t, path)
    await store.open(() => {})
    await store.write(off)
    await writeFile(path, content)
    await until(() => failures.length > 0, 'it is reported')
    t.match(failures[0], { code: 'ERR_STORE_CORRUPT' })
    t.strictSame(heard, [])
    await t.rejects(follower(t, path).store.open(() => {}), { code: 'ERR_STORE_CORRUPT' }, 'who comes now knows nothing')
    await writeFile(`${path}.mine`, JSON.stringify(off))
    await rename(`${path}.mine`, path)
    await until(() => heard.length > 0, 'it is right again')
    t.strictSame(heard, [off], 'which is told although it is what it was')
  })
}

t.test('a FIFO in its place is a failure, and holds up nobody', { timeout: 20_000 }, async (t) => {
  const path = join(t.testdir(), 'decommission.json')
  execFileSync('mkfifo', [path])
  const { store, failures } = follower(t, path)
  await t.rejects(store.open(() => {}), { code: 'ESPIPE' })
  await until(() => failures.length > 0, 'it looks again')
  await t.rejects(store.write(off), { code: 'ESPIPE' })
})

t.test('null is in service, and what a later version adds is left out', async (t) => {
  const path = join(t.testdir({ 'decommission.json': 'null' }), 'decommission.json')
  t.equal(await follower(t, path).store.open(() => {}), undefined)
  await writeFile(path, '{"body":"OFF","since":1,"colour":"red"}')
  t.strictSame(await follower(t, path).store.open(() => {}), { body: 'OFF', since: 1 })
})

t.test('what is there instead is shown in no error', async (t) => {
  const path = join(t.testdir({ secrets: 'password=s3cret' }), 'secrets')
  const error = await follower(t, path).store.open(() => {}).catch((error: Error) => error) as Error
  t.match(error, { code: 'ERR_STORE_CORRUPT' })
  t.notMatch(inspect(error), /s3cret/)
})

t.test('an instance with a file that goes bad stays as it is, shows it, logs it once and recovers', async (t) => {
  const path = join(t.testdir(), 'decommission.json')
  const { app, registry, lines } = await appOn(t, path)
  t.match(await registry.getStatus('decommission_store'), { state: 'OK', detail: `the file ${path}` })
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 200)
  await rm(path)
  await mkdir(path)
  await until(async () => (await registry.getStatus('decommission_store')).state === 'RED', 'it is RED')
  t.match(await registry.getStatus('decommission_store'), { detail: /cannot be read; what was last known stands \(Error EISDIR\)$/ })
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  t.equal((await app.inject({ method: 'POST', url: '/probe_status' })).statusCode, 503, 'what cannot be stored is not acknowledged')
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  const complaints = () => lines.filter(({ msg }) => /cannot be read/.test(msg))
  t.match(complaints(), [{ level: 50, store: `the file ${path}`, err: { code: 'EISDIR' } }])
  await rm(path, { recursive: true })
  await until(async () => (await app.inject('/probe_status')).statusCode === 200, 'it is in service: there is no file')
  t.match(await registry.getStatus('decommission_store'), { state: 'OK' })
  t.ok(lines.some(({ level, msg }) => level === 30 && /can be read again/.test(msg)))
  t.equal(complaints().length, 1, 'logged once')
})

t.test('a folder that is not there is a failure, not an instance in service: its disk may not be mounted', async (t) => {
  const folder = join(t.testdir(), 'data')
  const path = join(folder, 'decommission.json')
  const { app, registry } = await appOn(t, path)
  t.match(await registry.getStatus('decommission_store'), { state: 'RED', detail: /this instance is in service whatever is stored there \(Error ENOENT\)/ })
  await mkdir(folder)
  await writeFile(path, JSON.stringify(off))
  await until(async () => (await app.inject('/probe_status')).body === 'OFF', 'what is found later holds')
  await rename(folder, `${folder}.away`)
  await until(async () => (await registry.getStatus('decommission_store')).state === 'RED', 'it is RED')
  t.equal((await app.inject('/probe_status')).body, 'OFF', 'what was last known stands')
})

t.test('of two that write at once one wins, and both end up with it', async (t) => {
  const path = join(t.testdir(), 'decommission.json')
  const { app: one } = await appOn(t, path)
  const { app: two } = await appOn(t, path)
  for (let round = 0; round < 20; round++) {
    await Promise.all([one.svcStatus.decommission(`one ${round}`), round % 3 === 0 ? two.svcStatus.recommission() : two.svcStatus.decommission(`two ${round}`)])
    const stored = await follower(t, path).store.open(() => {})
    t.ok([`one ${round}`, `two ${round}`, undefined].includes(stored?.body), `${stored?.body}`)
    await until(() => [one, two].every(({ svcStatus }) => svcStatus.decommissioned?.body === stored?.body), 'both have it')
  }
})

t.test('a store that is closed looks no more', async (t) => {
  const path = join(t.testdir(), 'decommission.json')
  const { store, heard } = follower(t, path)
  await store.open(() => {})
  await store.close()
  await writeFile(path, JSON.stringify(off))
  const { store: other, heard: seen } = follower(t, path)
  await other.open(() => {})
  await rm(path)
  await until(() => seen.length > 0, 'another one has looked meanwhile')
  t.strictSame(heard, [])
  const { store: early } = follower(t, path)
  const opened = early.open(() => {})
  await early.close()
  t.equal(await opened, undefined, 'also one that is closed during its first look')
})

for (const path of [undefined, '', 5, 'a\0b']) {
  t.test(`a path of ${JSON.stringify(path)} is refused`, async (t) => {
    t.throws(() => fileStore(path as string), { code: 'ERR_INVALID_OPTION', message: /fileStore\(\) must be the path of a file/ })
  })
}
