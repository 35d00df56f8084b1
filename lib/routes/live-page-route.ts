import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { eventStreamType, sendEvents } from './event-stream.js'
import type { LivePage } from './live-page.js'
import { seesDetails, type Pipeline } from './pipeline.js'
import { quietRoute, type RouteOptions } from './quiet-route.js'

/** Server-sent events with what is new on a page. */
export function livePageRoute (fastify: FastifyInstance, path: string, page: LivePage, refresh: number, pipeline: Pipeline, options: RouteOptions): void {
  const follow = (details: boolean, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendEvents(request, reply, { refusal: page.refusal, refresh, stream: () => page.follow(details, reply.raw) })

  fastify.route(quietRoute(options, {
    url: path,
    summary: 'What changes on the page, as server-sent events',
    contentTypes: [eventStreamType],
    handler: (request, reply) => {
      reply.header('cache-control', 'no-store')
      const details = seesDetails(pipeline, request)
      return typeof details === 'boolean' ? follow(details, request, reply) : details.then((sees) => follow(sees, request, reply))
    }
  }))
}
