import type { FastifyInstance } from 'fastify'
import { quietRoute, type RouteOptions } from './quiet-route.js'

/** 200 while the process can answer at all. */
export function liveStatusRoute (fastify: FastifyInstance, path: string, options: RouteOptions): void {
  fastify.route(quietRoute(options, {
    url: path,
    summary: 'Whether the process answers',
    contentTypes: ['text/plain'],
    handler: (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return 'OK'
    }
  }))
}
