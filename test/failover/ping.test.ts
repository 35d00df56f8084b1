import { createServer } from 'node:net'
import t from 'tap'
import { Service, ServiceMonitor } from '../../lib/failover/index.js'
import { closedPort, listen } from '../checks/support/peers.js'
import { context, shown } from './support/monitor.js'

t.test('the default ping connects to host and port, and closes the connection', async (t) => {
  const server = createServer()
  const port = await listen(t, server)
  const closed = new Promise<void>((resolve) => server.on('connection', (socket) => socket.on('close', () => resolve())))
  const monitor = new ServiceMonitor()
  t.teardown(() => monitor.close())
  const service = monitor.register(new Service({ name: 'x', host: '127.0.0.1', port }))
  t.match(await shown(service), { state: 'OK' })
  await closed
})

t.test('a port where nobody listens is down, and what is shown says so', async (t) => {
  const port = await closedPort()
  const settings = { port }
  const monitor = new ServiceMonitor({ settings })
  t.teardown(() => monitor.close())
  class Search extends Service {
    override host = '127.0.0.1'
    override port = port
    override failoverSettings = { port: 5 }
  }
  monitor.register(Search)
  const [service] = monitor.services
  await monitor.monitor()
  t.strictSame(settings, { port: 5 })
  t.match(await shown(service), { state: 'YELLOW', detail: new RegExp(`: no connection to 127.0.0.1:${port}: ECONNREFUSED; failed over$`) })
})

t.test('a service that knows no address cannot be pinged', async (t) => {
  t.match(await new Service({ host: 'db' }).getStatus(context), { state: 'RED', detail: 'down: the service "Service" must have "host" and "port", or a ping() of its own' })
})

t.test('what a ping gives says "down" where it is no good status', async (t) => {
  for (const [result, state, detail] of [
    [undefined, 'OK'], [null, 'OK'], [{ rows: [] }, 'OK'], [0, 'OK'], ['YELLOW', 'OK'], [{ state: 'YELLOW' }, 'OK'], [true, 'OK'],
    [false, 'RED', 'down: it said so itself'], ['RED', 'RED', 'down: it said so itself'], [{ state: 'RED' }, 'RED', 'down: it said so itself'],
    [{ state: 'RED', detail: 'disk full' }, 'RED', 'down: disk full']
  ] as const) t.match(await shown(new Service({ name: 'x', ping: () => result })), detail === undefined ? { state } : { state, detail })
  t.match(await shown(new Service({ name: 'x', ping: () => { throw Object.defineProperty({}, 'code', { get () { throw new Error('no') } }) } })), { state: 'RED', detail: 'down: threw an object, not an Error' })
})
