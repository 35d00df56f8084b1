import { once } from 'node:events'
import http, { Agent, createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTCPServer, type LookupFunction, type Socket } from 'node:net'
import t from 'tap'
import { HTTPCheck } from '../../lib/checks/http-check.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { minute, second } from '../../lib/core/units.js'
import type { HTTPCheckOptions } from '../../types/checks.js'
import type { Status } from '../../types/status.js'
import { closedPort, listen, misbehaving, misbehavingInHTTP, peer, type Teardown } from './support/peers.js'

interface Asked { request: IncomingMessage, body: string }

/** A server of HTTP, with what it was asked and how many connections it took. */
async function serve (t: Teardown, reply: RequestListener, host?: string): Promise<{ url: string, asked: Asked[], connections: () => number, server: http.Server }> {
  const asked: Asked[] = []
  let connections = 0
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => { body += text }).on('end', () => {
      asked.push({ request, body })
      reply(request, response)
    })
  })
  server.on('connection', () => { connections++ })
  const port = await listen(t, server, host)
  return { url: `http://${host === '::1' ? '[::1]' : '127.0.0.1'}:${port}`, asked, connections: () => connections, server }
}

/** One run of a check that keeps nothing open. */
async function ask (options: HTTPCheckOptions): Promise<Status> {
  const check = new HTTPCheck(options)
  try {
    return await check.getStatus()
  } finally {
    check.stop()
  }
}

const fine: RequestListener = (_request, response) => { response.end('fine') }

function says (status: number, type = 'text/plain', body = ''): RequestListener {
  return (_request, response) => { response.writeHead(status, { 'content-type': type }).end(body) }
}

t.test('a status code from 200 to 299 is OK, with the time it took', async (t) => {
  const { url } = await serve(t, (request, response) => { response.writeHead(Number(request.url?.slice(1))).end() })
  for (const code of [200, 204, 299]) {
    const status = await ask({ url: `${url}/${code}` })
    t.strictSame(Object.keys(status), ['state', 'metrics'])
    t.match(status, { state: OK, metrics: { status_code: code, response_seconds: Number } })
  }
  for (const code of [300, 404, 500]) {
    t.match(await ask({ url: `${url}/${code}` }), { state: RED, detail: `${url}/${code} answered ${code}`, metrics: { status_code: code } })
  }
})

t.test('other status codes can be expected', async (t) => {
  const { url } = await serve(t, (request, response) => { response.writeHead(Number(request.url?.slice(1))).end() })
  const cases: Array<[HTTPCheckOptions['expectStatus'], number[], number[]]> = [
    [404, [404], [200, 403, 405]],
    [[200, 204], [200, 204], [201, 203]],
    [[[200, 299], 401, [500, 502]], [200, 299, 401, 500, 502], [300, 400, 402, 499, 503]],
    [999, [999], [200]]
  ]
  for (const [expectStatus, good, bad] of cases) {
    for (const code of good) t.match(await ask({ url: `${url}/${code}`, expectStatus }), { state: OK }, `${JSON.stringify(expectStatus)} ${code}`)
    for (const code of bad) t.match(await ask({ url: `${url}/${code}`, expectStatus }), { state: RED }, `${JSON.stringify(expectStatus)} ${code}`)
  }
})

t.test('it asks with a method, headers and a body', async (t) => {
  const { url, asked } = await serve(t, fine)
  await ask({ url: `${url}/a?b=c#d` })
  await ask({ url, method: 'head', headers: { ACCEPT: 'text/plain', 'X-List': ['a', 'b'], 'x-number': 5, host: 'app.example:81' } })
  await ask({ url: new URL(url), method: 'POST', body: 'h\u00e4' })
  await ask({ url, method: 'PUT', body: Buffer.from([65, 66]) })
  await ask({ url, method: 'PATCH' })
  await ask({ url, method: 'DELETE' })
  t.match(asked, [
    { request: { method: 'GET', url: '/a?b=c', headers: { host: url.slice(7), accept: 'application/health+json, application/json;q=0.9, */*;q=0.8', 'user-agent': 'fastify-svc-status', connection: 'keep-alive' } } },
    { request: { method: 'HEAD', headers: { host: 'app.example:81', accept: 'text/plain', 'x-list': 'a, b', 'x-number': '5' } } },
    { request: { method: 'POST', headers: { 'content-length': '3' } }, body: 'h\u00e4' },
    { request: { method: 'PUT', headers: { 'content-length': '2' } }, body: 'AB' },
    { request: { method: 'PATCH', headers: { 'content-length': '0' } }, body: '' },
    { request: { method: 'DELETE' }, body: '' }
  ])
  t.equal(asked.length, 6)
  for (const { request: { rawHeaders } } of asked) {
    const names = rawHeaders.filter((_text, index) => index % 2 === 0).map((name) => name.toLowerCase())
    t.equal(names.filter((name) => name === 'host').length, 1)
    t.equal(names.filter((name) => name === 'accept').length, 1)
    t.notOk(names.includes('transfer-encoding'))
  }
  t.notOk('content-length' in asked[5].request.headers)
})

t.test('credentials in the URL are sent, and shown nowhere', async (t) => {
  const { url, asked } = await serve(t, says(503))
  const withCredentials = (credentials: string): string => url.replace('//', `//${credentials}@`)
  const check = new HTTPCheck({ url: `${withCredentials('joe:p%40ss')}/x?token=hidden` })
  const status = await check.getStatus()
  check.stop()
  await ask({ url: withCredentials('joe') })
  await ask({ url: withCredentials(':%zz') })
  await ask({ url: withCredentials('joe:pass'), headers: { authorization: 'Bearer abc' } })
  t.strictSame(asked.map(({ request }) => request.headers.authorization), [
    `Basic ${Buffer.from('joe:p@ss').toString('base64')}`,
    `Basic ${Buffer.from('joe:').toString('base64')}`,
    `Basic ${Buffer.from(':%zz').toString('base64')}`,
    'Bearer abc'
  ])
  const shown = [check.name, String(check), JSON.stringify(status)].join(' ')
  t.notMatch(shown, /joe|p@ss|p%40ss|hidden|Basic/)
  t.equal(String(check), `HTTPCheck(${url}/x?…)`)
  const refused = await ask({ url: `http://joe:p%40ss@127.0.0.1:${await closedPort()}/` })
  t.match(refused, { state: RED, detail: /^no answer from http:\/\/127\.0\.0\.1:\d+\/: ECONNREFUSED$/ })
})

t.test('a connection is kept for the next run', async (t) => {
  const { url, asked, connections } = await serve(t, fine)
  const check = new HTTPCheck({ url })
  for (let round = 0; round < 5; round++) t.match(await check.getStatus(), { state: OK })
  t.equal(asked.length, 5)
  t.equal(connections(), 1)
  check.stop()
})

t.test('stop() closes the connection; a check that is asked afterwards keeps none', async (t) => {
  const { url, server } = await serve(t, fine)
  const closed = async (): Promise<void> => {
    const [socket] = await once(server, 'connection') as [Socket]
    await once(socket, 'close')
  }
  const check = new HTTPCheck({ url })
  const first = closed()
  await check.getStatus()
  check.stop()
  await first
  const second = closed()
  t.match(await check.getStatus(), { state: OK })
  await second
})

t.test('a kept connection does not keep the process alive', async (t) => {
  const { url } = await serve(t, fine)
  const check = new HTTPCheck({ url })
  const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  await check.getStatus()
  await new Promise((resolve) => setImmediate(resolve))
  const after = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  t.ok(after - before <= 1, 'the socket of the server is one, that of the check is none')
  check.stop()
})

/** A peer that answers the first request of its first connection, and does this with whatever comes on it then. */
async function forgetful (t: Teardown, next: (socket: Socket) => void): Promise<{ url: string, connections: () => number }> {
  let connections = 0
  const server = createTCPServer((socket) => {
    const first = connections++ === 0
    let requests = 0
    socket.on('data', () => {
      if (first && requests++ > 0) next(socket)
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const port = await listen(t, server)
  return { url: `http://127.0.0.1:${port}/`, connections: () => connections }
}

t.test('a request is repeated where the kept connection had just been closed', async (t) => {
  for (const [title, close] of [['reset', (socket: Socket) => { socket.resetAndDestroy() }], ['closed', (socket: Socket) => { socket.destroy() }]] as const) {
    const { url, connections } = await forgetful(t, close)
    const check = new HTTPCheck({ url })
    t.match(await check.getStatus(), { state: OK }, title)
    t.match(await check.getStatus(), { state: OK }, title)
    t.equal(connections(), 2, title)
    check.stop()
  }
})

t.test('a request is repeated once, not again and again', async (t) => {
  let connections = 0
  const server = createTCPServer((socket) => {
    const first = connections++ === 0
    let requests = 0
    socket.on('data', () => {
      if (first && requests++ === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      else socket.resetAndDestroy()
    })
  })
  const check = new HTTPCheck({ url: `http://127.0.0.1:${await listen(t, server)}/` })
  t.match(await check.getStatus(), { state: OK })
  t.match(await check.getStatus(), { state: RED, detail: /: ECONNRESET$/ })
  t.equal(connections, 2)
  check.stop()
})

t.test('a request is repeated once, even where an agent has more connections that were closed', async (t) => {
  let resets = 0
  const server = createTCPServer((socket) => {
    let requests = 0
    socket.on('data', () => {
      if (requests++ === 0) return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      resets++
      socket.resetAndDestroy()
    })
  })
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => agent.destroy())
  const check = new HTTPCheck({ url: `http://127.0.0.1:${await listen(t, server)}/`, agent })
  await Promise.all([check.getStatus(), check.getStatus(), check.getStatus()])
  t.match(await check.getStatus(), { state: RED, detail: /: ECONNRESET$/ })
  t.equal(resets, 2)
})

t.test('a request is not repeated once a part of its reply has come', async (t) => {
  const { url, connections } = await forgetful(t, (socket) => { socket.write('HTTP/1.1 2', () => { setImmediate(() => socket.resetAndDestroy()) }) })
  const check = new HTTPCheck({ url })
  t.match(await check.getStatus(), { state: OK })
  t.match(await check.getStatus(), { state: RED, detail: /: ECONNRESET$/ })
  t.equal(connections(), 1)
  check.stop()
})

t.test('a request is not repeated where the kept connection was not closed but broken', async (t) => {
  const { url, connections } = await forgetful(t, (socket) => { socket.end('garbage') })
  const check = new HTTPCheck({ url })
  t.match(await check.getStatus(), { state: OK })
  t.match(await check.getStatus(), { state: RED, detail: /: HPE_INVALID_CONSTANT$/ })
  t.equal(connections(), 1)
  check.stop()
})

t.test('two runs at once leave one connection, which is all that can be stale', async (t) => {
  let connections = 0
  const server = createTCPServer((socket) => {
    connections++
    let requests = 0
    socket.on('data', () => {
      if (requests++ > 0) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const check = new HTTPCheck({ url: `http://127.0.0.1:${await listen(t, server)}/` })
  t.match(await Promise.all([check.getStatus(), check.getStatus()]), [{ state: OK }, { state: OK }])
  t.equal(connections, 2)
  t.match(await check.getStatus(), { state: OK })
  t.equal(connections, 3)
  check.stop()
})

t.test('what must not be done twice is neither repeated nor sent on a kept connection', async (t) => {
  const { url, asked, connections } = await serve(t, fine)
  const check = new HTTPCheck({ url, method: 'POST' })
  await check.getStatus()
  await check.getStatus()
  t.equal(connections(), 2)
  t.equal(asked[0].request.headers.connection, 'close')
  const agent = new Agent({ keepAlive: true })
  const { url: other, connections: taken } = await forgetful(t, (socket) => { socket.resetAndDestroy() })
  const kept = new HTTPCheck({ url: other, method: 'POST', agent })
  t.match(await kept.getStatus(), { state: OK })
  t.match(await kept.getStatus(), { state: RED, detail: /: ECONNRESET$/ })
  t.equal(taken(), 1)
  agent.destroy()
})

t.test('an agent that it is given makes its connections, and stays open', async (t) => {
  const { url, connections } = await serve(t, fine)
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => agent.destroy())
  const check = new HTTPCheck({ url, agent })
  await check.getStatus()
  check.stop()
  await check.getStatus()
  t.equal(connections(), 1)
})

t.test('an agent of another protocol is RED, not an error', async (t) => {
  const agent = new Agent()
  t.match(await ask({ url: 'https://127.0.0.1:1/', agent }), { state: RED, detail: 'no answer from https://127.0.0.1:1/: ERR_INVALID_PROTOCOL' })
})

t.test('application/health+json and svc_status are read, and the worse of code and body counts', async (t) => {
  const health = 'application/health+json'
  const json = 'application/json'
  const cases: Array<[number, string, unknown, object]> = [
    [200, health, { status: 'pass' }, { state: OK }],
    [200, health, { status: 'warn', output: 'slow' }, { state: YELLOW, detail: 'status YELLOW: slow' }],
    [200, health, { status: 'fail' }, { state: RED, detail: 'status RED' }],
    [503, health, { status: 'fail', output: 'no db' }, { state: RED, detail: /\/ answered 503; status RED: no db$/ }],
    [503, health, { status: 'pass' }, { state: RED, detail: /\/ answered 503$/ }],
    [200, json, { db: { state: 'OK' } }, { state: OK }],
    [200, json, { db: { state: 'RED', detail: 'refused' } }, { state: RED, detail: 'db RED: refused' }],
    [200, json, { db: { state: 'YELLOW' } }, { state: YELLOW, detail: 'db YELLOW' }],
    [200, json, { status: 'fail' }, { state: OK }],
    [200, json, [], { state: OK }],
    [200, 'text/plain', { db: { state: 'RED' } }, { state: OK }]
  ]
  for (const [code, type, body, expected] of cases) {
    const { url } = await serve(t, says(code, type, JSON.stringify(body)))
    t.match(await ask({ url }), expected, `${code} ${type} ${JSON.stringify(body)}`)
  }
  const { url } = await serve(t, says(200, health, '{"status":'))
  t.match(await ask({ url }), { state: YELLOW, detail: 'application/health+json without a known status' })
})

t.test('a body is read to its bound, and decided upon without the rest', async (t) => {
  const long = JSON.stringify({ a: { state: 'OK' }, b: { state: 'RED', detail: 'x'.repeat(1000) } })
  const cases: Array<[string, string, number, object]> = [
    ['application/json', long, 500, { state: YELLOW, detail: 'a status longer than maxBody, which was not read' }],
    ['application/json', long, long.length, { state: RED }],
    ['application/health+json', long, 500, { state: YELLOW }],
    ['application/json', `[${long}]`, 500, { state: OK }],
    ['text/plain', long, 500, { state: OK }],
    ['text/plain', long, 0, { state: OK }],
    ['text/plain', '', 0, { state: OK }]
  ]
  for (const [type, body, maxBody, expected] of cases) {
    const { url } = await serve(t, says(200, type, body))
    t.match(await ask({ url, maxBody }), expected, `${type} ${body.length} ${maxBody}`)
  }
})

t.test('a connection whose body was cut off is closed, and so is one that was waited for in vain', async (t) => {
  for (const [act, timeout, state] of [
    [misbehavingInHTTP['sends chunks without an end'], minute(1), OK],
    [misbehavingInHTTP['drips a body'], 100, RED],
    [misbehaving['accepts and says nothing'], 100, RED]
  ] as const) {
    const server = peer(act)
    const closed = new Promise<void>((resolve) => server.on('connection', (socket) => socket.on('close', () => resolve())))
    const check = new HTTPCheck({ url: `http://127.0.0.1:${await listen(t, server)}/`, timeout })
    t.match(await check.getStatus(), { state })
    await closed
  }
})

t.test('a connection whose request was not taken whole is closed after the answer', async (t) => {
  const server = createTCPServer((socket) => {
    socket.pause()
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  const check = new HTTPCheck({ url: `http://127.0.0.1:${await listen(t, server)}/`, method: 'PUT', body: Buffer.alloc(50_000_000) })
  const connected = once(server, 'connection')
  t.match(await check.getStatus(), { state: OK })
  const [socket] = await connected as [Socket]
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.resume()
  await closed
  t.ok(socket.bytesRead < 50_000_000)
})

const replies: Record<keyof typeof misbehaving | keyof typeof misbehavingInHTTP, [state: string, detail: RegExp | undefined]> = {
  'accepts and says nothing': [RED, /^no answer from .*: timed out after 100 ms$/],
  'sends a byte now and then': [RED, /^no answer from .*: timed out after 100 ms$/],
  resets: [RED, /^no answer from .*: (ECONNRESET|EPIPE)$/],
  'resets when it is asked': [RED, /^no answer from .*: (ECONNRESET|EPIPE)$/],
  closes: [RED, /^no answer from .*: (ECONNRESET|EPIPE)$/],
  'closes when it is asked': [RED, /^no answer from .*: ECONNRESET$/],
  'sends 100 MB': [RED, /^no answer from .*: HPE_INVALID_CONSTANT$/],
  'sends garbage': [RED, /^no answer from .*: HPE_INVALID_CONSTANT$/],
  'sends a body of 100 MB': [OK, undefined],
  'sends chunks without an end': [OK, undefined],
  'drips a body': [RED, /^no whole answer from .*: timed out after 100 ms$/],
  'sends headers without an end': [RED, /^no answer from .*: HPE_HEADER_OVERFLOW$/],
  'says wait and nothing more': [RED, /^no answer from .*: timed out after 100 ms$/],
  'closes within the body': [RED, /^no whole answer from .*: the connection was closed$/],
  'resets within the body': [RED, /^no whole answer from .*: (ECONNRESET|the connection was closed)$/],
  'breaks its chunks': [RED, /^no whole answer from .*: HPE_INVALID_CHUNK_SIZE$/],
  'switches protocols': [RED, /^no answer from .*: the connection was closed$/]
}

for (const [title, act] of Object.entries({ ...misbehaving, ...misbehavingInHTTP })) {
  const [state, detail] = replies[title as keyof typeof replies]
  t.test(`a peer that ${title} is ${state}, in time`, async (t) => {
    const url = `http://127.0.0.1:${await listen(t, peer(act))}/`
    const started = performance.now()
    // Only those that hang need the timeout; the others have all the time of a busy machine.
    const hangs = detail?.source.includes('timed out') === true
    const status = await ask({ url, timeout: hangs ? 100 : minute(1) })
    t.equal(status.state, state, JSON.stringify(status))
    if (detail !== undefined) t.match(status.detail, detail)
    t.ok(performance.now() - started < 20_000)
  })
}

t.test('IPv6 and host names are asked', async (t) => {
  const six = await serve(t, fine, '::1')
  t.match(await ask({ url: six.url }), { state: OK })
  t.match(six.asked, [{ request: { headers: { host: six.url.slice(7) } } }])
  const four = await serve(t, fine)
  t.match(await ask({ url: four.url.replace('127.0.0.1', 'localhost') }), { state: OK })
  const lookup: LookupFunction = (_hostname, _options, callback) => callback(null, '127.0.0.1', 4)
  t.match(await ask({ url: four.url.replace('127.0.0.1', 'app.example'), lookup }), { state: OK })
  t.match(four.asked[1].request.headers.host, /^app\.example:\d+$/)
})

t.test('a name that is not resolved is RED: unknown, or hanging past the timeout', async (t) => {
  const unknown: LookupFunction = (_hostname, _options, callback) => callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), '')
  t.match(await ask({ url: 'http://app.example/', lookup: unknown }), { state: RED, detail: 'no answer from http://app.example/: ENOTFOUND' })
  t.match(await ask({ url: 'http://app.example/', lookup: () => {}, timeout: 20 }), { state: RED, detail: 'no answer from http://app.example/: timed out after 20 ms' })
})

t.test('a run whose context aborts is over soon, long before its timeout', async (t) => {
  const server = peer(misbehaving['accepts and says nothing'])
  const closed = once(server, 'connection').then(([socket]) => once(socket, 'close'))
  const url = `http://127.0.0.1:${await listen(t, server)}/`
  t.match(await new HTTPCheck({ url, timeout: minute(10) }).getStatus({ signal: AbortSignal.abort() }), { state: RED, detail: `no answer from ${url}: called off` })
  await closed
})

t.test('a slow answer is YELLOW, a very slow one RED', async (t) => {
  let now = 0
  const { url } = await serve(t, (request, response) => { now += Number(request.url?.slice(1)); response.end() })
  const clock = { now: () => 0, monotonic: () => now }
  const options = { clock, yellowAfter: 500, redAfter: second(2), timeout: minute(1) }
  t.match(await ask({ ...options, url: `${url}/500` }), { state: OK })
  t.match(await ask({ ...options, url: `${url}/501` }), { state: YELLOW, detail: 'the answer took 501 ms, more than 500 ms', metrics: { response_seconds: 0.501 } })
  t.match(await ask({ ...options, url: `${url}/2001` }), { state: RED, detail: 'the answer took 2001 ms, more than 2000 ms' })
})

t.test('it is a status handler in a registry', async (t) => {
  const { url } = await serve(t, says(200, 'application/json', '{"db":{"state":"YELLOW"}}'))
  const registry = new StatusRegistry()
  const check = new HTTPCheck({ url })
  registry.addStatusHandler('app', check)
  t.match(await registry.getStatus('app'), { state: YELLOW, detail: 'db YELLOW', metrics: { status_code: 200 } })
  check.stop()
})

t.test('it says what it is', async (t) => {
  t.equal(String(new HTTPCheck({ url: 'http://db' })), 'HTTPCheck(http://db/)')
  t.equal(String(new HTTPCheck({ url: 'https://db:444/x', method: 'head' })), 'HTTPCheck(HEAD https://db:444/x)')
  t.equal(String(new HTTPCheck({ url: 'http://db', name: 'orders' })), 'HTTPCheck("orders", http://db/)')
  t.equal(new HTTPCheck({ url: 'http://db', name: 'orders' }).name, 'orders')
})
