/*
 * A service that loses what it depends on, and gets it back: two embedded TCP services, one of which is stopped after two seconds
 * and started again after five. Nothing else has to be installed.
 *
 *   node dist/docs/examples/failover.js
 *
 * The log, on stdout, shows the outage, the failover and the recovery; the page, whose address it prints first, shows `echo` go
 * from OK to YELLOW and back. Environment: HOST, PORT (127.0.0.1 and any free one), DOWN_AFTER and UP_AFTER (2000 and 5000 ms).
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import statusPlugin, { second, StatusRegistry, TCPCheck } from 'fastify-svc-status'
import { failoverLogMethod, failoverPlugin, Service, ServiceMonitor } from 'fastify-svc-status/failover'

const { HOST = '127.0.0.1', PORT = '0', DOWN_AFTER = '2000', UP_AFTER = '5000' } = process.env

const primary = await echoService(0)
const standby = await echoService(0)
const ports = { primary: portOf(primary), standby: portOf(standby) }
const settings = { echo: { port: ports.primary } }

// What is asked, and what is done when it does not answer.
const monitor = new ServiceMonitor({ settings, outagePingFrequency: second(1), errorPingFrequency: 0 })
monitor.register(new Service({
  name: 'echo',
  host: '127.0.0.1',
  port: ports.primary,
  failoverSettings: { echo: { port: ports.standby } },
  standby: new TCPCheck({ host: '127.0.0.1', port: ports.standby }),
  recoverAfter: 2
}))

const app = Fastify({ logger: { hooks: { logMethod: failoverLogMethod(monitor) } } })
await app.register(statusPlugin, { registry: new StatusRegistry(), svcStatus: { html: { refresh: second(1), title: 'Failover' } } })
await app.register(failoverPlugin, { monitor })
app.get('/', { logLevel: 'warn' }, async () => ({ says: await echo('hello'), port: settings.echo.port === ports.standby ? 'standby' : 'primary' }))
app.addHook('onClose', async () => {
  await monitor.close()
  for (const server of [primary, standby]) server.close()
})

const origin = await app.listen({ host: HOST, port: Number(PORT) })
console.log(`${origin}/svc_status`)

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { ended.abort() })
try {
  const asking = ask(ended.signal)
  await pause(Number(DOWN_AFTER), undefined, { signal: ended.signal })
  primary.close()
  await pause(Number(UP_AFTER) - Number(DOWN_AFTER), undefined, { signal: ended.signal })
  primary.listen(ports.primary, '127.0.0.1')
  await asking
} catch (error) {
  if (!ended.signal.aborted) throw error
} finally {
  await app.close()
}

/** Somebody who uses the service all the time. */
async function ask (signal: AbortSignal): Promise<void> {
  let last = ''
  while (!signal.aborted) {
    const reply = await fetch(origin)
    const said = `${reply.status} ${await reply.text()}`
    if (said !== last) app.log.info(`the client got ${said}`)
    last = said
    await pause(100)
  }
}

async function echo (text: string): Promise<string> {
  const socket = connect(settings.echo.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(text)
    const [data] = await once(socket, 'data')
    return String(data)
  } finally {
    socket.destroy()
  }
}

async function echoService (port: number): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}

function portOf (server: Server): number {
  return (server.address() as AddressInfo).port
}
