import t from 'tap'
import { whyNoAnswer } from '../../lib/cli/explain.js'
import { UsageError } from '../../lib/cli/exit.js'
import { aligned, cutLine, paint, wantsColor } from '../../lib/cli/lines.js'
import { cut, displayWidth, jsonText, plain } from '../../lib/cli/plain.js'
import { targetOf } from '../../lib/cli/target.js'
import { writtenTime } from '../../lib/core/written-time.js'

const addresses: Array<[text: string, base: string, handler?: string]> = [
  ['http://host:8080', 'http://host:8080'],
  ['host:8080', 'http://host:8080'],
  ['host', 'http://host'],
  ['localhost:8080/', 'http://localhost:8080'],
  ['HTTPS://Host:443/', 'https://host'],
  ['[::1]:8080', 'http://[::1]:8080'],
  ['10.0.0.1:80', 'http://10.0.0.1'],
  ['http://host/prefix', 'http://host/prefix'],
  ['host/a/b//', 'http://host/a/b'],
  ['http://host/svc_status', 'http://host'],
  ['http://host/prefix/svc_status/', 'http://host/prefix'],
  ['http://host/svc_status.json', 'http://host'],
  ['http://host/prefix/svc_status.html#top', 'http://host/prefix'],
  ['http://host/svc_status/db', 'http://host', 'db'],
  ['http://host/svc_status/a%20b', 'http://host', 'a b'],
  ['http://host/svc_status/a%b', 'http://host', 'a%b'],
  ['http://host/p/probe_status', 'http://host/p'],
  ['http://host/live_status', 'http://host'],
  ['http://host/my_svc_status', 'http://host/my_svc_status'],
  ['http://host/svc_statuses', 'http://host/svc_statuses'],
  ['http://host/health', 'http://host/health']
]

t.test('a service is found by its address, with a scheme or without, below a prefix, or by any address of the plugin', async (t) => {
  for (const [text, base, handler] of addresses) {
    t.strictSame(targetOf(text), handler === undefined ? { base } : { base, handler }, text)
  }
})

const refused: Array<[text: string, message: RegExp]> = [
  ['', /^a service is named by an address such as localhost:8080, /],
  ['8080', /named by an address .*, not "8080"$/],
  [':8080', /not ":8080"$/],
  ['http://', /named by an address/],
  ['http://a b', /not "http:\/\/a b"$/],
  ['ftp://host', /by http or https, not by ftp:$/],
  ['http://host/?a=1', /no query: .*, not "http:\/\/host\/\?a=1"$/],
  ['http://\x1b[31mhost\x9b', /not "http:\/\/\\u001b\[31mhost "$/]
]

t.test('an address that is none is refused with what came, and nothing that a terminal would obey', async (t) => {
  for (const [text, message] of refused) {
    t.type(t.throws(() => targetOf(text), { message }, JSON.stringify(text)), UsageError)
  }
})

t.test('an address with a user or a password is refused, and not repeated', async (t) => {
  for (const text of ['http://joe:secret@host', 'joe:secret@host:8080', 'https://secret@host/prefix', 'http://joe:secret@host:port', 'secret@', 'http://joe:secret@host/?a']) {
    const error = t.throws(() => targetOf(text)) as Error
    t.notMatch(error.message, /secret|joe/, text)
  }
  t.throws(() => targetOf('http://joe:secret@host'), { message: /SVC_STATUS_TOKEN or --token-file FILE/ })
})

t.test('a time is a whole number and a unit', async (t) => {
  const times: Array<[string, number | undefined]> = [
    ['500ms', 500], ['60s', 60_000], ['5m', 300_000], ['1h', 3_600_000], ['7d', 604_800_000], ['0s', 0],
    ['', undefined], ['60', undefined], ['1.5s', undefined], ['-1s', undefined], ['1 s', undefined], ['1S', undefined], ['1w', undefined], ['1234567890s', undefined]
  ]
  for (const [text, time] of times) t.equal(writtenTime(text), time, text)
})

t.test('what a stranger says steers no terminal', async (t) => {
  t.equal(plain('\x1b[2J\x1b[31mred\x1b[0m'), 'red')
  t.equal(plain('\x1b]0;title\x07text'), 'text')
  t.equal(plain('\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\'), 'link')
  t.equal(plain('a\r\n\tb\x00\x7f\x85c\u2028d'), 'a b c d')
  t.equal(plain('safe\u202egnp.exe\u2066'), 'safegnp.exe')
  t.equal(plain('\ud800a'), '\ufffda')
  t.equal(plain('x'.repeat(10), 5), 'xxxx…')
  t.equal(plain('x'.repeat(5), 5), 'xxxxx')
  t.notMatch(plain(Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).join('')), /\p{Cc}/u)
})

t.test('JSON steers no terminal either, and stays what it is', async (t) => {
  const value = { a: '\x1b\x7f\x9b\u2028\u202e', b: ['ä', 1] }
  const text = jsonText(value)
  t.equal(text, '{"a":"\\u001b\\u007f\\u009b\\u2028\\u202e","b":["ä",1]}')
  t.strictSame(JSON.parse(text), value)
  t.equal(jsonText({ a: 1 }, 2), '{\n  "a": 1\n}')
})

const widths: Array<[string, number]> = [
  ['', 0], ['abc', 3], ['äöü', 3], ['a\u0308', 1], ['\u0308', 0], ['\u200b', 0], ['日本語', 6], ['ﾊﾝｶｸ', 4], ['ー・', 4], ['한국어', 6], ['\u1112\u1161\u11ab', 2],
  ['🚧', 2], ['👩‍💻', 2], ['🇦🇹', 2], ['❤️', 2], ['❤', 1], ['１２', 4], ['𠀋', 2], ['…', 1]
]

t.test('the width of a text is that of a terminal', async (t) => {
  for (const [text, width] of widths) t.equal(displayWidth(text), width, JSON.stringify(text))
})

t.test('a text is cut where the terminal ends, and no character in two', async (t) => {
  t.equal(cut('abcdef', 6), 'abcdef')
  t.equal(cut('abcdef', 4), 'abc…')
  t.equal(cut('日本語', 5), '日本…')
  t.equal(cut('日本語', 4), '日…')
  t.equal(cut('👩‍💻👩‍💻', 3), '👩‍💻…')
  t.equal(cut('ab', 1), '…')
  t.equal(cut('ab', 0), '')
  t.strictSame(cutLine([{ text: 'abc', color: 'RED' }, { text: 'def' }, { text: 'ghi' }], 5), [{ text: 'abc', color: 'RED' }, { text: 'd…' }])
  t.strictSame(cutLine([{ text: 'abc' }, { text: 'def' }], 6), [{ text: 'abc' }, { text: 'def' }])
})

t.test('columns stand below each other whatever the script', async (t) => {
  const lines = aligned([[{ text: 'NAME' }, { text: 'STATE' }, { text: 'DETAIL' }], [{ text: '日本語' }, { text: 'OK', color: 'OK' }, { text: 'a' }], [{ text: 'b' }, { text: 'YELLOW' }, { text: '' }]])
  t.strictSame(lines.map((line) => paint(line, false)), ['NAME    STATE   DETAIL', '日本語  OK      a', 'b       YELLOW'])
  t.equal(paint(lines[1], true), '日本語  \x1b[32mOK\x1b[0m      a')
})

const colors: Array<[isTTY: boolean | undefined, env: Record<string, string>, wanted: boolean]> = [
  [true, {}, true],
  [undefined, {}, false],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [true, { TERM: 'xterm' }, true],
  [false, { FORCE_COLOR: '1' }, true],
  [false, { FORCE_COLOR: 'true', NO_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [true, { FORCE_COLOR: 'false' }, false],
  [true, { FORCE_COLOR: '' }, true],
  [false, { FORCE_COLOR: '' }, false]
]

t.test('colours are for terminals, unless NO_COLOR or FORCE_COLOR says otherwise', async (t) => {
  for (const [isTTY, env, wanted] of colors) {
    t.equal(wantsColor({ stdout: { isTTY, write: () => true, on: () => {}, off: () => {} }, env }), wanted, JSON.stringify([isTTY, env]))
  }
})

const noAnswers: Array<[code: string | undefined, url: string, why: string]> = [
  ['ECONNREFUSED', 'http://host', 'nobody listens there: is the service running, and is 80 its port? (ECONNREFUSED)'],
  ['ECONNREFUSED', 'https://host', 'nobody listens there: is the service running, and is 443 its port? (ECONNREFUSED)'],
  ['ECONNREFUSED', 'http://host:8080', 'nobody listens there: is the service running, and is 8080 its port? (ECONNREFUSED)'],
  ['ENOTFOUND', 'http://host', 'there is no host host: is its name right, and known to this machine? (ENOTFOUND)'],
  ['EHOSTUNREACH', 'http://10.0.0.1', 'there is no way to 10.0.0.1: is it up, and does a firewall let you through? (EHOSTUNREACH)'],
  ['CERT_HAS_EXPIRED', 'https://host', 'its certificate has expired: it needs a new one, or this machine the right time (CERT_HAS_EXPIRED)'],
  ['EODD', 'http://host', 'EODD odd thing'],
  ['constructor', 'http://host', 'constructor odd thing'],
  [undefined, 'http://host', 'odd thing']
]

t.test('what keeps a service from answering is said with what to do next', async (t) => {
  for (const [code, url, why] of noAnswers) t.equal(whyNoAnswer(Object.assign(new Error('odd\nthing'), { code }), new URL(url)), why, String(code))
})
