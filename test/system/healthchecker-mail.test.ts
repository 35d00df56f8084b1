import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import PostalMime from 'postal-mime'
import t, { type Test } from 'tap'
import { Mailer } from '../../lib/healthchecker/mail/mailer.js'
import { smtpServer } from '../../lib/healthchecker/mail/smtp-server.js'
import { ScriptedFleet } from '../healthchecker/mail/support/fleet.js'
import { mailServer, received, type ReceivedMail } from '../healthchecker/mail/support/mail-server.js'
import { app } from '../healthchecker/mail/support/outbox.js'
import { freePort } from '../support/free-port.js'
import { Program } from './support/programs.js'
import { until } from './support/until.js'

/** OpenSMTPD, which takes mails to alice and bob at example.org and puts each into a file; there is one on a machine at most. */
async function openSmtpd (t: Test, port: number): Promise<{ folder: string, delivered: () => string[] }> {
  const folder = t.testdir()
  // It delivers as somebody who is not root.
  chmodSync(folder, 0o777)
  const conf = join(folder, 'smtpd.conf')
  writeFileSync(conf, [
    `listen on 127.0.0.1 port ${port} hostname mail.test`,
    'table receivers { "alice@example.org" = nobody, "bob@example.org" = nobody }',
    `action "keep" mda "cat > ${folder}/mail.$$" virtual <receivers> user nobody`,
    'match from any for domain "example.org" action "keep"',
    ''
  ].join('\n'))
  const smtpd = await Program.start(t, '/usr/sbin/smtpd', ['-d', '-f', conf])
  await smtpd.says('that it starts', ({ stdout, stderr }) => `${stdout}${stderr}`.includes('starting') ? 'yes' : undefined)
  return { folder, delivered: () => readdirSync(folder).filter((name) => name.startsWith('mail.')).map((name) => readFileSync(join(folder, name), 'utf8')) }
}

t.test('OpenSMTPD takes the mails once it is there, refuses the one to nobody, and delivers what can be read', async (t) => {
  const port = await freePort()
  const mailer = new Mailer({ smtp: smtpServer(`smtp://127.0.0.1:${port}`, 'x'), from: 'healthchecker@example.net', allow: ['@example.org'], gather: 0 })
  const fleet = new ScriptedFleet(mailer)
  t.teardown(() => mailer.close())
  fleet.register(app('Müller & Söhne <shop>', { email: ['alice@example.org', 'nobody@example.org', 'bob@example.org'] }))
  await mailer.start(fleet)
  fleet.becomes('Müller & Söhne <shop>', 'DEGRADING', 'ECONNREFUSED\n.\nQUIT')
  await until('it was tried', () => mailer.getStatus().state === 'YELLOW')
  t.equal(fleet.outbox.entries.size, 3)

  const { delivered } = await openSmtpd(t, port)
  const mails = await until('both mails are delivered', () => { const all = delivered(); return all.length === 2 && all.every((mail) => mail.includes('</html>')) && all }, { within: 60_000 })
  const read = await Promise.all(mails.map((mail) => PostalMime.parse(mail)))
  t.same(read.map(({ to }) => to?.[0].address).sort(), ['alice@example.org', 'bob@example.org'])
  for (const { subject, text, headers } of read) {
    t.equal(subject, '[healthchecker] DEGRADING: Müller & Söhne <shop>')
    t.match(text, 'ECONNREFUSED�.�QUIT')
    t.equal(headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-generated')
  }
  await until('nothing is owed', () => fleet.outbox.entries.size === 0)
  t.match(fleet.outbox.given, [{ receiver: 'nobody@example.org', why: /^RCPT TO: 5\d\d / }])
})

const built = (path: string): string => pathToFileURL(resolve(import.meta.dirname, '../../dist/lib/healthchecker', path)).href

/** Owes a mail every few milliseconds and says which was stored, while mails are sent; or, at the end, only sends. */
const program = `
  import { Mailer } from '${built('mail/mailer.js')}'
  import { sqliteFleetStore } from '${built('stores/sqlite-fleet-store.js')}'
  const [path, port, last] = process.argv.slice(2)
  const store = sqliteFleetStore(path)
  let { id } = await store.open(() => {})
  const smtp = { host: '127.0.0.1', port: Number(port), secure: false, requireTls: false, rejectUnauthorized: true }
  const mailer = new Mailer({ smtp, from: 'healthchecker@example.net', allow: ['*'], gather: 0 })
  let noticed = () => {}
  await mailer.start({ outbox: store.outbox, get () {}, on (event, listener) { if (event === 'transition') noticed = listener }, off () {}, * [Symbol.iterator] () {} })
  console.log('ready')
  while (last === undefined) {
    id++
    await store.write([{ kind: 'notice', notice: { id, kind: 'state', app: 'app-' + id, from: 'HEALTHY', to: 'DEGRADING', at: Date.now() }, receivers: ['alice@example.org'] }])
    console.log('stored ' + id)
    noticed()
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  while ((await store.outbox.owed()).count > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await mailer.close()
  await store.close()
`

t.test('killed at twenty random moments it loses no mail, and what comes twice has the same Message-ID', async (t) => {
  const folder = t.testdir({ 'program.mjs': program })
  /** In every other round it is killed when a mail has come in and is not acknowledged yet. */
  let atMail: (() => void) | undefined
  const mails: ReceivedMail[] = []
  const { port } = await mailServer(t, {
    onData (stream, session, done) {
      let raw = ''
      stream.on('data', (chunk: Buffer) => { raw += String(chunk) })
      stream.on('end', () => {
        mails.push(received(session, raw))
        atMail?.()
        done()
      })
    }
  })
  const stored = new Set<string>()
  const run = (...args: string[]): Promise<unknown> & { kill (): void, ready: Promise<void> } => {
    const child = spawn(process.execPath, [join(folder, 'program.mjs'), join(folder, 'store.db'), String(port), ...args], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } })
    t.teardown(() => { child.kill('SIGKILL') })
    let text = ''
    const ready = new Promise<void>((resolve) => child.stdout.on('data', (chunk) => {
      text += String(chunk)
      resolve()
    }))
    const end = once(child, 'close').then((how) => {
      for (const [, id] of text.matchAll(/^stored (\d+)$/gm)) stored.add(id)
      return how
    })
    return Object.assign(end, { kill: () => child.kill('SIGKILL'), ready })
  }
  for (let time = 0; time < 20; time++) {
    const running = run()
    await running.ready
    if (time % 2 === 0) atMail = running.kill
    await setTimeout(Math.random() * 600)
    running.kill()
    atMail = undefined
    t.same(await running, [null, 'SIGKILL'])
  }
  t.same(await run('last'), [0, null])
  const mailsOf = new Map<string, Set<string>>()
  for (const { raw, messageId } of mails) {
    for (const [, id] of (await PostalMime.parse(raw)).text?.matchAll(/: app-(\d+)$/gm) ?? []) mailsOf.set(id, (mailsOf.get(id) ?? new Set()).add(messageId))
  }
  t.ok(stored.size > 100, `${stored.size} were stored`)
  t.same([...stored].filter((id) => !mailsOf.has(id)), [], 'none is lost')
  t.same([...mailsOf].filter(([, ids]) => ids.size > 1), [], 'each belongs to one mail')
  t.comment(`${stored.size} notices, ${mails.length} mails, ${mails.length - new Set(mails.map(({ messageId }) => messageId)).size} of them came again`)
})
