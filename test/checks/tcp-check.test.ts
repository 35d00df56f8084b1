import { once } from 'node:events'
import { createServer, isIPv6, type LookupFunction, type Socket } from 'node:net'
import t from 'tap'
import { TCPCheck } from '../../lib/checks/tcp-check.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { minute, second } from '../../lib/core/units.js'
import type { Status } from '../../types/status.js'
import { closedPort, listen, misbehaving, peer } from './support/peers.js'

/** Ends a lookup as one of the system does, some time later. */
function answers (...args: Parameters<Parameters<LookupFunction>[2]>): LookupFunction {
  return (_hostname, _options, callback) => { setImmediate(() => callback(...args)) }
}

const hangs: LookupFunction = () => {}

t.test('a port that takes connections is OK, with the time it took', async (t) => {
  const port = await listen(t, peer(misbehaving['accepts and says nothing']))
  const status = await new TCPCheck({ host: '127.0.0.1', port }).getStatus()
  t.strictSame(Object.keys(status), ['state', 'metrics'])
  t.equal(status.state, OK)
  const { connect_seconds: took } = status.metrics as Record<string, number>
  t.ok(took > 0 && took < 5, `${took} s`)
})

t.test('it is a status handler in a registry', async (t) => {
  const port = await listen(t, createServer())
  const registry = new StatusRegistry()
  registry.addStatusHandler('up', new TCPCheck({ host: '127.0.0.1', port }))
  registry.addStatusHandler('down', new TCPCheck({ host: '127.0.0.1', port: await closedPort() }))
  const { entries } = await registry.snapshot()
  t.match(entries, [{ name: 'down', status: { state: RED }, fault: undefined }, { name: 'up', status: { state: OK } }])
})

t.test('a port where nobody listens is RED with the code as the reason', async (t) => {
  const port = await closedPort()
  t.strictSame(await new TCPCheck({ host: '127.0.0.1', port }).getStatus(), { state: RED, detail: `no connection to 127.0.0.1:${port}: ECONNREFUSED` })
})

t.test('the connection is closed at once, whatever the peer does', async (t) => {
  for (const [title, act] of Object.entries(misbehaving)) {
    const server = peer(act)
    const port = await listen(t, server)
    const closed = new Promise<void>((resolve) => server.on('connection', (socket) => socket.on('close', () => resolve())))
    const { state } = await new TCPCheck({ host: '127.0.0.1', port }).getStatus()
    // A reset may be there before the connection is noticed.
    t.equal(title === 'resets' ? OK : state, OK, title)
    await closed
  }
})

t.test('an IPv6 address is connected to, and shown in brackets', async (t) => {
  const port = await listen(t, createServer(), '::1')
  t.match(await new TCPCheck({ host: '::1', port }).getStatus(), { state: OK })
  const check = new TCPCheck({ host: '::1', port: await closedPort() })
  t.match(await check.getStatus(), { state: RED, detail: /^no connection to \[::1\]:\d+: ECONNREFUSED$/ })
})

t.test('a host name is resolved by the system', async (t) => {
  const port = await listen(t, createServer())
  t.match(await new TCPCheck({ host: 'localhost', port }).getStatus(), { state: OK })
})

t.test('all addresses of a name are tried', async (t) => {
  const server = createServer()
  const port = await listen(t, server)
  const lookup = answers(null, [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }])
  t.match(await new TCPCheck({ host: 'db.example', port, lookup }).getStatus(), { state: OK })
})

t.test('a name that nobody knows is RED', async (t) => {
  const check = new TCPCheck({ host: 'no-such-host.invalid', port: 80, lookup: answers(Object.assign(new Error('secret'), { code: 'ENOTFOUND' }), []) })
  t.strictSame(await check.getStatus(), { state: RED, detail: 'no connection to no-such-host.invalid:80: ENOTFOUND' })
  const real = await new TCPCheck({ host: 'no-such-host.invalid', port: 80, timeout: second(30) }).getStatus()
  t.match(real, { state: RED, detail: /^no connection to no-such-host\.invalid:80: (ENOTFOUND|EAI_AGAIN)$/ })
})

t.test('a resolution that hangs ends with the timeout', async (t) => {
  const check = new TCPCheck({ host: 'db.example', port: 5432, timeout: 20, lookup: hangs })
  t.strictSame(await check.getStatus(), { state: RED, detail: 'no connection to db.example:5432: timed out after 20 ms' })
})

t.test('an error of the lookup itself is RED', async (t) => {
  const check = new TCPCheck({ host: 'db.example', port: 5432, lookup: () => { throw new TypeError('no') } })
  t.strictSame(await check.getStatus(), { state: RED, detail: 'no connection to db.example:5432: TypeError' })
})

t.test('a service may be named', async (t) => {
  t.equal(String(new TCPCheck({ host: 'mail.example.org', port: 'smtp' })), 'TCPCheck(mail.example.org:25)')
})

t.test('a connection that is slow is YELLOW, a very slow one RED, each with its time', async (t) => {
  const port = await listen(t, createServer())
  let now = 0
  const clock = { now: () => 0, monotonic: () => now }
  const took = async (time: number): Promise<unknown> => {
    const lookup: LookupFunction = (_hostname, _options, callback) => {
      now += time
      callback(null, [{ address: '127.0.0.1', family: 4 }])
    }
    return await new TCPCheck({ host: 'db.example', port, yellowAfter: 500, redAfter: second(2), timeout: minute(1), lookup, clock }).getStatus()
  }
  t.strictSame(await took(500), { state: OK, metrics: { connect_seconds: 0.5 } })
  t.strictSame(await took(501.2), { state: YELLOW, detail: 'the connection took 501 ms, more than 500 ms', metrics: { connect_seconds: 0.5012 } })
  t.strictSame(await took(2500), { state: RED, detail: 'the connection took 2500 ms, more than 2000 ms', metrics: { connect_seconds: 2.5 } })
})

t.test('it connects from the address it is told to', async (t) => {
  const server = createServer()
  const port = await listen(t, server)
  const connected = once(server, 'connection')
  t.match(await new TCPCheck({ host: '127.0.0.1', port, sourceHost: '127.0.0.1' }).getStatus(), { state: OK })
  const [socket] = await connected as [Socket]
  t.notOk(isIPv6(socket.remoteAddress ?? ''))
  t.match(await new TCPCheck({ host: 'localhost', port, sourceHost: '127.0.0.1' }).getStatus(), { state: OK })
  // TEST-NET-1, which is no machine's: https://www.rfc-editor.org/rfc/rfc5737
  t.match(await new TCPCheck({ host: '127.0.0.1', port, sourceHost: '192.0.2.1' }).getStatus(), { state: RED, detail: /E[A-Z]+$/ })
})

t.test('it connects from the port it is told to, again and again', async (t) => {
  const server = createServer()
  const port = await listen(t, server)
  const ports: unknown[] = []
  server.on('connection', (socket) => ports.push(socket.remotePort))
  const sourcePort = await closedPort()
  const check = new TCPCheck({ host: '127.0.0.1', port, sourcePort })
  for (let round = 0; round < 3; round++) t.match(await check.getStatus(), { state: OK }, String(round))
  t.strictSame(ports, [sourcePort, sourcePort, sourcePort])
})

t.test('a run whose context aborts is over soon, long before its timeout', async (t) => {
  const controller = new AbortController()
  const check = new TCPCheck({ host: 'db.example', port: 5432, timeout: minute(10), lookup: hangs })
  const early = check.getStatus({ signal: AbortSignal.abort() })
  const late = check.getStatus(controller)
  t.match(await early, { state: RED, detail: 'no connection to db.example:5432: called off' })
  controller.abort()
  t.match(await late, { state: RED, detail: 'no connection to db.example:5432: called off' })
})

t.test('a handler that a registry gives up is not left running', async (t) => {
  const registry = new StatusRegistry({ timeout: 60 })
  const check = new TCPCheck({ host: 'db.example', port: 5432, timeout: minute(10), lookup: hangs })
  let run: Promise<Status> | undefined
  registry.addStatusHandler('db', (context) => { run = check.getStatus(context); return run })
  t.match(await registry.getStatus('db'), { state: RED, detail: 'timed out after 60 ms' })
  t.match(await run, { detail: /called off$/ })
})

t.test('it says what it is', async (t) => {
  const plain = new TCPCheck({ host: 'db', port: 5432 })
  t.equal(plain.name, 'TCPCheck(db:5432)')
  t.equal(String(plain), 'TCPCheck(db:5432)')
  const named = new TCPCheck({ host: 'db', port: 5432, name: 'the "database"' })
  t.equal(named.name, 'the "database"')
  t.equal(String(named), 'TCPCheck("the \\"database\\"", db:5432)')
})
