/* Workers behind one port, which share a decommission in a file. The primary starts a worker anew whenever one is gone. */
import cluster from 'node:cluster'
import Fastify from 'fastify'
import statusPlugin, { bearerToken, fileStore } from 'fastify-svc-status'

const { PORT, TOKEN, FILE, WORKERS } = process.env as Record<string, string>

if (cluster.isPrimary) {
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork()
  cluster.on('exit', () => cluster.fork())
} else {
  const app = Fastify()
  app.addHook('onRequest', async (_request, reply) => { reply.header('x-instance', String(process.pid)) })
  await app.register(statusPlugin, { probeStatus: { auth: bearerToken(TOKEN), store: fileStore(FILE) } })
  await app.listen({ host: '127.0.0.1', port: Number(PORT) })
  console.log(`worker ${process.pid}`)
}
