import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { LivePage } from './live-page.js'
import { seesDetails, type Pipeline } from './pipeline.js'
import { quietRoute, type RouteOptions } from './quiet-route.js'

const contentType = 'text/event-stream'

/** Server-sent events with what is new on a page. */
export function livePageRoute (fastify: FastifyInstance, path: string, page: LivePage, refresh: number, pipeline: Pipeline, options: RouteOptions): void {
  const follow = (details: boolean, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { refusal } = page
    if (refusal !== undefined) {
      return reply.code(503).header('retry-after', Math.ceil(refresh / 1000))
        .send({ statusCode: 503, error: 'Service Unavailable', message: `${refusal}; the page loads itself again instead` })
    }
    reply.headers({
      'content-type': contentType,
      // Who compresses a stream keeps what is written until there is enough of it.
      'cache-control': 'no-store, no-transform',
      // https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff'
    })
    if (request.method === 'HEAD') return reply.send()
    // A connection that is kept after its stream would hold up the close of the server. HTTP/2 knows no such header.
    if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
    return reply.send(page.follow(details, reply.raw))
  }

  fastify.route(quietRoute(options, {
    url: path,
    summary: 'What changes on the page, as server-sent events',
    contentTypes: [contentType],
    handler: (request, reply) => {
      reply.header('cache-control', 'no-store')
      const details = seesDetails(pipeline, request)
      return typeof details === 'boolean' ? follow(details, request, reply) : details.then((sees) => follow(sees, request, reply))
    }
  }))
}
