import { createServer, request, Agent, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import t from 'tap'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'

async function connectionHeader ({ address: host, port }: AddressInfo, agent: Agent): Promise<string | undefined> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host, port, path: '/live_status', agent }, resolve).on('error', reject).end()
  })
  reply.resume()
  return reply.headers.connection
}

t.test('keep-alive clients of a second server on the port of the app are told to leave, those of other servers are not', async (t) => {
  const app = fastify()
  // What Fastify starts by itself for ::1 where `localhost` has two addresses, and shows to nobody.
  const second = createServer((request, response) => app.routing(request, response))
  const other = createServer((_request, response) => response.end())
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => {
    agent.destroy()
    second.close()
    other.close()
    await app.close()
  })
  await app.register(statusPlugin, { registry: new StatusRegistry() })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  await new Promise<void>((resolve) => second.listen(port, '127.0.0.2', resolve))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const servers = [app.server, second, other].map((server) => server.address() as AddressInfo)
  const headers = async (): Promise<unknown> => await Promise.all(servers.map(async (address) => await connectionHeader(address, agent)))

  t.strictSame(await headers(), ['keep-alive', 'keep-alive', 'keep-alive'])
  await app.svcStatus.decommission()
  t.strictSame(await headers(), ['close', 'close', 'keep-alive'])
  await app.svcStatus.recommission()
  t.strictSame(await headers(), ['keep-alive', 'keep-alive', 'keep-alive'])
})
