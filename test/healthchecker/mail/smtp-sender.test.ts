import PostalMime from 'postal-mime'
import type { SMTPServerOptions } from 'smtp-server'
import t, { type Test } from 'tap'
import { messageOf, type Message } from '../../../lib/healthchecker/mail/message.js'
import { planOf } from '../../../lib/healthchecker/mail/plan.js'
import { loadNodemailer, smtpSender, type Outcome, type Sender } from '../../../lib/healthchecker/mail/smtp-sender.js'
import type { SmtpServer } from '../../../types/healthchecker-mail.js'
import { until } from '../../auth/support/until.js'
import { certificate } from '../../checks/support/certificates.js'
import { mailServer, oddServer } from './support/mail-server.js'
import { entry, transition } from './support/outbox.js'

const login = { user: 'alice', password: 'hunter2/+=' }

async function senderTo (t: Test, port: number, about: Partial<SmtpServer> = {}): Promise<Sender> {
  const sender = await smtpSender({ host: '127.0.0.1', port, secure: false, requireTls: false, rejectUnauthorized: true, ...about }, loadNodemailer)
  t.teardown(() => sender.close())
  return sender
}

function message (receiver = 'alice@example.org', app = 'shop'): Message {
  const mail = planOf([entry(1, { receiver, notice: transition(1, { app }) })], Date.UTC(2031, 0, 1), 0, new Map()).mails[0]
  return messageOf(mail, 'healthchecker@example.net', new Date(), [])
}

/** Sends with a generous limit. */
async function send (sender: Sender, one = message()): Promise<Outcome> {
  return await sender.send(one, AbortSignal.timeout(20_000))
}

const refuse = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code })

t.test('mails arrive whole, one receiver each, over one connection that is left politely', async (t) => {
  const { port, mails, connections } = await mailServer(t)
  const sender = await senderTo(t, port)
  t.same(await send(sender), { how: 'sent' })
  t.same(await send(sender, message('bob@example.org', '.\r\n.')), { how: 'sent' })
  t.same(mails.map(({ from, to }) => [from, ...to]), [['healthchecker@example.net', 'alice@example.org'], ['healthchecker@example.net', 'bob@example.org']])
  const { subject, text, html, date, messageId } = await PostalMime.parse(mails[0].raw)
  t.equal(subject, '[healthchecker] DEGRADING: shop')
  t.match(text, /^DEGRADING: shop\n/)
  t.match(html, '<strong>DEGRADING</strong>')
  t.ok(Math.abs(Date.now() - Date.parse(date as string)) < 60_000)
  t.equal(messageId, mails[0].messageId)
  t.equal(connections.count, 1)
  await until('the connection is left', () => connections.open === 0)
})

t.test('a login and STARTTLS are used where the server has them, and a password does not go out without TLS', async (t) => {
  const logins: string[] = []
  const options: SMTPServerOptions = {
    ...certificate('good'),
    disabledCommands: [],
    onAuth ({ username, password }, _session, done) {
      logins.push(`${username} ${password}`)
      if (password === login.password) done(null, { user: username })
      else done(refuse(535, `no: ${Buffer.from(`\0${username}\0${password}`).toString('base64')} ${password}`))
    }
  }
  const { port, mails } = await mailServer(t, options)
  const about = { requireTls: true, rejectUnauthorized: false, login }
  t.same(await send(await senderTo(t, port, about)), { how: 'sent' })
  t.match(mails, [{ user: 'alice', secure: true }])
  t.same(logins, ['alice hunter2/+='])

  const refused = await send(await senderTo(t, port, { ...about, login: { user: 'alice', password: 'wrong1' } }))
  t.same(refused, { how: 'down', why: 'AUTH PLAIN: 535' }, 'what the server says to a password may be the password')

  const untrusted = await send(await senderTo(t, port, { ...about, rejectUnauthorized: true }))
  t.match(untrusted, { how: 'down', why: /SELF_SIGNED|UNABLE_TO|ESOCKET|ETLS/ })

  const open = await mailServer(t, { ...options, disabledCommands: ['STARTTLS'], allowInsecureAuth: true })
  t.match(await send(await senderTo(t, open.port, about)), { how: 'down' })
  t.equal(logins.length, 2, 'neither an unknown nor an open server saw a password')
})

t.test('TLS from the first byte', async (t) => {
  const { port, mails } = await mailServer(t, { secure: true, ...certificate('good') })
  t.same(await send(await senderTo(t, port, { secure: true, rejectUnauthorized: false })), { how: 'sent' })
  t.equal(mails[0].secure, true)
})

t.test('what the server says of a mail decides whether it is tried again', async (t) => {
  const cases = [
    ['onMailFrom', 451, 'down', 'MAIL FROM: 451 no, thanks'],
    ['onMailFrom', 550, 'down', 'MAIL FROM: 550 no, thanks'],
    ['onRcptTo', 450, 'later', 'RCPT TO: 450 no, thanks'],
    ['onRcptTo', 452, 'later', 'RCPT TO: 452 no, thanks'],
    ['onRcptTo', 421, 'down', 'CONN: 421'],
    ['onRcptTo', 550, 'never', 'RCPT TO: 550 no, thanks'],
    ['onRcptTo', 552, 'never', 'RCPT TO: 552 no, thanks'],
    ['onData', 451, 'later', 'DATA: 451 no, thanks'],
    ['onData', 421, 'down', 'DATA: 421 no, thanks'],
    ['onData', 554, 'never', 'DATA: 554 no, thanks'],
    ['onConnect', 421, 'down', 'CONN: 421'],
    ['onConnect', 554, 'down', 'CONN: 554']
  ] as const
  await Promise.all(cases.map(async ([where, code, how, why]) => {
    const handler = (...args: unknown[]): void => {
      const stream = args[0] as { resume?: () => void }
      stream.resume?.()
      const done = args.at(-1) as (error: Error) => void
      done(refuse(code, 'no, thanks'))
    }
    const { port } = await mailServer(t, { [where]: handler })
    const outcome = await send(await senderTo(t, port))
    t.same(outcome, { how, why }, `${where} ${code}`)
  }))
})

t.test('one of two receivers is refused: the other gets the mail, over the same connection', async (t) => {
  const { port, mails, connections } = await mailServer(t, {
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('alice') ? refuse(550, 'no such user hunter2/+=\n here') : null)
  })
  const sender = await senderTo(t, port)
  t.same(await send(sender), { how: 'never', why: 'RCPT TO: 550 no such user hunter2/+= here' })
  t.same(await send(sender, message('bob@example.org')), { how: 'sent' })
  t.same(mails.map(({ to }) => to), [['bob@example.org']])
  t.equal(connections.count, 1)
})

t.test('a password that the server repeats is not shown', async (t) => {
  const { port } = await mailServer(t, {
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => done(null, { user: 'alice' }),
    onRcptTo: (_address, _session, done) => done(refuse(550, `you are alice:${login.password} ${'x'.repeat(500)}`))
  })
  const { why } = await send(await senderTo(t, port, { login })) as { why: string }
  t.match(why, 'RCPT TO: 550 you are alice:*** xxx')
  t.ok(why.length < 250)
})

t.test('a server that closes, resets or hangs at any point leaves the mail owed, and no connection open', async (t) => {
  const points = ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.']
  const cases = points.flatMap((point) => ['closes', 'resets', 'hangs'].map((fault) => ({ point, fault })))
  await Promise.all(cases.map(async ({ point, fault }) => {
    const { port, heard, sockets } = await oddServer(t, point, fault)
    const sender = await senderTo(t, port)
    const outcome = await sender.send(message(), AbortSignal.timeout(fault === 'hangs' ? 1_000 : 20_000)) as { how: string, why: string }
    t.equal(outcome.how, 'down', `${fault} at ${point}`)
    t.equal(outcome.why === 'it took too long', fault === 'hangs', `${fault} at ${point}: ${outcome.why}`)
    t.equal(heard.includes('.'), point === '.', 'it came that far')
    await until('no connection is open', () => sockets.size === 0)
  }))
})

t.test('garbage, too much of it, and replies byte by byte for ever are a server that is down', async (t) => {
  const cases = [['greeting', 'HTTP/1.1 400 Bad Request\r\n\r\n'], ['MAIL', '\u0000\u0001\r\n\r\n'], ['.', '999 what\r\n'], ['EHLO', '250-x'.repeat(500_000)]]
  await Promise.all(cases.map(async ([point, fault]) => {
    const { port, sockets } = await oddServer(t, point, fault)
    const outcome = await (await senderTo(t, port)).send(message(), AbortSignal.timeout(1_000))
    t.match(outcome, { how: 'down' }, `at ${point}`)
    t.ok(JSON.stringify(outcome).length < 300)
    await until('no connection is open', () => sockets.size === 0)
  }))
  const { port, sockets } = await oddServer(t, 'greeting', '2')
  const drip = setInterval(() => { for (const socket of sockets) socket.write('2') }, 20)
  t.teardown(() => clearInterval(drip))
  t.same(await (await senderTo(t, port)).send(message(), AbortSignal.timeout(300)), { how: 'down', why: 'it took too long' })
})

t.test('a server that takes one mail a connection gets them all', async (t) => {
  const { port, heard } = await oddServer(t, 'MAIL', 'closes', 2)
  const sender = await senderTo(t, port)
  for (let time = 0; time < 3; time++) t.same(await send(sender), { how: 'sent' })
  t.equal(heard.filter((line) => line === '.').length, 3, 'each once')
  const closing = await mailServer(t, { onData: (stream, _session, done) => { stream.resume(); stream.on('end', () => done(null)) }, socketTimeout: 200 })
  const patient = await senderTo(t, closing.port)
  t.same(await send(patient), { how: 'sent' })
  await until('the server has closed', () => closing.connections.open === 0)
  t.same(await send(patient), { how: 'sent' })
})

t.test('where nobody listens, and where the name is unknown, is a server that is down', async (t) => {
  const { port } = await mailServer(t)
  t.match(await send(await senderTo(t, port, { host: 'nothing.invalid' })), { how: 'down', why: /^(EDNS|ENOTFOUND|EAI_AGAIN)/ })
  t.same(await send(await senderTo(t, 1)), { how: 'down', why: 'ECONNREFUSED (CONN)' })
})

t.test('what nodemailer itself does not send is not tried again', async (t) => {
  const { port, mails } = await mailServer(t)
  const odd = { ...message(), envelope: { from: 'healthchecker@example.net', to: '' } }
  t.match(await send(await senderTo(t, port), odd), { how: 'never', why: 'EENVELOPE (API)' })
  t.equal(mails.length, 0)
})

t.test('an error that nobody thought of is named, and its message, which may hold anything, is not shown', async (t) => {
  const failing = { sendMail: async () => { throw new TypeError('hunter2') }, close () {}, on () {} }
  const sender = await smtpSender({ host: 'localhost', port: 25, secure: false, requireTls: false, rejectUnauthorized: true }, async () => ({ createTransport: () => failing }))
  t.same(await send(sender), { how: 'down', why: 'TypeError' })
})

t.test('after close nothing is sent', async (t) => {
  const { port, mails } = await mailServer(t)
  const sender = await senderTo(t, port)
  sender.close()
  t.match(await send(sender), { how: 'down' })
  t.equal(mails.length, 0)
})

t.test('without nodemailer the error says what to install, and another failure of it is not hidden', async (t) => {
  const server = { host: 'localhost', port: 25, secure: false, requireTls: false, rejectUnauthorized: true }
  await t.rejects(smtpSender(server, async () => { throw Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }) }), { code: 'ERR_PACKAGE_MISSING', message: /npm install nodemailer$/ })
  await t.rejects(smtpSender(server, async () => { throw new SyntaxError('broken') }), { name: 'SyntaxError' })
})
