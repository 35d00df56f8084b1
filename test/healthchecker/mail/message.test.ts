import nodemailer from 'nodemailer'
import PostalMime, { type Email } from 'postal-mime'
import t from 'tap'
import { linesOfNow, oneLine } from '../../../lib/healthchecker/mail/lines.js'
import { messageOf } from '../../../lib/healthchecker/mail/message.js'
import { planOf } from '../../../lib/healthchecker/mail/plan.js'
import type { OutboxEntry, Transition, WatchedApp } from '../../../types/healthchecker.js'
import { app, entry, suspicion, transition } from './support/outbox.js'

const date = new Date(Date.UTC(2030, 0, 1, 0, 0, 10))
const from = 'healthchecker@example.net'

/** What nodemailer makes of a mail with these entries, as it goes over the wire. */
async function written (entries: OutboxEntry[], failing: readonly WatchedApp[] = []): Promise<string> {
  const mail = planOf(entries, Date.UTC(2031, 0, 1), 0, new Map()).mails[0]
  const { message } = await nodemailer.createTransport({ streamTransport: true, buffer: true }).sendMail(messageOf(mail, from, date, linesOfNow(failing)))
  return String(message)
}

async function read (entries: OutboxEntry[], failing: readonly WatchedApp[] = []): Promise<Email> {
  return await PostalMime.parse(await written(entries, failing))
}

const of = (id: number, about: Partial<Transition>): OutboxEntry => entry(id, { notice: transition(id, about) })

t.test('a mail says which app is how since when and why, in text and in HTML', async (t) => {
  const { subject, text, html, from: sender, to, messageId, date: sent, headers } = await read([
    of(1, { to: 'DEGRADING', reason: 'ECONNREFUSED' }),
    of(2, { from: 'DEGRADING', to: 'UNHEALTHY', at: Date.UTC(2030, 0, 1, 0, 0, 5), reason: 'ECONNREFUSED' })
  ])
  t.equal(subject, '[healthchecker] UNHEALTHY: shop')
  t.same(sender, { name: 'healthchecker', address: from })
  t.same(to, [{ name: '', address: 'alice@example.org' }])
  t.match(messageId, /^<healthchecker\.[0-9a-f]{32}\.2@example\.net>$/)
  t.equal(sent, date.toISOString())
  t.same(headers.filter(({ key }) => key === 'auto-submitted').map(({ value }) => value), ['auto-generated'])
  t.equal(text?.trimEnd(), [
    'UNHEALTHY: shop',
    '  since 2030-01-01T00:00:05.000Z',
    '  HEALTHY → DEGRADING → UNHEALTHY',
    '  ECONNREFUSED',
    '',
    '-- ',
    'healthchecker of fastify-svc-status'
  ].join('\n'))
  for (const part of ['<strong>UNHEALTHY</strong>', '<strong>shop</strong>', 'since 2030-01-01T00:00:05.000Z', 'HEALTHY → DEGRADING → UNHEALTHY', 'ECONNREFUSED']) t.match(html, part)
})

t.test('several apps are one mail, the worst first', async (t) => {
  const { subject, text } = await read([
    of(1, { app: 'blog', from: 'UNHEALTHY', to: 'HEALTHY' }),
    of(2, { app: 'mail', from: 'DEGRADING', to: 'UNKNOWN' }),
    of(3, { app: 'wiki', kind: 'paused', from: 'UNHEALTHY', to: 'UNHEALTHY', by: 'alice', reason: 'it moves' }),
    of(4, { app: 'shop', to: 'DEGRADING' }),
    of(5, { app: 'b', from: 'DEGRADING', to: 'UNHEALTHY' }),
    of(6, { app: 'a', from: 'DEGRADING', to: 'UNHEALTHY' }),
    of(7, { app: 'c', kind: 'paused', from: 'UNHEALTHY', to: 'UNHEALTHY', by: 'bob' }),
    of(8, { app: 'd', kind: 'paused', from: 'UNHEALTHY', to: 'UNHEALTHY', reason: 'UNHEALTHY for a day' })
  ])
  t.equal(subject, '[healthchecker] 2 UNHEALTHY, 1 DEGRADING, 3 paused, 1 answers again, 1 HEALTHY again: a, b, shop, c, d, wiki, mail, blog')
  t.same(text?.match(/^\S.*: .*$/gm), ['UNHEALTHY: a', 'UNHEALTHY: b', 'DEGRADING: shop', 'paused: c', 'paused: d', 'paused: wiki', 'answers again: mail', 'HEALTHY again: blog'])
  t.match(text, /paused: wiki\n.*\n {2}UNHEALTHY → paused\n {2}by alice: it moves\n/)
  t.match(text, /paused: c\n.*\n.*\n {2}by bob\n/)
  t.match(text, /paused: d\n.*\n.*\n {2}UNHEALTHY for a day\n/)
})

t.test('an app that goes up and down is one line, and a path that is long is cut', async (t) => {
  const changes = Array.from({ length: 9 }, (_, index) => of(index + 1, index % 2 === 0 ? { to: 'DEGRADING' } : { from: 'DEGRADING', to: 'HEALTHY' }))
  const { subject, text } = await read(changes)
  t.equal(subject, '[healthchecker] DEGRADING: shop')
  t.match(text, '  HEALTHY → DEGRADING → … → DEGRADING → HEALTHY → DEGRADING → HEALTHY → DEGRADING\n'.replace('DEGRADING → HEALTHY → DEGRADING → HEALTHY → DEGRADING', 'HEALTHY → DEGRADING → HEALTHY → DEGRADING'))
})

t.test('of very many apps some are shown, and the others counted', async (t) => {
  const { subject, text, html } = await read(Array.from({ length: 1_000 }, (_, index) => of(index + 1, { app: `app ${String(index).padStart(3, '0')}` })))
  t.equal(subject, '[healthchecker] 1000 DEGRADING: app 000, app 001, app 002, app 003, app 004, app 005, app 006, app 007, app 008, app 009, app 010, …')
  t.equal(text?.match(/^DEGRADING: /gm)?.length, 200)
  t.match(text, '\nand 800 more\n')
  t.match(html, '<p>and 800 more</p>')
  const long = await read(Array.from({ length: 2 }, (_, index) => of(index + 1, { app: `${index}`.repeat(100) })))
  t.equal(long.subject, `[healthchecker] 2 DEGRADING: ${'0'.repeat(100)}, …`)
})

t.test('what a stranger chose becomes no header, no line and no HTML', async (t) => {
  for (const [index, evil] of [
    'shop\r\nBcc: eve@evil.example', 'shop\nBcc: eve@evil.example', 'shop\rBcc: eve@evil.example', 'shop\r\n\r\n<html>', 'shop\u0000\u0001\u007f\u0085', 'shop\u2028Bcc: x\u2029', '\u202egnp.exe',
    '=?utf-8?B?QmNjOiBldmVAZXZpbC5leGFtcGxl?=', '=?utf-8?Q?=0D=0ABcc:_eve@evil.example?=', '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'&amp;", '\ud800', '😀'.repeat(100), '\r\n.\r\nMAIL FROM:<eve@evil.example>'
  ].entries()) {
    const entries = [entry(1, { notice: transition(1, { app: evil, reason: evil, by: evil, kind: 'paused' }) })]
    const raw = await written(entries)
    const mail = await PostalMime.parse(raw)
    t.same(mail.headers.map(({ key }) => key).sort(), ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'], `text ${index}`)
    t.same(mail.to, [{ name: '', address: 'alice@example.org' }])
    const shown = oneLine(evil, 100)
    t.equal(mail.subject, `[healthchecker] paused: ${shown.replaceAll('=?', '= ?')}`)
    t.equal(mail.text?.split(/\r?\n/)[0], `paused: ${shown}`)
    t.notMatch(mail.html, /<script|<img/)
    t.notMatch(raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll('\r\n', ''), /[^\x20-\x7e]/, 'headers are ASCII in whole lines')
    t.ok(raw.split(/\r?\n/).every((line) => line.length <= 78), 'lines are short')
  }
})

t.test('text of one line has no control characters, is well-formed and is not long', async (t) => {
  t.equal(oneLine('a\r\nb\tc\u0000', 100), 'a��b�c�')
  t.equal(oneLine('\ud83d', 100), '�')
  t.equal(oneLine('😀😀😀', 3), '😀😀😀')
  t.equal(oneLine('😀😀😀😀', 3), '😀😀…')
  t.equal(oneLine('x'.repeat(10_000_000), 5), 'xxxx…')
  t.equal(oneLine('شكرا 👨‍👩‍👧', 100), 'شكرا 👨‍👩‍👧', 'letters of any script are left alone')
})

t.test('a suspicion is one mail: what happened before it is in it, below', async (t) => {
  const { subject, text, html } = await read([of(1, { reason: 'ETIMEDOUT' }), entry(2, { notice: suspicion(2) })], [app('ignored', { state: 'UNHEALTHY' })])
  t.equal(subject, '[healthchecker] suspects itself: 60 of 100 apps fail together')
  t.match(text, /^Since 2030-01-01T00:00:00\.000Z 60 of 100 apps fail together\.\n\nWhen more than half/)
  t.match(text, 'Before, and apart from that:\n\nDEGRADING: shop\n')
  t.notMatch(text, 'ignored')
  t.match(html, '<p>Before, and apart from that:</p>')
  const alone = await read([entry(2, { notice: suspicion(2) })])
  t.notMatch(alone.text, 'apart from that')
})

t.test('the end of a suspicion says how the apps of the receiver are', async (t) => {
  const end = entry(3, { notice: suspicion(3, { suspected: false, failing: 2 }) })
  const { subject, text } = await read([entry(2, { notice: suspicion(2) }), end, of(4, { from: 'UNHEALTHY', to: 'HEALTHY', app: 'well again' }), of(5, { kind: 'paused', app: 'old' })], [
    app('shop', { state: 'UNHEALTHY', lastCheck: { at: 0, result: 'RED', duration: 1, error: 'ECONNREFUSED' } }),
    app('blog', { state: 'UNHEALTHY', lastCheck: { at: 0, result: 'YELLOW', duration: 1 } }),
    app('new', { state: 'DEGRADING' })
  ])
  t.equal(subject, '[healthchecker] suspects itself no longer: 2 UNHEALTHY, 1 DEGRADING: blog, shop, new')
  t.match(text, 'no more than half of the apps fail together.\n\nThese of your apps are DEGRADING or UNHEALTHY; no others are:\n\nUNHEALTHY: blog\n  since 2030-01-01T00:00:00.000Z\n  answers again\n\nUNHEALTHY: shop\n  since 2030-01-01T00:00:00.000Z\n  ECONNREFUSED\n\nDEGRADING: new\n')
  t.match(text, 'Before, and apart from that:\n\npaused: old\n')
  t.notMatch(text, 'well again')
  t.equal((await read([end])).subject, '[healthchecker] suspects itself no longer')
  t.match((await read([end])).text, 'None of your apps is DEGRADING or UNHEALTHY.')
})

t.test('the Message-ID belongs to the domain of the sender, and is the same however often the mail is written', async (t) => {
  const first = await read([of(1, {})])
  t.equal((await read([of(1, {})])).messageId, first.messageId)
  t.not((await read([of(2, {})])).messageId, first.messageId)
})

t.test('what was dropped is a line that says how much and of when, whatever else there is to tell', async (t) => {
  const dropped = (id: number, count: number, since: number): OutboxEntry => entry(id, { notice: { kind: 'dropped', id, count, since: Date.UTC(2029, 11, since), at: Date.UTC(2029, 11, since + 1) } })
  const line = '45 older notices, of what happened from 2029-12-03T00:00:00.000Z to 2029-12-08T00:00:00.000Z, are not told: no mail could be sent for so long that there was no room for them. The status page shows how your apps are.'
  const [first, second] = [dropped(8, 40, 3), dropped(9, 5, 7)]
  const alone = await read([first, second])
  t.equal(alone.subject, '[healthchecker] 45 older notices were not told')
  t.equal(alone.text?.trimEnd(), `${line}\n\n-- \nhealthchecker of fastify-svc-status`)
  t.match(alone.html, `<p>${line}</p>`)
  t.notMatch(alone.html, /<table/)
  const beside = await read([of(1, { to: 'DEGRADING' }), first, second])
  t.equal(beside.subject, '[healthchecker] DEGRADING: shop')
  t.match(beside.text, /^DEGRADING: shop\n.*\n.*\n\n45 older notices/)
  const suspected = await read([entry(1, { notice: suspicion(1) }), first, second])
  t.match(suspected.subject, /suspects itself: 60 of 100/)
  t.match(suspected.text, line)
})
