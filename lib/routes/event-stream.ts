import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'

export const eventStreamType = 'text/event-stream'

/** A page that readers follow. */
export interface Followed {
  /** Why nobody more may follow, or nothing. */
  readonly refusal: string | undefined
  /** How often the page loads itself where it cannot be followed, in milliseconds. */
  readonly refresh: number
  stream (): Readable
}

/** Replies with server-sent events with what is new on a page, or says that it cannot be followed at present. */
export function sendEvents (request: FastifyRequest, reply: FastifyReply, { refusal, refresh, stream }: Followed): FastifyReply {
  if (refusal !== undefined) {
    return reply.code(503).header('retry-after', Math.ceil(refresh / 1000))
      .send({ statusCode: 503, error: 'Service Unavailable', message: `${refusal}; the page loads itself again instead` })
  }
  reply.headers({
    'content-type': eventStreamType,
    // Who compresses a stream keeps what is written until there is enough of it.
    'cache-control': 'no-store, no-transform',
    // https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff'
  })
  if (request.method === 'HEAD') return reply.send()
  // A connection that is kept after its stream would hold up the close of the server. HTTP/2 knows no such header.
  if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
  return reply.send(stream())
}
