import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { MemcachedService } from '../../../lib/failover/index.js'
import { closedPort, listen } from '../../checks/support/peers.js'
import { recorder, shown } from '../support/monitor.js'
import { ServiceMonitor } from '../../../lib/failover/service-monitor.js'

/** A server that answers a line. */
function answers (answer: (socket: Socket, line: string) => void): Server {
  return createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => answer(socket, String(data)))
  })
}

const memcached = (): Server => answers((socket, line) => { if (line === 'version\r\n') socket.write('VERSION 1.6.18\r\n') })

function monitored (t: Test, servers: string[], timeout?: number): { service: MemcachedService, monitor: ServiceMonitor, lines: ReturnType<typeof recorder>['lines'] } {
  const { lines, logger } = recorder()
  const monitor = new ServiceMonitor({ logger })
  t.teardown(() => monitor.close())
  const service = monitor.register(new MemcachedService({ servers, timeout }))
  return { service, monitor, lines }
}

t.test('nodes that tell their version are up', async (t) => {
  const [a, b] = [await listen(t, memcached()), await listen(t, answers((socket) => { socket.write('VERSION 1'); setTimeout(() => socket.write('.6\r\n'), 10) }))]
  const { service } = monitored(t, [`127.0.0.1:${a}`, `localhost:${b}`])
  t.match(await shown(service), { state: 'OK', nodes: { [`127.0.0.1:${a}`]: 'up', [`localhost:${b}`]: 'up' } })
})

t.test('one node that is down is YELLOW and logged, all are RED', async (t) => {
  const [up, down, another] = [await listen(t, memcached()), await closedPort(), await closedPort()]
  const { service, monitor, lines } = monitored(t, [`127.0.0.1:${up}`, `127.0.0.1:${down}`])
  await monitor.monitor()
  t.match(await shown(service), {
    state: 'YELLOW',
    detail: new RegExp(`no answer from 127.0.0.1:${down}: ECONNREFUSED; failed over$`),
    nodes: { [`127.0.0.1:${up}`]: 'up', [`127.0.0.1:${down}`]: `no answer from 127.0.0.1:${down}: ECONNREFUSED` }
  })
  t.match(lines[0], { level: 'fatal', about: { err: { code: 'ERR_SERVICE_DOWN' } } })
  const all = monitored(t, [`127.0.0.1:${another}`, `127.0.0.1:${down}`])
  await all.monitor.monitor()
  t.match(await shown(all.service), { state: 'RED' })
})

t.test('whoever says something else is no memcached, and whoever says nothing is down', async (t) => {
  const cases: Array<[Server, RegExp]> = [
    [answers((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n')), /:\d+ is no memcached/],
    [answers((socket) => socket.write('x'.repeat(2_000))), /it says something else/],
    [answers((socket) => socket.end('VERS')), /it closed the connection/],
    [answers((socket) => socket.resetAndDestroy()), /ECONNRESET/],
    [answers(() => {}), /took longer than 60 ms/]
  ]
  for (const [server, reason] of cases) {
    const { service, monitor } = monitored(t, [`127.0.0.1:${await listen(t, server)}`], 60)
    await monitor.monitor()
    t.match(await shown(service), { state: 'RED', detail: reason })
  }
})

t.test('where one node hangs at the very first ping, it is known that the other one is up', async (t) => {
  const [up, hanging] = [await listen(t, memcached()), await listen(t, answers(() => {}))]
  const { service, monitor } = monitored(t, [`127.0.0.1:${up}`, `127.0.0.1:${hanging}`], 200)
  await monitor.monitor()
  t.match(await shown(service), { state: 'YELLOW', nodes: { [`127.0.0.1:${up}`]: 'up' } })
})

t.test('a node that comes back is reported', async (t) => {
  const port = await closedPort()
  const { service, monitor } = monitored(t, [`127.0.0.1:${port}`])
  await monitor.monitor()
  const server = memcached()
  t.teardown(() => server.close())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await new Promise((resolve) => setTimeout(resolve, 0))
  await service.ping({ name: '', signal: AbortSignal.timeout(5_000), log: recorder().logger, settings: {} })
  t.match(service.details(), { nodes: { [`127.0.0.1:${port}`]: 'up' } })
  service.recover({ name: '', signal: AbortSignal.timeout(5_000), log: recorder().logger, settings: {} })
  await t.rejects(Promise.resolve(service.ping({ name: '', signal: AbortSignal.abort(), log: recorder().logger, settings: {} })), { message: /called off/ })
})

t.test('servers are host and port, an address in brackets, or a host alone', async (t) => {
  const service = new MemcachedService({ servers: ['cache', '[::1]:11212', '10.0.0.1:11213'], name: 'sessions' })
  t.equal(service.name, 'sessions')
  for (const servers of [undefined, [], 'cache:1', [5], [''], ['a:b'], ['::1'], ['a:0'], ['a b:1'], ['[]:1'], [':1']]) {
    t.throws(() => new MemcachedService({ servers } as never), { code: /ERR_INVALID_OPTION|ERR_OPTION_OUT_OF_RANGE/ }, JSON.stringify(servers))
  }
  t.throws(() => new MemcachedService({ servers: ['a'], server: 'b' } as never), { code: 'ERR_UNKNOWN_OPTION' })
})
