import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { OK, RED, type StatusHandler } from 'fastify-svc-status'

/** Asks an upstream over HTTP. An error of the request makes the handler RED, and the log has the whole of it. */
export function upstream (url: string): StatusHandler {
  return ({ signal }) => new Promise((resolve, reject) => {
    // The signal ends the request when the handler runs past its timeout. A connection for each question, for one
    // that is kept may have been closed by the other side just now.
    get(url, { signal, agent: false }, (reply) => {
      reply.resume()
      resolve({ state: reply.statusCode === 200 ? OK : RED, detail: `answered ${reply.statusCode}` })
    }).on('error', reject)
  })
}

/** Something to ask where there is no upstream: a server on a free port, which closes with the app. */
export async function startUpstream (app: FastifyInstance): Promise<string> {
  const server = createServer((_request, reply) => { reply.end('fine') }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  app.addHook('onClose', async () => { server.close() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
