import { Agent, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import t from 'tap'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'

t.test('a kept connection whose reply was under way when the drain began does not hold up the close', async (t) => {
  const app = fastify({ keepAliveTimeout: 60_000 })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await app.register(statusPlugin, { registry: new StatusRegistry() })
  let asked: () => void = () => {}
  let answer: (body: string) => void = () => {}
  const request = new Promise<void>((resolve) => { asked = resolve })
  app.get('/slow', async () => await new Promise<string>((resolve) => { asked(); answer = resolve }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  const reply = new Promise<string | undefined>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/slow', agent }, (response) => {
      response.resume().on('end', () => resolve(response.headers.connection))
    }).on('error', reject)
  })
  await request
  const drained = app.svcStatus.drain({ delay: 0 })
  setTimeout(() => answer('done'), 100)
  t.equal(await reply, 'keep-alive', 'it was not told to leave: its request came before')
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, 'late').unref())
  t.equal(await Promise.race([drained, late]), undefined, 'closed long before keepAliveTimeout')
})
