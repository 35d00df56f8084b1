import { Agent } from 'node:http'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { DiskSpaceCheck } from '../../lib/checks/disk-space-check.js'
import { EventLoopDelayCheck } from '../../lib/checks/event-loop-delay-check.js'
import { HTTPCheck } from '../../lib/checks/http-check.js'
import { MemoryCheck } from '../../lib/checks/memory-check.js'
import { TCPCheck } from '../../lib/checks/tcp-check.js'
import { TLSCheck } from '../../lib/checks/tls-check.js'
import { count, day, second } from '../../lib/core/units.js'

const ca = readFileSync(resolve(import.meta.dirname, 'support/certificates/ca.pem'))
const key = readFileSync(resolve(import.meta.dirname, 'support/certificates/server.key'), 'utf8')

type Options = Record<string, unknown>
type Refusal = [options: unknown, code: string, message: RegExp]

const peers: Array<[string, (options: unknown) => unknown, Options]> = [
  ['TCPCheck', (options) => new TCPCheck(options as never), { host: 'db', port: 5432 }],
  ['TLSCheck', (options) => new TLSCheck(options as never), { host: 'db', port: 5432 }],
  ['HTTPCheck', (options) => new HTTPCheck(options as never), { url: 'http://db/' }]
]

const invalid = 'ERR_INVALID_OPTION'
const outside = 'ERR_OPTION_OUT_OF_RANGE'
const unknown = 'ERR_UNKNOWN_OPTION'

function refuses (title: string, make: (options: unknown) => unknown, refusals: Refusal[]): void {
  t.test(`${title} refuses bad options with a code and the name of the option`, async (t) => {
    for (const [options, code, message] of refusals) t.throws(() => make(options), { code, message }, String(message))
  })
}

for (const [title, make, base] of peers) {
  refuses(`${title}, as every check of a peer,`, make, ([
    [{ tiemout: 1 }, unknown, new RegExp(`^${title} has no option "tiemout"; it has .*timeout, yellowAfter, redAfter, name, lookup, clock$`)],
    [{ timeout: 0 }, outside, /"timeout" in milliseconds must be from 1 to 2147483647, not 0/],
    [{ timeout: -1 }, outside, /"timeout"/],
    [{ timeout: NaN }, invalid, /"timeout" in milliseconds must be a number, not NaN/],
    [{ timeout: Infinity }, outside, /"timeout"/],
    [{ timeout: '5' }, invalid, /"timeout" must be a number of milliseconds or a time such as second\(5\), not "5"/],
    [{ timeout: count(5) }, invalid, /"timeout" .* not count\(5\)/],
    [{ timeout: day(30) }, outside, /"timeout"/],
    [{ timeout: null }, invalid, /"timeout"/],
    [{ yellowAfter: -1 }, outside, /"yellowAfter"/],
    [{ yellowAfter: second(6) }, outside, /"yellowAfter" in milliseconds must be from 0 to 4000, not 6000/],
    [{ yellowAfter: 20, redAfter: 10 }, outside, /"yellowAfter" in milliseconds must be from 0 to 10, not 20/],
    [{ redAfter: 101, timeout: 100 }, outside, /"redAfter" in milliseconds must be from 0 to 100, not 101/],
    [{ redAfter: true }, invalid, /"redAfter"/],
    [{ name: '' }, invalid, /"name" must be a string with a character or more, not ""/],
    [{ name: 5 }, invalid, /"name"/],
    [{ lookup: 'dns' }, invalid, /"lookup" must be a function, not "dns"/],
    [{ clock: Date.now }, invalid, /"clock" must be an object, not a function/]
  ] as Refusal[]).map(([options, code, message]) => [{ ...base, ...options as Options }, code, message]))

  refuses(`${title} without options`, make, [[undefined, invalid, /^the option "(host|url)" must be /], [null, invalid, new RegExp(`^${title} must be an object with options, not null`)], ['db:5432', invalid, /not "db:5432"/]])
}

for (const [title, make] of peers.slice(0, 2)) {
  refuses(`${title}, with host and port,`, make, [
    [{ port: 80 }, invalid, /"host" must be a host name or an IP address, without brackets or a port, not undefined/],
    [{ host: '', port: 80 }, invalid, /"host"/],
    [{ host: 'a b', port: 80 }, invalid, /not "a b"/],
    [{ host: 'db:5432', port: 80 }, invalid, /not "db:5432"/],
    [{ host: 'http://db', port: 80 }, invalid, /"host"/],
    [{ host: '[::1]', port: 80 }, invalid, /not "\[::1\]"/],
    [{ host: 'x'.repeat(254), port: 80 }, invalid, /"host"/],
    [{ host: 'b\u00fc cher', port: 80 }, invalid, /"host"/],
    [{ host: 'db\n', port: 80 }, invalid, /"host"/],
    [{ host: 5, port: 80 }, invalid, /"host" .* not 5/],
    [{ host: 'db' }, invalid, /"port" .* not undefined/],
    [{ host: 'db', port: 'nosuchservice' }, invalid, /"port" .* not "nosuchservice"/],
    [{ host: 'db', port: 65_536 }, outside, /"port"/]
  ])
}

refuses('TCPCheck', peers[0][1], ([
  [{ sourceHost: 'db' }, invalid, /"sourceHost" must be an IP address of this machine, not "db"/],
  [{ sourceHost: 5 }, invalid, /"sourceHost"/],
  [{ host: '127.0.0.1', sourceHost: '::1' }, invalid, /"sourceHost" must be an IPv4 address, as the option "host" is, not "::1"/],
  [{ host: '::1', sourceHost: '127.0.0.1' }, invalid, /"sourceHost" must be an IPv6 address/],
  [{ sourcePort: 0 }, outside, /"sourcePort" must be from 1 to 65535, not 0/],
  [{ sourcePort: '25' }, invalid, /"sourcePort"/]
] as Refusal[]).map(([options, code, message]) => [{ host: 'db', port: 80, ...options as Options }, code, message]))

const badCertificates: Refusal[] = [
  [{ ca: '' }, invalid, /"ca" must be one or more certificates in PEM, not other text$/],
  [{ ca: key }, invalid, /^(?!.*PRIVATE).*not other text$/],
  [{ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }, invalid, /"ca"/],
  [{ ca: `${ca}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` }, invalid, /"ca"/],
  [{ ca: [] }, invalid, /"ca" .* not an array$/],
  [{ ca: [ca, 'x'] }, invalid, /"ca"/],
  [{ ca: true }, invalid, /"ca" .* not true$/],
  [{ ca: Buffer.from('x') }, invalid, /"ca" .* not an object$/]
]

refuses('TLSCheck', peers[1][1], ([
  ...badCertificates,
  [{ servername: '' }, invalid, /"servername"/],
  [{ servername: '127.0.0.1' }, invalid, /"servername" must be a host name, not "127\.0\.0\.1"/],
  [{ warnBefore: -1 }, outside, /"warnBefore" in milliseconds must be a finite number of 0 or more, not -1/],
  [{ warnBefore: Infinity }, outside, /"warnBefore"/],
  [{ warnBefore: '14' }, invalid, /"warnBefore"/]
] as Refusal[]).map(([options, code, message]) => [{ host: 'db', port: 80, ...options as Options }, code, message]))

refuses('HTTPCheck', peers[2][1], ([
  ...badCertificates,
  [{ url: undefined }, invalid, /"url" must be an http: or https: URL, not undefined/],
  [{ url: 'db' }, invalid, /"url" must be an http: or https: URL, and is no URL$/],
  [{ url: 'http://joe:secret@:x/' }, invalid, /^(?!.*secret)/],
  [{ url: 'ftp://joe:secret@db/' }, invalid, /"url" must be an http: or https: URL, not ftp:$/],
  [{ url: new URL('file:///etc/passwd') }, invalid, /not file:$/],
  [{ method: '' }, invalid, /"method" must be a method of HTTP such as "GET" or "HEAD", not ""/],
  [{ method: 'GET /' }, invalid, /"method"/],
  [{ method: 'connect' }, invalid, /"method"/],
  [{ method: 5 }, invalid, /"method" must be a string, not 5/],
  [{ headers: [] }, invalid, /"headers" must be an object, not an array/],
  [{ headers: { 'a b': 'x' } }, invalid, /the header "a b" of the option "headers" has characters that HTTP does not allow/],
  [{ headers: { 'x-token': 'secret\r\nx: y' } }, invalid, /^(?!.*secret).*"x-token"/],
  [{ headers: { 'x-token': undefined } }, invalid, /"x-token" .* must be a string, a number or a list of strings, not undefined/],
  [{ headers: { 'x-token': { a: 1 } } }, invalid, /"x-token" .* not an object/],
  [{ headers: { 'Content-Length': 5 } }, invalid, /the header "Content-Length" of the option "headers" is the check's own/],
  [{ headers: { 'transfer-encoding': 'chunked' } }, invalid, /the check's own/],
  [{ headers: { Connection: 'close' } }, invalid, /the check's own/],
  [{ headers: { Host: 'a b' } }, invalid, /the header "Host" of the option "headers" must be one host name, with a port or without/],
  [{ headers: { host: ['a', 'b'] } }, invalid, /the header "host"/],
  [{ headers: { host: 'a/b' } }, invalid, /the header "host"/],
  [{ body: 5 }, invalid, /"body" must be a string or bytes, not 5/],
  [{ body: null }, invalid, /"body"/],
  [{ expectStatus: [] }, invalid, /"expectStatus" must be a status code or a list of codes and ranges such as \[\[200, 299\], 404\], not an array/],
  [{ expectStatus: '200' }, invalid, /"expectStatus" .* not "200"/],
  [{ expectStatus: 199 }, outside, /"expectStatus" must be from 200 to 999, not 199/],
  [{ expectStatus: 1000 }, outside, /"expectStatus"/],
  [{ expectStatus: [200.5] }, outside, /"expectStatus" must be a whole number/],
  [{ expectStatus: [NaN] }, invalid, /"expectStatus"/],
  [{ expectStatus: ['2xx'] }, invalid, /"expectStatus" must be made of status codes and of ranges such as \[200, 299\], not "2xx"/],
  [{ expectStatus: [[200]] }, invalid, /"expectStatus"/],
  [{ expectStatus: [[299, 200]] }, outside, /"expectStatus" must be from 299 to 999, not 200/],
  [{ followRedirects: -1 }, outside, /"followRedirects" must be from 0 to 20, not -1/],
  [{ followRedirects: 21 }, outside, /"followRedirects"/],
  [{ followRedirects: true }, invalid, /"followRedirects"/],
  [{ maxBody: -1 }, outside, /"maxBody" must be from 0 to 268435456, not -1/],
  [{ maxBody: 0.5 }, outside, /"maxBody"/],
  [{ maxBody: null }, invalid, /"maxBody"/],
  [{ followRedirects: null }, invalid, /"followRedirects"/],
  [{ maxBody: '64k' }, invalid, /"maxBody"/],
  [{ agent: {} }, invalid, /"agent" must be an Agent of node:http or node:https, not an object/],
  [{ agent: new Agent(), ca }, invalid, /"ca" must be given to the agent where there is an option "agent"/]
] as Refusal[]).map(([options, code, message]) => [{ url: 'https://db/', ...options as Options }, code, message]))

refuses('EventLoopDelayCheck', (options) => new EventLoopDelayCheck(options as never), [
  [{ percentil: 99 }, unknown, /^EventLoopDelayCheck has no option "percentil"/],
  [{ percentile: 0 }, outside, /"percentile" must be more than 0 and at most 100, not 0/],
  [{ percentile: 101 }, outside, /"percentile"/],
  [{ percentile: NaN }, invalid, /"percentile" must be a number, not NaN/],
  [{ percentile: '99' }, invalid, /"percentile"/],
  [{ yellowAfter: second(2) }, outside, /"yellowAfter" in milliseconds must be from 0 to 1000, not 2000/],
  [{ redAfter: -1 }, outside, /"redAfter"/],
  [{ window: 0 }, outside, /"window"/],
  [{ resolution: 0 }, outside, /"resolution"/],
  [{ resolution: 1001 }, outside, /"resolution"/],
  [{ resolution: 1.5 }, outside, /"resolution" in milliseconds must be a whole number/],
  [{ clock: 5 }, invalid, /"clock"/],
  [{ name: '' }, invalid, /"name"/]
])

refuses('MemoryCheck', (options) => new MemoryCheck(options as never), [
  [{ heap: 1 }, unknown, /^MemoryCheck has no option "heap"/],
  [{ yellowHeapRatio: 85 }, outside, /"yellowHeapRatio" must be from 0 to 1, not 85/],
  [{ redHeapRatio: NaN }, invalid, /"redHeapRatio" must be a number, not NaN/],
  [{ yellowRssBytes: -1 }, outside, /"yellowRssBytes"/],
  [{ redRssBytes: '1 GB' }, invalid, /"redRssBytes" must be a number, not "1 GB"/],
  [{ yellowHeapRatio: 0.9, redHeapRatio: 0.8 }, outside, /"yellowHeapRatio" must be passed before the option "redHeapRatio", which is 0\.8: 0\.9 is past it/],
  [{ name: 5 }, invalid, /"name"/]
])

refuses('DiskSpaceCheck', (options) => new DiskSpaceCheck(options as never), [
  [undefined, invalid, /"path" must be the path of a file or folder, not undefined/],
  [{ path: '' }, invalid, /"path"/],
  [{ path: '/\0' }, invalid, /"path"/],
  [{ path: '/', yellow: 1 }, unknown, /^DiskSpaceCheck has no option "yellow"/],
  [{ path: '/', yellowFreeRatio: 1.1 }, outside, /"yellowFreeRatio" must be from 0 to 1, not 1\.1/],
  [{ path: '/', redFreeBytes: Infinity }, outside, /"redFreeBytes"/],
  [{ path: '/', yellowFreeBytes: 1, redFreeBytes: 2 }, outside, /"yellowFreeBytes" must be passed before the option "redFreeBytes", which is 2: 1 is past it/],
  [{ path: '/', name: '' }, invalid, /"name"/]
])

t.test('a key that was given for a certificate by mistake is not shown', async (t) => {
  try {
    t.fail(String(new TLSCheck({ host: 'db', port: 443, ca: key })))
  } catch (error) {
    t.notMatch(String(error), key.split('\n')[1])
  }
})
