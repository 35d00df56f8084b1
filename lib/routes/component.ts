import type { FastifyReply, FastifyRequest } from 'fastify'
import { RED } from '../core/state.js'
import { seesDetails, type Pipeline } from './pipeline.js'
import Negotiator from 'negotiator'

const text = 'text/plain'
const json = 'application/json'

/** One handler, for a load balancer: 200 while it is OK or YELLOW, 503 while it is RED. The state as text, or the status as JSON. */
export function component (pipeline: Pipeline): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const { name } = request.params as { name: string }
    reply.header('cache-control', 'no-store')
    if (name === '') return reply.redirect(`../${pipeline.path}${queryOf(request.raw.url)}`, 308)
    if (!pipeline.registry.has(name)) {
      return reply.code(404).send({ statusCode: 404, error: 'Not Found', message: `there is no status handler ${JSON.stringify(name)}` })
    }
    const details = await seesDetails(pipeline, request)
    const status = await pipeline.registry.getStatus(name, { timeout: pipeline.timeout })
    reply.code(status.state === RED ? 503 : 200).header('vary', 'accept').header('x-content-type-options', 'nosniff')
    if (new Negotiator(request.raw).mediaType([text, json]) === json) {
      return reply.header('content-type', `${json}; charset=utf-8`).send(JSON.stringify(details ? status : { state: status.state }))
    }
    return reply.header('content-type', `${text}; charset=utf-8`).send(status.state)
  }
}

function queryOf (url = ''): string {
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start)
}
