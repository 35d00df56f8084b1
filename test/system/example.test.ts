import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { addressesOf, checkout, paths, trouble } from './support/example.js'
import { temporaryFolder } from './support/folder.js'
import { Program } from './support/programs.js'
import { until } from './support/until.js'

const recordExit = fileURLToPath(new URL('./support/record-exit.cjs', import.meta.url))

t.test('npm start serves all addresses that it prints, and SIGINT to its whole process group, twice, ends it cleanly', async (t) => {
  const exitFile = join(await temporaryFolder(t), 'exit')
  const npm = await Program.start(t, 'npm', ['start'], {
    cwd: checkout,
    detached: true,
    env: { PORT: '0', DRAIN_DELAY: '500', NODE_OPTIONS: `--require ${recordExit}`, EXIT_FILE: exitFile }
  })
  const addresses = await addressesOf(npm, 120_000)
  t.same(addresses.map((address) => new URL(address).pathname), paths)
  for (const address of addresses) t.equal((await fetch(address)).status, 200, address)

  npm.signal('SIGINT')
  npm.signal('SIGINT')
  await npm.end
  t.equal(await readFile(exitFile, 'utf8'), '0\n', 'the exit code of the example itself, which has exited once')
  t.notMatch(npm.stdout, trouble)
  t.notMatch(npm.stderr, trouble)
  t.notOk(npm.signal('SIGTERM'), 'nothing of the group is left')
})

for (const { signals } of [
  { signals: ['SIGINT'] },
  { signals: ['SIGINT', 'SIGINT', 'SIGINT'] },
  { signals: ['SIGTERM'] },
  { signals: ['SIGTERM', 'SIGINT', 'SIGTERM'] }
] as const) {
  t.test(`the example drains and exits with 0 on ${signals.join(', ')}`, async (t) => {
    const example = await startExample(t, { DRAIN_DELAY: '500' })
    const origin = new URL((await addressesOf(example))[0]).origin
    for (const signal of signals) example.signal(signal)

    const draining = await until('the probe says that it drains', async () => {
      const reply = await fetch(`${origin}/probe_status`)
      return reply.status === 503 && reply
    }, { every: 5 })
    t.equal(await draining.text(), 'DRAINING')
    t.equal((await fetch(origin)).status, 200, 'requests are served all the while')
    t.same(await example.end, { code: 0, signal: null })
    t.notMatch(example.stdout + example.stderr, trouble)
  })
}

t.test('signals that come all the while the example drains change nothing', async (t) => {
  const example = await startExample(t, { DRAIN_DELAY: '500' })
  const origin = new URL((await addressesOf(example))[0]).origin
  for (let sent = 0; sent < 20; sent++) {
    example.signal('SIGINT')
    await setTimeout(10)
  }
  t.equal((await fetch(origin)).status, 200)
  t.same(await example.end, { code: 0, signal: null })
  t.equal(example.stderr.match(/draining/g)?.length, 1)
  t.notMatch(example.stdout + example.stderr, trouble)
})

t.test('a signal that comes before the example listens stops it cleanly as well', async (t) => {
  const example = await startExample(t, { DRAIN_DELAY: '0' })
  // Its first words are the log line of the worker, which starts before the server.
  await example.says('anything', ({ stdout, stderr }) => stdout + stderr === '' ? undefined : 'yes')
  const listening = example.stdout !== ''
  example.signal('SIGINT')
  t.same(await example.end, { code: 0, signal: null })
  t.notMatch(example.stdout + example.stderr, trouble)
  t.comment(`it was ${listening ? 'listening already' : 'not listening yet'}`)
})

t.test('the example leaves nothing in the temporary folder', async (t) => {
  const folder = await temporaryFolder(t)
  const example = await startExample(t, { DRAIN_DELAY: '0', TMPDIR: folder })
  await addressesOf(example)
  t.equal((await readdir(folder)).length, 1)
  example.signal('SIGINT')
  await example.end
  t.same(await readdir(folder), [])
})

t.test('the example says in one line that its port is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const example = await startExample(t, { PORT: String((server.address() as AddressInfo).port) })
  t.same(await example.end, { code: 1, signal: null })
  t.match(example.stderr, /EADDRINUSE/)
  t.notMatch(example.stderr, /^\s+at /m)
})

t.test('the example decommissions who has the token, and is YELLOW, never RED, without its upstream', async (t) => {
  const example = await startExample(t, { DRAIN_DELAY: '0', SVC_STATUS_TOKEN: 'secret', UPSTREAM_URL: 'http://127.0.0.1:9' })
  const origin = new URL((await addressesOf(example))[0]).origin
  t.equal((await fetch(`${origin}/probe_status?body=OFF`, { method: 'POST' })).status, 401)
  t.equal((await fetch(`${origin}/probe_status?body=OFF`, { method: 'POST', headers: { authorization: 'Bearer secret' } })).status, 200)
  t.equal((await fetch(`${origin}/probe_status`)).status, 503)

  const health = await fetch(`${origin}/svc_status.health`)
  t.equal(health.status, 200)
  t.match(await health.json(), { status: 'warn', checks: { upstream: [{ status: 'fail' }], database: [{ status: 'pass' }] } })
})

async function startExample (t: Tap, env: NodeJS.ProcessEnv): Promise<Program> {
  return await Program.start(t, process.execPath, ['dist/docs/examples/service.js'], { cwd: checkout, env: { PORT: '0', ...env } })
}

type Tap = Parameters<typeof Program.start>[0]
