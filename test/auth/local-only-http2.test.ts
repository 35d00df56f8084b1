import http2 from 'node:http2'
import Fastify from 'fastify'
import t from 'tap'
import { localOnly, requireAuth } from '../../lib/index.js'

t.test('a local HTTP/2 client, whose host is in :authority, is let in; a foreign authority is not', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(async () => await app.close())
  app.get('/', { onRequest: requireAuth(localOnly()) as never }, () => 'in')
  const session = http2.connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => session.destroy())
  const status = async (headers: http2.OutgoingHttpHeaders): Promise<unknown> => await new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ...headers })
    stream.on('response', (reply) => resolve(reply[':status']))
    stream.on('error', reject)
    stream.resume()
  })
  t.equal(await status({}), 200)
  t.equal(await status({ ':authority': 'evil.example.com' }), 403)
  t.equal(await status({ ':authority': 'evil.example.com', host: 'localhost' }), 403)
  t.equal(await status({ 'x-forwarded-for': '127.0.0.1' }), 403)
})
