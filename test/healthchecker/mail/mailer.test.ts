import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import PostalMime, { type Email } from 'postal-mime'
import t, { type Test } from 'tap'
import { Mailer } from '../../../lib/healthchecker/mail/mailer.js'
import { mailStatus } from '../../../lib/healthchecker/mail/mail-status.js'
import type { OutboxState } from '../../../lib/healthchecker/mail/outbox-worker.js'
import { smtpServer } from '../../../lib/healthchecker/mail/smtp-server.js'
import { second } from '../../../lib/core/units.js'
import type { MailerOptions } from '../../../types/healthchecker-mail.js'
import { until } from '../../auth/support/until.js'
import { ScriptedFleet } from './support/fleet.js'
import { mailServer, received, type MailServer } from './support/mail-server.js'
import { app, suspicion } from './support/outbox.js'

const alice = 'alice@example.org'
const bob = 'bob@example.org'
const eve = 'eve@evil.example'

const options: MailerOptions = { smtp: smtpServer('smtp://127.0.0.1:1', 'x'), from: 'healthchecker@example.net', allow: ['@example.org'], gather: 0 }

interface Scene extends MailServer {
  readonly mailer: Mailer
  readonly fleet: ScriptedFleet
  /** What arrived at a receiver. */
  read (receiver: string): Promise<Email[]>
}

async function scene (t: Test, about: Partial<MailerOptions> = {}): Promise<Scene> {
  const server = await mailServer(t)
  const mailer = new Mailer({ ...options, smtp: smtpServer(`smtp://127.0.0.1:${server.port}`, 'x'), ...about })
  t.teardown(() => mailer.close())
  const fleet = new ScriptedFleet(mailer)
  return {
    ...server,
    mailer,
    fleet,
    read: async (receiver) => await Promise.all(server.mails.filter(({ to }) => to.includes(receiver)).map(({ raw }) => PostalMime.parse(raw)))
  }
}

t.test('a change of state reaches those who are allowed, and leaves the outbox', async (t) => {
  const { fleet, mailer, mails, read } = await scene(t)
  fleet.register(app('shop', { email: [alice, eve] }))
  fleet.register(app('blog', { email: [eve], trusted: true }))
  await mailer.start(fleet)
  fleet.becomes('shop', 'DEGRADING', 'ECONNREFUSED')
  fleet.becomes('blog', 'DEGRADING')
  await until('both arrived', () => mails.length === 2)
  const [mail] = await read(alice)
  t.equal(mail.subject, '[healthchecker] DEGRADING: shop')
  t.match(mail.text, 'ECONNREFUSED')
  t.same((await read(eve)).map(({ subject }) => subject), ['[healthchecker] DEGRADING: blog'])
  await until('nothing is owed', () => fleet.outbox.entries.size === 0)
  t.match(mailer.getStatus(), { state: 'OK', metrics: { sent: 2, failed: 0 } })
})

t.test('several at once are one mail to each receiver', async (t) => {
  const { fleet, mailer, mails, read } = await scene(t, { gather: 300 })
  for (const name of ['shop', 'blog', 'wiki']) fleet.register(app(name, { email: [alice, bob] }))
  await mailer.start(fleet)
  for (const name of ['shop', 'blog', 'wiki']) fleet.becomes(name, 'DEGRADING')
  fleet.becomes('wiki', 'UNHEALTHY')
  await until('both have theirs', () => mails.length === 2)
  for (const receiver of [alice, bob]) {
    t.same((await read(receiver)).map(({ subject }) => subject), ['[healthchecker] 1 UNHEALTHY, 2 DEGRADING: wiki, blog, shop'])
  }
})

t.test('while it suspects itself each receiver gets one summary and no more, and at its end one mail that says how their apps are', async (t) => {
  const { fleet, mailer, mails, read } = await scene(t, { gather: 200 })
  const names = Array.from({ length: 40 }, (_, index) => `app ${index}`)
  for (const [index, name] of names.entries()) fleet.register(app(name, { email: index < 30 ? [alice] : [alice.toUpperCase().replace('EXAMPLE.ORG', 'example.org'), bob] }))
  await mailer.start(fleet)
  fleet.register(app('late', { email: [bob] }))
  fleet.register(app('paused', { email: [bob], state: 'UNHEALTHY', paused: { at: 0 } }))
  fleet.register(app('gone', { email: ['carol@example.org'] }))
  fleet.deregister('gone')
  for (const name of names.slice(0, 22)) fleet.becomes(name, 'DEGRADING', 'ENETUNREACH')
  fleet.suspects(true, 22)
  for (const name of names.slice(22)) fleet.becomes(name, 'DEGRADING', 'ENETUNREACH')
  for (const name of names) fleet.becomes(name, 'UNHEALTHY', 'ENETUNREACH')
  await until('both have the summary', () => mails.length >= 2 && fleet.outbox.entries.size === 0)
  for (const receiver of [alice, bob]) {
    t.same((await read(receiver)).map(({ subject }) => subject), ['[healthchecker] suspects itself: 22 of 42 apps fail together'])
  }
  t.match((await read(alice))[0].text, 'Before, and apart from that:\n\nDEGRADING: app 0\n')

  for (const name of names.slice(0, 39)) fleet.becomes(name, 'HEALTHY')
  fleet.suspects(false, 1)
  await until('both have the end of it', () => mails.length >= 4 && fleet.outbox.entries.size === 0)
  t.equal(mails.length, 4)
  const [, end] = await read(bob)
  t.equal(end.subject, '[healthchecker] suspects itself no longer: UNHEALTHY: app 39')
  t.same(end.text?.match(/^(UNHEALTHY|DEGRADING|HEALTHY).*$/gm), ['UNHEALTHY: app 39'])
  t.match(end.text, 'ENETUNREACH')
})

t.test('everybody is whoever an app sends mail to now', async (t) => {
  const { fleet, mailer } = await scene(t)
  for (let index = 0; index < 2_500; index++) fleet.register(app(`app ${index}`, { email: [`a${index % 3}@example.org`] }))
  let started = false
  const everybody = (): readonly string[] => mailer.owe(suspicion(1), undefined, true, started ? [] : fleet)
  t.same([...everybody()].sort(), ['a0@example.org', 'a1@example.org', 'a2@example.org'], 'before it is started too')
  await mailer.start(fleet)
  // It knows them by itself now: not all have to be gone through.
  started = true
  t.same([...everybody()].sort(), ['a0@example.org', 'a1@example.org', 'a2@example.org'])
  for (let index = 0; index < 2_500; index++) if (index % 3 === 0) fleet.deregister(`app ${index}`)
  fleet.register(app('app 1', { email: [bob] }))
  fleet.register(app('app 2', { email: [eve] }))
  t.same([...everybody()].sort(), ['a1@example.org', 'a2@example.org', bob])
  fleet.deregister('app 1')
  fleet.deregister('never there')
  t.same([...everybody()].sort(), ['a1@example.org', 'a2@example.org'])
})

t.test('the end of a suspicion in a fleet of thousands names the apps that fail', async (t) => {
  const { fleet, mailer, mails, read } = await scene(t)
  for (let index = 0; index < 2_500; index++) fleet.register(app(`app ${index}`, { email: [alice], state: index === 2_400 ? 'DEGRADING' : 'HEALTHY' }))
  await mailer.start(fleet)
  fleet.suspects(false, 1)
  await until('it arrived', () => mails.length === 1)
  t.match((await read(alice))[0].text, 'no others are:\n\nDEGRADING: app 2400\n')
})

t.test('a receiver whose apps went away meanwhile is told of the end all the same', async (t) => {
  const { fleet, mailer, mails, read } = await scene(t, { gather: 100 })
  fleet.register(app('shop', { email: [alice], state: 'UNHEALTHY' }))
  await mailer.start(fleet)
  fleet.suspects(false, 1)
  fleet.deregister('shop')
  await until('it arrived', () => mails.length === 1)
  t.match((await read(alice))[0].text, 'None of your apps is DEGRADING or UNHEALTHY.')
})

t.test('its status says since when no mail goes out, and why', async (t) => {
  const { fleet, mailer } = await scene(t, { smtp: options.smtp })
  t.same(mailer.getStatus(), { state: 'YELLOW', detail: 'not started' })
  fleet.register(app('shop', { email: [alice] }))
  await mailer.start(fleet)
  t.same(mailer.getStatus(), { state: 'OK', metrics: { owed: 0, dropped: 0, sent: 0, failed: 0, oldest_seconds: 0 } })
  fleet.becomes('shop', 'DEGRADING')
  await until('it was tried', () => mailer.getStatus().state === 'YELLOW')
  t.match(mailer.getStatus(), { detail: /^no mail goes out since \S+Z: the mail server: ECONNREFUSED \(CONN\); 1 notices are owed, the oldest since \S+Z$/, metrics: { owed: 1 } })
  t.equal(fleet.outbox.entries.size, 1)

  const broken = await scene(t)
  broken.fleet.outbox.broken.add('owed')
  await broken.mailer.start(broken.fleet)
  await until('it was looked at', () => broken.mailer.getStatus().state === 'YELLOW')
  t.match(broken.mailer.getStatus().detail, /: the outbox: ERR_STORE_FAILED; 0 notices are owed$/)
})

t.test('mail that waits for an hour is YELLOW, where none goes out RED, and addresses are shown to nobody', (t) => {
  const now = Date.UTC(2030, 0, 1)
  const counts = { owed: 3, dropped: 0, sent: 1, failed: 2 }
  const fewer = { ...counts, dropped: 7 }
  const trouble = { what: 'server', why: 'MAIL FROM: 550 <healthchecker@example.net>: not you', since: now - 5_000 } as const
  const hour = 3_600_000
  for (const [state, expected] of [
    [{ counts }, { state: 'OK', metrics: { ...counts, oldest_seconds: 0 }, detail: undefined }],
    [{ counts, oldest: now + 5_000 }, { state: 'OK', metrics: { oldest_seconds: 0 } }],
    [{ counts, oldest: now - hour, lastError: 'x' }, { state: 'OK', metrics: { oldest_seconds: 3_600 } }],
    [{ counts, oldest: now - hour - 1 }, { state: 'YELLOW', detail: 'mails are late: 3 notices are owed, the oldest since 2029-12-31T22:59:59.999Z' }],
    [{ counts, oldest: now - 2 * hour, lastError: "RCPT TO: 452 <alice@example.org> 'bob@example.org' are full" }, { state: 'YELLOW', detail: /; the last error: RCPT TO: 452 <…> '…' are full$/ }],
    [{ counts, oldest: now - hour, trouble }, { state: 'YELLOW', detail: 'no mail goes out since 2029-12-31T23:59:55.000Z: the mail server: MAIL FROM: 550 <…>: not you; 3 notices are owed, the oldest since 2029-12-31T23:00:00.000Z' }],
    [{ counts, oldest: now - hour - 1, trouble }, { state: 'RED', metrics: { owed: 3 } }],
    [{ counts: fewer, trouble }, { state: 'RED', detail: /: 550 <…>: not you; 7 older notices were dropped, as there was no room for more; 3 notices are owed$/, metrics: { dropped: 7 } }],
    [{ counts: fewer }, { state: 'RED', detail: '7 older notices were dropped, as there was no room for more; 3 notices are owed' }],
    [{ counts, trouble: { ...trouble, what: 'outbox' } }, { state: 'YELLOW', detail: /: the outbox: .*; 3 notices are owed$/ }]
  ] as Array<[OutboxState, object]>) t.match(mailStatus(state, now), expected)
  t.end()
})

t.test('why a mail could not be sent is known as long as it is owed', async (t) => {
  let refuses = true
  const { fleet, mailer } = await scene(t)
  const slow = await mailServer(t, { onRcptTo: (_address, _session, done) => done(refuses ? Object.assign(new Error('greylisted'), { responseCode: 451 }) : undefined) })
  const late = new Mailer({ ...options, smtp: smtpServer(`smtp://127.0.0.1:${slow.port}`, 'x'), clock: { now: () => Date.now() + 2 * 3_600_000, monotonic: () => performance.now() } })
  t.teardown(() => late.close())
  fleet.register(app('shop', { email: [alice] }))
  await late.start(fleet)
  fleet.becomes('shop', 'DEGRADING')
  await until('it was refused', () => /451/.test(late.getStatus().detail ?? ''))
  t.match(late.getStatus(), { state: 'YELLOW', detail: /^mails are late: 1 notices are owed, .*; the last error: RCPT TO: 451 greylisted$/ })
  refuses = false
  await mailer.start(fleet)
  await until('the other one sent it', () => fleet.outbox.entries.size === 0)
})

t.test('it starts once, and after close it listens to nothing and holds no connection', async (t) => {
  const { fleet, mailer, mails, connections } = await scene(t)
  fleet.register(app('shop', { email: [alice] }))
  await Promise.all([mailer.start(fleet), mailer.start(fleet)])
  fleet.becomes('shop', 'DEGRADING')
  await until('it arrived', () => mails.length === 1)
  t.equal(fleet.listeners, 4)
  await mailer.close()
  await mailer.close()
  t.equal(fleet.listeners, 0)
  await until('the connection is closed', () => connections.open === 0)
  fleet.becomes('shop', 'HEALTHY')
  t.equal(mails.length, 1)
  await new Mailer(options).close()
})

t.test('a mail that the server takes during close is marked', async (t) => {
  let take: (() => void) | undefined
  const { port } = await mailServer(t, {
    onData (stream, _session, done) {
      stream.resume()
      stream.on('end', () => { take = () => done() })
    }
  })
  const mailer = new Mailer({ ...options, smtp: smtpServer(`smtp://127.0.0.1:${port}`, 'x') })
  t.teardown(() => mailer.close())
  const fleet = new ScriptedFleet(mailer)
  fleet.register(app('shop', { email: [alice] }))
  await mailer.start(fleet)
  fleet.becomes('shop', 'DEGRADING')
  await until('the server has it', () => take !== undefined)
  const closing = mailer.close()
  take?.()
  await closing
  t.equal(fleet.outbox.entries.size, 0)
})

t.test('without nodemailer it does not start, and can be closed', async (t) => {
  const mailer = new Mailer(options, async () => { throw Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }) })
  await t.rejects(mailer.start(new ScriptedFleet(mailer)), { code: 'ERR_PACKAGE_MISSING' })
  await mailer.close()
})

t.test('wrong options are refused by name', async (t) => {
  for (const [wrong, code, message] of [
    [{ sender: 'x' }, 'ERR_UNKNOWN_OPTION', /"sender"/],
    [{ smtp: undefined }, 'ERR_INVALID_OPTION', /"smtp"/],
    [{ from: 'x' }, 'ERR_INVALID_OPTION', /"from"/],
    [{ allow: ['x'] }, 'ERR_INVALID_OPTION', /"allow"/],
    [{ gather: -1 }, 'ERR_OPTION_OUT_OF_RANGE', /"gather"/],
    [{ gather: second(3_601) }, 'ERR_OPTION_OUT_OF_RANGE', /"gather"/],
    [{ giveUpAfter: 59_999 }, 'ERR_OPTION_OUT_OF_RANGE', /"giveUpAfter"/],
    [{ timeout: 99 }, 'ERR_OPTION_OUT_OF_RANGE', /"timeout"/],
    [{ logger: {} }, 'ERR_INVALID_OPTION', /"logger"/],
    [{ clock: {} }, 'ERR_INVALID_OPTION', /"clock"/]
  ] as const) t.throws(() => new Mailer({ ...options, ...wrong } as MailerOptions), { code, message })
})

// A process of its own, on the built package, whose outbox is a file.
const built = (path: string): string => pathToFileURL(resolve(import.meta.dirname, '../../../dist/lib/healthchecker', path)).href

const program = `
  import { Mailer } from '${built('mail/mailer.js')}'
  import { sqliteFleetStore } from '${built('stores/sqlite-fleet-store.js')}'
  const [path, port, first] = process.argv.slice(2)
  const store = sqliteFleetStore(path)
  await store.open(() => {})
  const at = Date.now()
  if (first === 'first') await store.write([{ kind: 'notice', notice: { id: 1, kind: 'state', app: 'shop', from: 'HEALTHY', to: 'DEGRADING', at }, receivers: ['${alice}', '${bob}'] }])
  const smtp = { host: '127.0.0.1', port: Number(port), secure: false, requireTls: false, rejectUnauthorized: true }
  const mailer = new Mailer({ smtp, from: 'healthchecker@example.net', allow: ['*'], gather: 0 })
  await mailer.start({ outbox: store.outbox, get () {}, on () {}, off () {}, * [Symbol.iterator] () {} })
  while ((await store.outbox.owed()).count > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await mailer.close()
  await store.close()
`

for (const [when, twice] of [['before the server took the mail', false], ['after the server took the mail and before it was marked', true]] as const) {
  t.test(`kill -9 ${when} loses none, and one that comes again has the same Message-ID`, async (t) => {
    const folder = t.testdir({ 'program.mjs': program })
    let child: ChildProcess | undefined
    let exit: Promise<unknown> | undefined
    let killed = false
    const kill = async (): Promise<void> => {
      killed = true
      child?.kill('SIGKILL')
      await exit
    }
    const { port, mails } = await mailServer(t, {
      onRcptTo: (_address, _session, done) => {
        if (twice || killed) return done()
        kill().then(() => done())
      },
      onData (stream, session, done) {
        let raw = ''
        stream.on('data', (chunk: Buffer) => { raw += String(chunk) })
        stream.on('end', () => {
          mails.push(received(session, raw))
          if (!twice || killed) return done()
          kill().then(() => done())
        })
      }
    })
    const run = (...args: string[]): void => {
      // What it covers is not counted: it is the same code as in lib.
      child = spawn(process.execPath, [join(folder, 'program.mjs'), join(folder, 'store.db'), String(port), ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { PATH: process.env.PATH, _TAPJS_PROCESSINFO_COVERAGE_: '0' } })
      exit = once(child, 'exit')
    }
    t.teardown(() => { child?.kill('SIGKILL') })
    run('first')
    await exit
    t.ok(killed)
    t.equal(mails.length, twice ? 1 : 0)
    run()
    t.same(await exit, [0, null], 'nothing is owed any more')
    t.same(mails.map(({ to }) => to[0]).sort(), twice ? [alice, alice, bob] : [alice, bob])
    t.equal(new Set(mails.filter(({ to }) => to[0] === alice).map(({ messageId }) => messageId)).size, 1)
    t.equal(new Set(mails.map(({ messageId }) => messageId)).size, 2)
  })
}
