import { once } from 'node:events'
import { createServer as createHTTPSServer } from 'node:https'
import type { LookupFunction } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import t from 'tap'
import { HTTPCheck } from '../../lib/checks/http-check.js'
import { TLSCheck } from '../../lib/checks/tls-check.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { day, minute, second } from '../../lib/core/units.js'
import type { HTTPCheckOptions, TLSCheckOptions } from '../../types/checks.js'
import type { Status } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { ca, certificate } from './support/certificates.js'
import { closedPort, listen, misbehaving, peer, type Teardown } from './support/peers.js'

async function serve (t: Teardown, name: Parameters<typeof certificate>[0], host?: string): Promise<number> {
  return await listen(t, createServer(certificate(name), (socket) => { socket.on('error', () => {}) }), host)
}

async function ask (options: Partial<TLSCheckOptions>): Promise<Status> {
  return await new TLSCheck({ host: '127.0.0.1', port: 443, ca, ...options }).getStatus()
}

function at (date: string): Clock {
  return { now: () => Date.parse(date), monotonic: () => 0 }
}

const to: LookupFunction = (_hostname, _options, callback) => callback(null, '127.0.0.1', 4)

t.test('a certificate that is good is OK, with the days that it is', async (t) => {
  const port = await serve(t, 'good')
  const status = await ask({ port, clock: at('2122-01-01') })
  t.strictSame(status, { state: OK, metrics: { handshake_seconds: 0, certificate_days_left: 365 } })
  const { metrics } = await ask({ port })
  t.ok((metrics?.handshake_seconds as number) > 0)
})

t.test('a name, an IPv4 and an IPv6 address are found in the certificate', async (t) => {
  const port = await serve(t, 'good')
  t.match(await ask({ host: 'localhost', port, lookup: to }), { state: OK })
  t.match(await ask({ host: 'localhost.', port, lookup: to }), { state: OK })
  t.match(await ask({ host: 'b\u00fccher.example', port, lookup: to }), { state: OK })
  t.match(await ask({ servername: 'localhost', port }), { state: OK })
  t.match(await ask({ servername: 'localhost.', port }), { state: OK })
  t.match(await ask({ host: '::1', port: await serve(t, 'good', '::1') }), { state: OK })
  t.match(await ask({ host: '0:0:0:0:0:0:0:1', port: await serve(t, 'good', '::1') }), { state: OK })
  t.match(await ask({ host: '::1%lo', port: await serve(t, 'good', '::1') }), { state: OK })
  t.match(await ask({ host: '::1', port: await serve(t, 'other-name', '::1') }), { state: RED, detail: /is for another name/ })
})

t.test('the name is what the server is asked for, an address is not', async (t) => {
  const asked: Array<string | false | null> = []
  const server = createServer(certificate('good'), (socket: TLSSocket) => { asked.push(socket.servername); socket.on('error', () => {}) })
  const port = await listen(t, server)
  for (const options of [{ servername: 'localhost' }, { servername: 'localhost.' }, { host: 'localhost', lookup: to }, {}]) {
    const connected = once(server, 'secureConnection')
    await ask({ port, ...options })
    await connected
  }
  t.strictSame(asked, ['localhost', 'localhost', 'localhost', false], 'without the dot at the end')
})

t.test('a certificate near its end is YELLOW with the days that are left', async (t) => {
  const port = await serve(t, 'good')
  const near = await ask({ port, clock: at('2122-12-20T06:00:00Z') })
  t.strictSame(near, {
    state: YELLOW,
    detail: `the certificate of 127.0.0.1:${port} ends in 11 days, on 2123-01-01`,
    metrics: { handshake_seconds: 0, certificate_days_left: 11.75 }
  })
  t.match(await ask({ port, clock: at('2122-12-17T23:59:59Z') }), { state: OK })
  t.match(await ask({ port, clock: at('2122-12-18T00:00:00Z') }), { state: OK })
  t.match(await ask({ port, clock: at('2122-12-18T00:00:01Z') }), { state: YELLOW })
  t.match(await ask({ port, clock: at('2122-12-18T00:00:01Z'), warnBefore: day(13) }), { state: OK })
  t.match(await ask({ port, clock: at('2122-06-01T00:00:00Z'), warnBefore: day(365) }), { state: YELLOW })
  t.match(await ask({ port, clock: at('2122-12-31T23:59:59Z'), warnBefore: 0 }), { state: OK })
})

t.test('a certificate whose end has come is RED', async (t) => {
  const port = await serve(t, 'good')
  t.match(await ask({ port, clock: at('2123-01-01T00:00:00Z') }), { state: RED, detail: `the certificate of 127.0.0.1:${port} expired on 2123-01-01`, metrics: { certificate_days_left: 0 } })
  const expired = await ask({ port: await serve(t, 'expired') })
  t.match(expired, { state: RED, detail: /^the certificate of 127\.0\.0\.1:\d+ expired on 2020-02-01$/ })
  t.ok((expired.metrics?.certificate_days_left as number) < -2000)
})

t.test('a certificate that expired is RED by the system\'s clock, whatever the clock of the check says', async (t) => {
  const status = await ask({ port: await serve(t, 'expired'), clock: at('2020-01-10') })
  t.match(status, { state: RED, detail: /has expired, or one of its issuers has \(CERT_HAS_EXPIRED\)$/ })
})

t.test('a certificate that is not yet valid is RED', async (t) => {
  t.match(await ask({ port: await serve(t, 'early') }), { state: RED, detail: /is not valid yet, or one of its issuers is not \(CERT_NOT_YET_VALID\)$/ })
})

t.test('a certificate for another name is RED', async (t) => {
  const port = await serve(t, 'other-name')
  t.match(await ask({ port }), { state: RED, detail: `the certificate of 127.0.0.1:${port} is for another name (ERR_TLS_CERT_ALTNAME_INVALID)` })
  t.match(await ask({ port, servername: 'other.example' }), { state: OK })
  t.match(await ask({ port: await serve(t, 'good'), servername: 'other.example' }), { state: RED, detail: /is for another name/ })
})

t.test('a certificate whose issuer is not known is RED', async (t) => {
  const port = await serve(t, 'good')
  t.match(await ask({ port, ca: undefined }), { state: RED, detail: /has an unknown issuer \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)$/ })
  t.match(await ask({ port, ca: [Buffer.from(ca)] }), { state: OK })
})

t.test('a verdict without words of its own is shown by its code', async (t) => {
  const port = await serve(t, 'client')
  t.match(await ask({ port }), { state: RED, detail: `the certificate of 127.0.0.1:${port} is not trusted (INVALID_PURPOSE)` })
})

t.test('a slow handshake is YELLOW, and both reasons are said', async (t) => {
  const port = await serve(t, 'good')
  let now = -500
  const clock = { now: () => Date.parse('2122-12-31'), monotonic: () => { now += 500; return now } }
  t.match(await ask({ port, clock, yellowAfter: 100 }), {
    state: YELLOW,
    detail: `the certificate of 127.0.0.1:${port} ends in 1 days, on 2123-01-01; the TLS connection took 500 ms, more than 100 ms`
  })
})

const failures: Record<keyof typeof misbehaving, RegExp> = {
  'accepts and says nothing': /timed out after 100 ms$/,
  'sends a byte now and then': /ERR_SSL_WRONG_VERSION_NUMBER$|ERR_SSL_[A-Z_]+$|EPROTO$|timed out after 100 ms$/,
  resets: /ECONNRESET$|EPIPE$/,
  'resets when it is asked': /ECONNRESET$|EPIPE$/,
  closes: /ECONNRESET$|EPIPE$/,
  'closes when it is asked': /ECONNRESET$/,
  'sends 100 MB': /ERR_SSL_[A-Z_]+$|EPROTO$/,
  'sends garbage': /ERR_SSL_[A-Z_]+$|EPROTO$/
}

for (const [title, act] of Object.entries(misbehaving)) {
  t.test(`a peer that ${title} is RED, in time`, async (t) => {
    const port = await listen(t, peer(act))
    const detail = failures[title as keyof typeof misbehaving]
    const status = await ask({ port, timeout: detail.source.includes('timed out') ? 100 : minute(1) })
    t.match(status, { state: RED, detail })
    t.match(status.detail, /^no TLS connection to 127\.0\.0\.1:\d+: /)
  })
}

t.test('nobody there, an unknown name and a resolution that hangs are RED', async (t) => {
  t.match(await ask({ port: await closedPort() }), { state: RED, detail: /ECONNREFUSED$/ })
  const unknown: LookupFunction = (_hostname, _options, callback) => callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), '')
  t.match(await ask({ host: 'app.example', lookup: unknown }), { state: RED, detail: 'no TLS connection to app.example:443: ENOTFOUND' })
  t.match(await ask({ host: 'app.example', lookup: () => {}, timeout: 20 }), { state: RED, detail: 'no TLS connection to app.example:443: timed out after 20 ms' })
})

t.test('a run whose context aborts is over soon', async (t) => {
  const check = new TLSCheck({ host: 'app.example', port: 443, timeout: minute(10), lookup: () => {} })
  t.match(await check.getStatus({ signal: AbortSignal.abort() }), { state: RED, detail: /called off$/ })
})

t.test('the connection is closed afterwards', async (t) => {
  const server = createServer(certificate('good'))
  const closed = once(server, 'secureConnection').then(([socket]) => once(socket.on('error', () => {}), 'close'))
  await ask({ port: await listen(t, server) })
  await closed
})

t.test('it says what it is', async (t) => {
  t.equal(String(new TLSCheck({ host: 'db', port: 'https' })), 'TLSCheck(db:443)')
  t.equal(new TLSCheck({ host: 'db', port: 443, name: 'x' }).name, 'x')
})

async function serveHTTPS (t: Teardown, name: Parameters<typeof certificate>[0], host?: string): Promise<{ port: number, handshakes: () => number, resumed: () => number }> {
  let handshakes = 0
  let resumed = 0
  const server = createHTTPSServer(certificate(name), (request, response) => {
    if (request.url === '/close') response.setHeader('connection', 'close')
    response.end('fine')
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    handshakes++
    if (socket.isSessionReused()) resumed++
  })
  return { port: await listen(t, server, host), handshakes: () => handshakes, resumed: () => resumed }
}

async function askHTTPS (options: HTTPCheckOptions): Promise<Status> {
  const check = new HTTPCheck({ timeout: second(30), ...options })
  try {
    return await check.getStatus()
  } finally {
    check.stop()
  }
}

t.test('HTTPCheck verifies certificates too', async (t) => {
  const { port } = await serveHTTPS(t, 'good')
  t.match(await askHTTPS({ url: `https://127.0.0.1:${port}/`, ca }), { state: OK, metrics: { status_code: 200 } })
  t.match(await askHTTPS({ url: `https://localhost:${port}/`, ca, lookup: to }), { state: OK })
  const six = await serveHTTPS(t, 'good', '::1')
  t.match(await askHTTPS({ url: `https://[::1]:${six.port}/`, ca }), { state: OK })
  t.match(await askHTTPS({ url: `https://127.0.0.1:${port}/` }), { state: RED, detail: `no answer from https://127.0.0.1:${port}/: UNABLE_TO_VERIFY_LEAF_SIGNATURE` })
  const expired = await serveHTTPS(t, 'expired')
  t.match(await askHTTPS({ url: `https://127.0.0.1:${expired.port}/`, ca }), { state: RED, detail: /: CERT_HAS_EXPIRED$/ })
  const other = await serveHTTPS(t, 'other-name')
  t.match(await askHTTPS({ url: `https://127.0.0.1:${other.port}/`, ca }), { state: RED, detail: /: ERR_TLS_CERT_ALTNAME_INVALID$/ })
  t.match(await askHTTPS({ url: `https://127.0.0.1:${other.port}/`, ca, headers: { host: 'other.example:8443' } }), { state: OK })
  t.match(await askHTTPS({ url: `https://127.0.0.1:${port}/`, ca, headers: { host: '[::1]' } }), { state: OK })
})

t.test('HTTPCheck keeps a TLS connection, and makes a whole handshake for a new one', async (t) => {
  const { port, handshakes, resumed } = await serveHTTPS(t, 'good')
  const check = new HTTPCheck({ url: `https://127.0.0.1:${port}/`, ca })
  t.match(await check.getStatus(), { state: OK })
  t.match(await check.getStatus(), { state: OK })
  t.equal(handshakes(), 1)
  check.stop()
  const anew = new HTTPCheck({ url: `https://127.0.0.1:${port}/close`, ca })
  for (let round = 0; round < 3; round++) t.match(await anew.getStatus(), { state: OK })
  t.equal(handshakes(), 4)
  t.equal(resumed(), 0)
  anew.stop()
})

t.test('HTTPCheck repeats a request where the kept TLS connection had just been closed', async (t) => {
  let handshakes = 0
  const served = new WeakSet<object>()
  const server = createHTTPSServer(certificate('good'), (request, response) => {
    if (served.has(request.socket)) request.socket.destroy()
    else response.end('fine')
    served.add(request.socket)
  }).on('secureConnection', () => { handshakes++ })
  const check = new HTTPCheck({ url: `https://127.0.0.1:${await listen(t, server)}/`, ca })
  t.match(await check.getStatus(), { state: OK })
  t.match(await check.getStatus(), { state: OK })
  t.equal(handshakes, 2)
  check.stop()
})

t.test('a connection is closed as soon as it is judged', async (t) => {
  let closed = 0
  let done = (): void => {}
  const allClosed = new Promise<void>((resolve) => { done = resolve })
  const server = createServer(certificate('good'), (socket) => {
    socket.on('error', () => {})
    socket.on('close', () => { if (++closed === 3) done() })
    socket.resume()
  })
  const port = await listen(t, server)
  const check = new TLSCheck({ host: '127.0.0.1', port, ca, timeout: second(60) })
  for (let time = 0; time < 3; time++) t.match(await check.getStatus(), { state: OK })
  // Long before the timeout, which would destroy them too.
  const late = setTimeout(() => done(), 20_000)
  await allClosed
  clearTimeout(late)
  t.equal(closed, 3)
})
