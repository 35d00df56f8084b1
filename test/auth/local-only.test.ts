import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { localOnly, requireAuth } from '../../lib/index.js'
import { listen } from '../support/app.js'
import { ask, raw } from '../support/sockets.js'

function guarded (t: Test, options?: FastifyServerOptions): FastifyInstance {
  const app = Fastify(options)
  t.teardown(async () => await app.close())
  app.get('/', { onRequest: requireAuth(localOnly()) }, () => 'in')
  return app
}

const from = (socket: object): FastifyRequest => ({ raw: { socket, headers: { host: 'localhost' } } }) as unknown as FastifyRequest

const peers: Array<[string, boolean]> = [
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:7f00:1', true],
  ['126.255.255.255', false],
  ['128.0.0.1', false],
  ['10.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['::2', false],
  ['::ffff:10.0.0.1', false],
  ['::127.0.0.1', false],
  ['fe80::1%eth0', false],
  ['2001:db8::1', false]
]

for (const [remoteAddress, letIn] of peers) {
  t.test(`a peer at ${remoteAddress} is ${letIn ? 'let in' : 'not let in'}, whatever trustProxy says`, async (t) => {
    for (const trustProxy of [false, true]) {
      const { statusCode } = await guarded(t, { trustProxy }).inject({ url: '/', remoteAddress, headers: { host: 'localhost' } })
      t.equal(statusCode, letIn ? 200 : 403, `trustProxy ${trustProxy}`)
    }
  })
}

const hosts: Array<[string, boolean]> = [
  ['localhost', true],
  ['localhost:8080', true],
  ['LOCALHOST', true],
  ['127.0.0.1', true],
  ['127.0.0.1:8080', true],
  ['127.1.2.3', true],
  ['[::1]', true],
  ['[::1]:8080', true],
  ['[::ffff:127.0.0.1]', true],
  ['example.com', false],
  ['localhost.example.com', false],
  ['example.com:localhost', false],
  ['127.0.0.1.example.com', false],
  ['127.0.0.1@example.com', false],
  ['127.999.0.1', false],
  ['10.0.0.1', false],
  ['[::2]', false],
  ['[example.com]', false],
  ['[::1', false],
  ['[]', false],
  ['::1', false],
  ['2130706433', false],
  ['localhost:80:80', false],
  ['localhost, example.com', false]
]

for (const [host, letIn] of hosts) {
  t.test(`a request for the host ${host} is ${letIn ? 'let in' : 'not let in'}`, async (t) => {
    const { statusCode } = await guarded(t).inject({ url: '/', headers: { host } })
    t.equal(statusCode, letIn ? 200 : 403)
  })
}

const headers: Array<[string, string]> = [
  ['Forwarded', 'for=127.0.0.1'],
  ['X-Forwarded-For', '127.0.0.1'],
  ['X-Forwarded-For', ''],
  ['X-Forwarded-Host', 'localhost'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Port', '443'],
  ['X-Forwarded-Prefix', '/'],
  ['X-Real-IP', '127.0.0.1'],
  ['Via', '1.1 proxy'],
  ['Origin', 'http://localhost'],
  ['Origin', 'null'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-Mode', 'no-cors'],
  ['Sec-Fetch-Dest', 'image']
]

for (const [name, value] of headers) {
  t.test(`a request with ${name}: ${value} is not let in`, async (t) => {
    for (const trustProxy of [false, true]) {
      const { statusCode } = await guarded(t, { trustProxy }).inject({ url: '/', headers: { host: 'localhost', [name]: value } })
      t.equal(statusCode, 403, `trustProxy ${trustProxy}`)
    }
  })
}

t.test('other headers do not matter', async (t) => {
  const { statusCode } = await guarded(t).inject({ url: '/', headers: { host: 'localhost', 'user-agent': 'curl/8', accept: '*/*', 'x-request-id': '1', referer: 'x' } })
  t.equal(statusCode, 200)
})

t.test('a real client on loopback is let in, over IPv4 and over IPv6', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const app = guarded(t)
    try {
      await app.listen({ host, port: 0 })
    } catch {
      t.comment(`there is no ${host} here`)
      continue
    }
    const { port } = app.server.address() as net.AddressInfo
    t.equal((await ask({ host, port, path: '/' })).statusCode, 200, host)
  }
})

t.test('a real client on loopback is let in by a server that listens on all addresses', async (t) => {
  const app = guarded(t)
  await app.listen({ host: '::', port: 0 }).catch(async () => await app.listen({ host: '0.0.0.0', port: 0 }))
  const { port } = app.server.address() as net.AddressInfo
  t.equal((await ask({ port, path: '/' })).statusCode, 200, 'its peer is ::ffff:127.0.0.1')
})

t.test('a real client with another address of this host is not let in, even if it asks for localhost', async (t) => {
  const address = Object.values(networkInterfaces()).flat().find((one) => one?.internal === false && one.family === 'IPv4')?.address
  const app = guarded(t)
  await app.listen({ host: '0.0.0.0', port: 0 })
  const { port } = app.server.address() as net.AddressInfo
  if (address === undefined) t.comment('this host has no other address')
  else t.equal((await ask({ host: address, port, path: '/', headers: { host: 'localhost' } })).statusCode, 403)
  t.equal((await ask({ port, path: '/', headers: { host: 'example.com' } })).statusCode, 403)
})

t.test('a request without Host is not let in', async (t) => {
  const port = await listen(guarded(t))
  t.match(await raw(port, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403 /)
  t.match(await raw(port, 'GET / HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 403 /)
  t.match(await raw(port, 'GET / HTTP/1.0\r\nhost: localhost\r\n\r\n'), /^HTTP\/1\.1 200 /)
})

t.test('a client on a Unix socket is let in, but not through a proxy that says so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'svc-status-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const app = guarded(t)
  const socketPath = join(folder, 'socket')
  await app.listen({ path: socketPath })
  t.equal((await ask({ socketPath, path: '/' })).statusCode, 200)
  t.equal((await ask({ socketPath, path: '/', headers: { 'x-forwarded-for': '127.0.0.1' } })).statusCode, 403)
})

t.test('a TCP socket that was just reset, which has no peer any more, is not taken for a Unix socket', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  const [socket] = await once(server, 'connection') as [net.Socket]
  socket.destroy()
  client.destroy()
  await once(socket, 'close')
  t.equal(socket.remoteAddress, undefined)
  t.equal(await localOnly()(from(socket)), false)
  const reset = { destroyed: false, remoteAddress: undefined, address: () => ({ address: '10.0.0.1', family: 'IPv4', port: 1 }) }
  t.equal(await localOnly()(from(reset)), false)
})

t.test('it says what it wants, and has no challenge', async (t) => {
  t.match(localOnly().expects, /same host.*no proxy and no browser/)
  t.equal(localOnly().challenge, undefined)
})
