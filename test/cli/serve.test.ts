import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { serveWith, type MakeFleet } from '../../lib/cli/commands/serve.js'
import { readRegistration } from '../../lib/healthchecker/registration.js'
import { until } from '../support/app.js'
import { FakeFleet } from '../healthchecker/support/fake-fleet.js'
import { Started, svcStatus, type Ended } from './support/run.js'

interface Serving {
  readonly started: Started
  readonly fleet: FakeFleet
  readonly made: Array<Parameters<MakeFleet>>
  /** Where it says that it listens. */
  address (): Promise<string>
}

/** `svc-status serve` with a fleet in memory. */
function serve (t: Test, args: readonly string[], env: Record<string, string> = {}, fleet = new FakeFleet()): Serving {
  const made: Array<Parameters<MakeFleet>> = []
  const started = new Started(['serve', '--no-announce', ...args], { env: { SVC_STATUS_CONFIG: emptyFile, ...env }, commands: [serveWith((...given) => { made.push(given); return fleet })] })
  t.teardown(async () => {
    started.end('SIGTERM')
    await started.ended
  })
  return {
    started,
    fleet,
    made,
    async address () {
      let address: string | undefined
      await until(() => {
        address = /^http:\S+$/m.exec(started.out)?.[0]
        return address !== undefined || started.err !== ''
      }, 'it listens')
      return address ?? ''
    }
  }
}

async function refused (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return await svcStatus(['serve', ...args], { env: { SVC_STATUS_CONFIG: emptyFile, ...env }, commands: [serveWith(() => new FakeFleet())] })
}

const folder = t.testdir()
let files = 0

function secretFile (text: string, mode = 0o600): string {
  const file = join(folder, `file-${++files}`)
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

/** What is in the working directory of who runs the tests is none of theirs. */
const emptyFile = secretFile('')

t.test('serves until it is told to end, with nothing to configure but a free port', async (t) => {
  const { started, fleet, made, address } = serve(t, ['-p', '0'])
  const url = await address()
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal((await fetch(`${url}/svc_status`)).status, 200)
  t.match(started.out, /\nwatching 0 apps, kept in \.\/healthchecker\.db\n$/)
  t.match(made, [['./healthchecker.db', { allowTargets: undefined, maxApps: 10_000, owe: undefined }]])
  started.end('SIGTERM')
  t.match(await started.ended, { code: 0, err: '' })
  t.equal(fleet.closed, 1)
  await t.rejects(fetch(url))
})

t.test('options come from the command line, the environment and the file', async (t) => {
  const config = secretFile('# home\nallow-targets=10.0.0.0/8\nmax_apps=7\nstore=file.db\n')
  const { started, made, address, fleet } = serve(t, ['--port', '0', '--config', config, '--store', ':memory:'], { SVC_STATUS_MAX_APPS: '8', SVC_STATUS_TOKEN: 'hunter2-hunter2-hunter2' })
  await fleet.register(readRegistration({ name: 'shop', url: 'http://a' }))
  const url = await address()
  t.match(made, [[':memory:', { allowTargets: ['10.0.0.0/8'], maxApps: 8 }]])
  t.match(started.out, /watching 1 app, kept in :memory:/)
  t.equal((await fetch(`${url}/apps/shop`, { method: 'DELETE' })).status, 401)
  t.equal((await fetch(`${url}/apps/shop`, { method: 'DELETE', headers: { authorization: 'Bearer hunter2-hunter2-hunter2' } })).status, 204)
  t.notMatch(started.out + started.err, /hunter2/)
})

t.test('beyond this machine it needs a token, of a file that others cannot read, or --open', async (t) => {
  t.match(await refused(['--bind-addr', '0.0.0.0', '-p', '0']), { code: 64, out: '', err: /svc-status: on "0.0.0.0" everybody who can reach it could change what is watched/ })
  t.match(await refused(['--bind-addr', '0.0.0.0', '-p', '0', '--token-file', secretFile('hunter2', 0o644)]), { code: 64, err: /is open to every user of this machine/ })
  t.match(await refused(['-p', '0', '--token-file', '/nowhere']), { code: 64, err: /ENOENT/ })
  const short = await refused(['-p', '0', '--token-file', secretFile('hunter2\n')])
  t.match(short, { code: 64, err: /"token" must have 16 characters at least/ })
  t.notMatch(short.err, /hunter2/)
  const guarded = serve(t, ['--bind-addr', '0.0.0.0', '-p', '0', '--token-file', secretFile('hunter2-hunter2-hunter2\n')])
  const port = new URL(await guarded.address()).port
  t.match(guarded.started.out, /^http:\S+\non all addresses of this machine.*\nwatching 0 apps/)
  t.equal((await fetch(`http://127.0.0.1:${port}/apps/x`, { method: 'DELETE', headers: { authorization: 'Bearer hunter2-hunter2-hunter2' } })).status, 404)
  const open = serve(t, ['--bind-addr', '0.0.0.0', '-p', '0', '--open'])
  t.equal((await fetch(`http://127.0.0.1:${new URL(await open.address()).port}/apps/x`, { method: 'DELETE' })).status, 404)
})

t.test('a secret as an argument is refused, and not repeated', async (t) => {
  for (const [args, instead] of [
    [['--token', 'hunter2'], /set SVC_STATUS_TOKEN, or name a file that holds it with --token-file FILE/],
    [['--token=hunter2'], /SVC_STATUS_TOKEN/],
    [['--smtp-url', 'smtp://u:hunter2@x'], /set SVC_STATUS_SMTP_URL, or name a file that holds it with --smtp-url-file FILE/],
    [['--gmail-token', 'hunter2'], /set GMAIL_TOKEN\. /]
  ] as const) {
    const { code, err } = await refused(args)
    t.equal(code, 64)
    t.match(err, instead)
    t.notMatch(err, /hunter2/)
  }
})

t.test('what is unknown or invalid is refused by name', async (t) => {
  const bad = secretFile('port=8080\nprot=1\n')
  for (const [args, env, message] of [
    [['--prot', '1'], {}, /unknown option '--prot'/],
    [['extra'], {}, /too many arguments/],
    [['--port', 'x'], {}, /--port must be a whole number from 0 to 65535, not "x"/],
    [['-p', '70000'], {}, /--port must be from 0 to 65535, not 70000/],
    [[], { PORT: 'x' }, /environment variable PORT must be/],
    [[], { DEBUG: 'x' }, /environment variable DEBUG must be true or false/],
    [['--config', bad], {}, /:2: there is no option "prot" for a file/],
    [['--config', '/nowhere/at/all'], {}, /config file \/nowhere\/at\/all cannot be read: ENOENT/],
    [['--allow-targets', '10.0.0.0'], {}, /"allow-targets" must be networks/],
    [['--mail-allow', 'example.org'], {}, /"mailAllow" must be mail addresses, domains/],
    [[], { GMAIL_TOKEN: 'x' }, /"mail-from" is missing/],
    [['--mail-from', 'nobody', '--smtp-url-file', secretFile('smtp://localhost')], {}, /"from" must be one mail address/],
    [['--mail-from', 'a@example.org', '--smtp-url-file', secretFile('http://localhost')], {}, /smtp-url-file/]
  ] as Array<[string[], Record<string, string>, RegExp]>) {
    const { code, out, err } = await refused(args, env)
    t.equal(code, 64, String(message))
    t.match(err, message)
    t.equal(out, '')
  }
})

t.test('a config file that holds a secret is none that every user of this machine can read, as a file of a token is none', async (t) => {
  const args = ['--print-config', '--config']
  t.match(await refused([...args, secretFile('token=hunter2-hunter2-hunter2', 0o604)]), { code: 64, out: '', err: /:1: the option "token" is a secret, and the file is open to every user of this machine\. chmod o= / })
  t.match(await refused([...args, secretFile('token=hunter2-hunter2-hunter2', 0o640)]), { code: 0, out: /^token +\*\*\* +config file/m })
  t.match(await refused([...args, secretFile('port=1', 0o644)]), { code: 0, out: /^port +1 +config file/m })
})

t.test('the usual config file may be missing, or be a folder', async (t) => {
  const cwd = process.cwd()
  const printed = async (): Promise<Ended> => await svcStatus(['serve', '--print-config'], { commands: [serveWith(() => new FakeFleet())] })
  try {
    process.chdir(t.testdir({}))
    t.match(await printed(), { code: 0, out: /^port +8080 +default$/m })
    writeFileSync('config', 'port=9000\n')
    t.match(await printed(), { out: /^port +9000 +config file \(\.\/config:1\)$/m })
    process.chdir(t.testdir({ config: {} }))
    t.match(await printed(), { code: 0, out: /^port +8080 +default$/m })
  } finally {
    process.chdir(cwd)
  }
})

t.test('--print-config shows each value and where it came from, and no secret', async (t) => {
  const { code, out, err } = await refused(['--print-config', '-p', '1234', '--no-announce'], { SVC_STATUS_TOKEN: 'hunter2', BIND_ADDR: '::1' })
  t.equal(code, 0)
  t.equal(err, '')
  t.match(out, /^bind-addr +::1 +environment \(BIND_ADDR\)$/m)
  t.match(out, /^port +1234 +command line \(--port\)$/m)
  t.match(out, /^token +\*\*\* +environment \(SVC_STATUS_TOKEN\)$/m)
  t.match(out, /^announce +false +command line \(--announce\)$/m)
  t.notMatch(out, /hunter2/)
})

t.test('a list may be given in parts', async (t) => {
  const { out } = await refused(['--print-config', '--allow-targets', '10.0.0.0/8,11.0.0.0/8', '--allow-targets', 'fd00::/8', '--mail-allow', '@example.org'])
  t.match(out, /^allow-targets +10\.0\.0\.0\/8,11\.0\.0\.0\/8,fd00::\/8 +command line \(--allow-targets\)$/m)
  t.match(out, /^mail-allow +@example\.org +command line/m)
})

t.test('mail is owed where a mail server is known', async (t) => {
  for (const [args, env] of [
    [['--smtp-url-file', secretFile('smtp://127.0.0.1:1')], {}],
    [[], { SVC_STATUS_SMTP_URL: 'smtps://u:p@mail.example.org' }],
    [[], { GMAIL_TOKEN: 'abcdabcdabcdabcd' }]
  ] as Array<[string[], Record<string, string>]>) {
    const { made, address } = serve(t, ['-p', '0', '--mail-from', 'checker@example.org', '--mail-allow', '@example.org', ...args], env)
    const url = await address()
    t.type(made[0][1].owe, 'function')
    const register = async (email: string): Promise<number> => (await fetch(`${url}/apps`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'shop', url: 'http://10.0.0.5', email }) })).status
    t.equal(await register('me@example.org'), 201)
    t.equal(await register('me@elsewhere.example'), 403)
  }
})

t.test('where it cannot begin it says why, and lets go of its fleet', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const { started, fleet } = serve(t, ['-p', String((taken.address() as AddressInfo).port)])
  t.match(await started.ended, { code: 69, out: '', err: /EADDRINUSE.*--port chooses another port/ })
  t.equal(fleet.closed, 1)

  const locked = new FakeFleet()
  locked.failure = Object.assign(new Error('another process has ./healthchecker.db'), { code: 'ERR_STORE_LOCKED' })
  t.match(await serve(t, ['-p', '0'], {}, locked).started.ended, { code: 69, err: 'svc-status: another process has ./healthchecker.db\n' })

  const torn = new FakeFleet()
  torn.failure = Object.assign(new Error('it could not be read', { cause: new Error('SQLITE_IOERR disk') }), { code: 'ERR_STORE_FAILED' })
  t.match(await serve(t, ['-p', '0'], {}, torn).started.ended, { code: 69, err: 'svc-status: it could not be read (SQLITE_IOERR disk)\n' })

  const broken = new FakeFleet()
  broken.failure = new Error('a fault')
  t.match(await serve(t, ['-p', '0'], {}, broken).started.ended, { code: 70, err: /a fault/ })
})

t.test('--test checks once, prints the table, and ends with the worst state', async (t) => {
  const fleet = new FakeFleet()
  t.match(await serve(t, ['--test'], {}, fleet).started.ended, { code: 0, out: 'no app is registered\n' })
  for (const name of ['blog', 'shop', 'stopped']) await fleet.register(readRegistration({ name, url: `http://${name}:8080/health` }))
  fleet.set('blog', { state: 'HEALTHY', status: { state: 'OK' }, lastCheck: { at: 0, result: 'OK', duration: 12.6 } })
  fleet.set('shop', { state: 'DEGRADING', lastCheck: { at: 0, result: 'RED', duration: 3, error: 'refused \u001b[31m' } })
  await fleet.pause('stopped')
  const { code, out } = await serve(t, ['--test'], {}, fleet).started.ended
  t.equal(code, 1)
  t.equal(out, `NAME     STATE      TOOK   ADDRESS                     DETAIL
blog     HEALTHY    13 ms  http://blog:8080/health
shop     DEGRADING  3 ms   http://shop:8080/health     refused
stopped  PAUSED     -      http://stopped:8080/health  UNKNOWN
`)
  fleet.set('shop', { state: 'UNHEALTHY' })
  t.equal((await serve(t, ['--test'], {}, fleet).started.ended).code, 2)
  t.equal(fleet.checkedOnce, 3)
  t.equal(fleet.closed, 3)
  fleet.checkOnce = async () => { throw Object.assign(new Error('newer'), { code: 'ERR_STORE_NEWER' }) }
  t.match(await serve(t, ['--test'], {}, fleet).started.ended, { code: 69, err: 'svc-status: newer\n' })
})

t.test('--verbose and --debug log more, to stderr', async (t) => {
  for (const [flag, level] of [['-v', 'info'], ['-d', 'debug']]) {
    const { started, made, address } = serve(t, ['-p', '0', flag])
    await until(() => made.length > 0, 'it begins')
    const log = made[0][1].logger as unknown as { level: string }
    t.equal(log.level, level)
    await until(() => started.out !== '', 'it listens')
    const url = await address()
    await fetch(`${url}/apps`)
    await fetch(`${url}/apps/x`, { method: 'DELETE' })
    await until(() => started.err.includes('"url":"/apps/x"'), 'a request for a change is logged')
    t.notMatch(started.err, /"url":"\/apps"/)
  }
})

t.test('the help teaches every option, its variable and the exit codes', async (t) => {
  const { code, out } = await refused(['--help'])
  t.equal(code, 0)
  for (const text of ['--bind-addr', '-p, --port', '--store', '--smtp-url-file', '--mail-from', '--mail-allow', '--token-file', '--allow-targets', '--config', '-v, --verbose', '-d, --debug', '-t, --test', '--open', 'BIND_ADDR', 'SVC_STATUS_STORE', 'GMAIL_TOKEN', 'Exit codes']) t.ok(out.includes(text), text)
  t.notMatch(out, /--token \[value\]/)
})

t.test('one that is told to end while it begins ends', async (t) => {
  const { started } = serve(t, ['-p', '0'])
  started.end('SIGINT')
  t.match(await started.ended, { code: 0 })
})

t.test('the fleet is a real one: what is registered is there after a restart, and nothing of it where it is to be in memory', async (t) => {
  const store = join(t.testdir(), 'fleet.db')
  const begun = async (where: string): Promise<{ started: Started, url: string }> => {
    const started = new Started(['serve', '--no-announce', '-p', '0', '--store', where], { env: { SVC_STATUS_CONFIG: emptyFile } })
    await until(() => /^http:/m.test(started.out) || started.err !== '', 'it listens')
    return { started, url: /^http:\S+$/m.exec(started.out)?.[0] ?? started.err }
  }
  for (const [where, size] of [[store, 1], [':memory:', 0]] as const) {
    const first = await begun(where)
    const { status } = await fetch(`${first.url}/apps`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'shop', url: `${first.url}/live_status` }) })
    t.equal(status, 201)
    first.started.end('SIGTERM')
    t.match(await first.started.ended, { code: 0, err: '' })
    const second = await begun(where)
    t.match(await (await fetch(`${second.url}/apps`)).json(), { total: size })
    second.started.end('SIGTERM')
    t.equal((await second.started.ended).code, 0)
  }
})
