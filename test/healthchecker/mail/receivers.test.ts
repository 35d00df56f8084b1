import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mailAddress, mailAllow, mailReceivers } from '../../../lib/healthchecker/mail/receivers.js'
import { gmailServer, readSmtpServer, smtpServer } from '../../../lib/healthchecker/mail/smtp-server.js'

t.test('an address is one mailbox, its domain in ASCII', async (t) => {
  for (const [given, expected] of [
    ['alice@example.org', 'alice@example.org'],
    ['Alice.B+tag@EXAMPLE.org', 'Alice.B+tag@example.org'],
    ['root@localhost', 'root@localhost'],
    ['a@bücher.example', 'a@xn--bcher-kva.example'],
    [`${'a'.repeat(64)}@example.org`, `${'a'.repeat(64)}@example.org`]
  ]) t.equal(mailAddress(given, 'x'), expected)
})

t.test('whatever is not one mailbox is refused, and says what is expected', async (t) => {
  for (const wrong of [
    undefined, null, 5, {}, ['alice@example.org'], '', '@', 'alice', '@example.org', 'alice@',
    'alice@example.org, bob@example.org', 'alice@example.org bob@example.org', 'alice@example.org;bob@example.org',
    'Alice <alice@example.org>', '<alice@example.org>', 'alice@example.org (home)', '"a b"@example.org', 'a@b@example.org',
    'alice@example.org\r\nBcc: eve@example.com', 'alice\n@example.org', 'alice@exam\u0000ple.org', 'alice@example.org\u0000', 'alice@example.org\n',
    '.alice@example.org', 'al..ice@example.org', 'alice.@example.org', 'älice@example.org',
    'alice@[127.0.0.1]', 'alice@127.0.0.1', 'alice@-example.org', 'alice@example-.org', 'alice@example..org', 'alice@.example.org', 'alice@example.org.',
    'alice@example.org:25', 'alice@example.org/x', 'alice@exam%70le.org', 'alice@a_b.org',
    `${'a'.repeat(65)}@example.org`, `alice@${'a'.repeat(64)}.org`, `alice@${'a.'.repeat(130)}org`, `alice@${'a'.repeat(1_000_000)}`,
    `alice@${'ü.'.repeat(60)}org`, `${'a'.repeat(64)}@${'ü.'.repeat(24)}org`
  ]) {
    t.throws(() => mailAddress(wrong, 'the option "from"'), { code: 'ERR_INVALID_OPTION', statusCode: 400, message: /^the option "from" must be one mail address such as alice@example\.org, .*, not / }, String(wrong).slice(0, 60))
  }
})

t.test('an allowed receiver is an address, of a domain, or anybody; in any case, and not below the domain', async (t) => {
  const allow = mailAllow(['Alice@example.com', '@Example.org', '@bücher.example'], 'x')
  for (const [address, expected] of [
    ['alice@example.com', true], ['ALICE@example.com', true], ['bob@example.com', false], ['malice@example.com', false],
    ['bob@example.org', true], ['bob@sub.example.org', false], ['bob@badexample.org', false], ['bob@example.org.evil.example', false],
    ['bob@xn--bcher-kva.example', true]
  ] as const) t.equal(allow(address), expected, address)
  t.equal(mailAllow(['*'], 'x')('eve@evil.example'), true)
  t.equal(mailAllow([], 'x')('eve@evil.example'), false)
})

t.test('a wrong pattern is refused', async (t) => {
  for (const wrong of ['', '@', 'example.org', '*@example.org', '@*.example.org', '**', 5, null]) {
    t.throws(() => mailAllow([wrong], '"--mail-allow"'), { code: 'ERR_INVALID_OPTION', message: /^"--mail-allow" must be mail addresses, domains such as @example\.org, or \*, not / }, String(wrong))
  }
  t.throws(() => mailAllow('*', '"--mail-allow"'), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => mailAllow(undefined, '"--mail-allow"'), { code: 'ERR_INVALID_OPTION' })
})

t.test('a registration names whom it may: nobody who is not allowed, unless it carried the token', async (t) => {
  const allow = mailAllow(['@example.org'], 'x')
  t.same(mailReceivers(['alice@example.org', 'ALICE@EXAMPLE.ORG', 'bob@example.org'], allow, false), ['alice@example.org', 'bob@example.org'])
  t.same(mailReceivers([], allow, false), [])
  t.same(mailReceivers(['eve@evil.example'], allow, true), ['eve@evil.example'])
  t.throws(() => mailReceivers(['alice@example.org', 'eve@evil.example'], allow, false), { code: 'ERR_RECEIVER_REFUSED', statusCode: 403, message: /"eve@evil\.example"/ })
  t.throws(() => mailReceivers(['nonsense'], allow, true), { code: 'ERR_INVALID_OPTION', statusCode: 400 })
  t.throws(() => mailReceivers('alice@example.org', allow, true), { code: 'ERR_INVALID_OPTION', statusCode: 400, message: /not "alice@example\.org"/ })
  t.throws(() => mailReceivers(Array.from({ length: 11 }, (_, index) => `a${index}@example.org`), allow, true), { code: 'ERR_INVALID_OPTION', message: /at most 10 mail addresses, not one of 11/ })
})

t.test('an SMTP URL gives server, TLS and login', async (t) => {
  const plain = { secure: false, requireTls: false, rejectUnauthorized: true }
  for (const [url, expected] of [
    ['smtp://mail.lan', { host: 'mail.lan', port: 587, ...plain }],
    ['smtp://mail.lan:25/', { host: 'mail.lan', port: 25, ...plain }],
    ['smtp://[::1]:2525', { host: '::1', port: 2525, ...plain }],
    ['smtps://mail.example.org', { host: 'mail.example.org', port: 465, ...plain, secure: true }],
    ['smtps://alice%40example.org:p%2Fw%40%3A@mail.example.org', { host: 'mail.example.org', port: 465, ...plain, secure: true, login: { user: 'alice@example.org', password: 'p/w@:' } }],
    ['smtp://a:b@mail.example.org?name=me.lan&rejectUnauthorized=false', { host: 'mail.example.org', port: 587, secure: false, requireTls: true, rejectUnauthorized: false, name: 'me.lan', login: { user: 'a', password: 'b' } }]
  ] as const) t.same(smtpServer(url, 'x'), expected, url)
})

t.test('a password goes over TLS only, unless to this machine or where the URL says so', async (t) => {
  for (const [url, expected] of [
    ['smtp://a:b@mail.example.org', true],
    ['smtp://a:b@192.0.2.1', true],
    ['smtp://a:b@[2001:db8::1]', true],
    ['smtp://a:b@localhost', false],
    ['smtp://a:b@127.3.2.1', false],
    ['smtp://a:b@[::1]', false],
    ['smtp://a:b@mail.example.org?requireTLS=false', false],
    ['smtp://mail.example.org?requireTLS=true', true]
  ] as const) t.equal(smtpServer(url, 'x').requireTls, expected, url)
})

t.test('a wrong SMTP URL is refused, and the password is never part of the error', async (t) => {
  for (const wrong of [
    undefined, 5, '', 'hunter2', 'mail.lan:25', 'http://a:hunter2@mail.lan', 'smtp://', 'smtp:mail.lan', 'smtp://a:hunter2@', 'smtp://a:hunter2@mail.lan/x', 'smtp://a:hunter2@mail.lan#x',
    'smtp://a:hunter2@mail.lan:99999', 'smtp://a:hunter2@m%20ail', 'smtp://a:hunter2@m%zzail',
    'smtp://a:hunter2@mail.lan?debug=true', 'smtp://a:hunter2@mail.lan?requireTLS=yes', 'smtp://a:hunter2@mail.lan?name=a%0Ab',
    'smtp://a@mail.lan', 'smtp://:hunter2@mail.lan', 'smtp://a:hunter2%zz@mail.lan', 'smtp://a:hunter2%0d%0aQUIT@mail.lan'
  ]) {
    t.throws(() => smtpServer(wrong, 'the SMTP URL'), { code: 'ERR_INVALID_OPTION', message: /the SMTP URL must be/ }, String(wrong))
    try { smtpServer(wrong, 'the SMTP URL') } catch (error) { t.notMatch(String((error as Error).stack), /hunter2/) }
  }
})

t.test('an SMTP URL is read from a file, and from nothing that may never end', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'smtp-url')
  writeFileSync(file, 'smtp://a:hunter2@mail.lan\n', { mode: 0o600 })
  t.equal((await readSmtpServer(file, '"--smtp-url-file"')).host, 'mail.lan')
  writeFileSync(file, 'hunter2')
  await t.rejects(readSmtpServer(file, '"--smtp-url-file"'), { message: /^"--smtp-url-file" must be an SMTP URL such as/ })
  for (const [path, why] of [[join(folder, 'none'), /ENOENT$/], ['/dev/zero', /no file$/], [folder, /no file$/]] as const) {
    await t.rejects(readSmtpServer(path, '"--smtp-url-file"'), { code: 'ERR_INVALID_OPTION', message: why })
  }
  const open = join(folder, 'open')
  writeFileSync(open, 'smtp://a:hunter2@mail.lan\n')
  chmodSync(open, 0o604)
  await t.rejects(readSmtpServer(open, '"--smtp-url-file"'), { code: 'ERR_INVALID_OPTION', message: /^"--smtp-url-file" must be a file that strangers cannot read; ".*" is open to every user of this machine/ })
  writeFileSync(file, 'x'.repeat(5_000))
  await t.rejects(readSmtpServer(file, '"--smtp-url-file"'), { code: 'ERR_INVALID_OPTION', message: /EFBIG$/ })
})

t.test('a Gmail token is an app password, with or without the spaces that Google shows', async (t) => {
  const expected = { host: 'smtp.gmail.com', port: 465, secure: true, requireTls: false, rejectUnauthorized: true, login: { user: 'alice@gmail.com', password: 'abcdefghijklmnop' } }
  t.same(gmailServer('abcd efgh ijkl mnop\n', 'alice@gmail.com'), expected)
  for (const wrong of ['', ' ', 'hun\nter2', 'hünter2', 5, undefined]) {
    t.throws(() => gmailServer(wrong, 'alice@gmail.com'), { code: 'ERR_INVALID_OPTION', message: 'the Gmail token must be an app password: ASCII characters without control characters' })
  }
  t.throws(() => gmailServer('hunter2', 'alice'), { code: 'ERR_INVALID_OPTION', message: /the sender of mails by Gmail/ })
})
