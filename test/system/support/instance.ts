/* One of the instances behind the balancer: an app with quick, slow, streamed and posted replies. */
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import statusPlugin, { bearerToken, OK, redisStore } from 'fastify-svc-status'

const { PORT, TOKEN, DRAIN_DELAY, NAME, REDIS } = process.env as Record<string, string>

const app = Fastify()
app.addHook('onRequest', async (_request, reply) => { reply.header('x-instance', NAME) })

await app.register(statusPlugin, {
  handlers: { instance: () => OK },
  probeStatus: { auth: bearerToken(TOKEN), store: REDIS === undefined ? undefined : redisStore({ url: REDIS, key: `decommission:${NAME}` }) }
})
app.get('/quick', async () => 'quick')
app.get('/slow', async () => await setTimeout(5 + Math.random() * 20, 'slow'))
app.get('/streamed', async (_request, reply) => await reply.type('text/plain').send(Readable.from(slices())))
app.post('/posted', async ({ body }) => body)

process.on('SIGTERM', async () => await app.svcStatus.drain({ delay: Number(DRAIN_DELAY) }))
console.log(await app.listen({ host: '127.0.0.1', port: Number(PORT) }))

async function * slices (): AsyncGenerator<string> {
  for (let slice = 0; slice < 4; slice++) {
    yield 'streamed'
    await setTimeout(2)
  }
}
