import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'
import { requireAuth } from '../auth/require-auth.js'
import { codedError, show } from '../core/errors.js'
import { isInService, type Decommissioning } from '../probe/decommissioning.js'
import { described, quietRoute, type RouteOptions } from './quiet-route.js'

/** Whether the instance is in service, and the switch for it. */
export function probeStatusRoutes (fastify: FastifyInstance, path: string, decommissioning: Decommissioning, auth: Auth, options: RouteOptions): void {
  fastify.route(quietRoute(options, {
    url: path,
    summary: 'Whether the instance is in service: 200 OK, or 503 with what it was decommissioned with',
    contentTypes: ['text/plain'],
    handler: (_request, reply) => {
      reply.header('cache-control', 'no-store')
      const { body } = decommissioning
      if (body === undefined) return 'OK'
      reply.code(503)
      return body
    }
  }))

  // A scope of its own: the content types of the app are none of our business.
  fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => {
      payload.resume()
      done(null)
    })
    scope.route({
      method: 'POST',
      url: path,
      logLevel: options.logLevel,
      ...described('Decommissions with body=…, recommissions with body=OK or without a query', ['text/plain'], {
        querystring: { type: 'object', properties: { body: { type: 'string', minLength: 1, maxLength: 256 } }, additionalProperties: false }
      }),
      onRequest: [requireAuth(auth), ignoreContentType],
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store')
        const body = bodyOf(request)
        if (isInService(body)) await decommissioning.recommission()
        else await decommissioning.decommission(body)
        return reply.type('text/plain; charset=utf-8').send(body)
      }
    })
  })
}

/** Fastify answers 415 to a content type that it cannot even read, before it asks for a parser. */
async function ignoreContentType ({ raw }: FastifyRequest): Promise<void> {
  if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'application/octet-stream'
}

/** From the address itself: what an app's own query parser makes of a repeated or nested key is anybody's guess. */
function bodyOf ({ raw }: FastifyRequest): string {
  const address = raw.url as string
  const start = address.indexOf('?')
  // Some apps take what follows a semicolon for the query: as long as we do not, it must not pass for no query at all.
  if (/[;#]/.test(start === -1 ? address : address.slice(0, start))) throw badQuery('the address has ; or #, and no query before it')
  const query = new URLSearchParams(start === -1 ? '' : address.slice(start))
  const values = query.getAll('body')
  const others = [...query.keys()].filter((key) => key !== 'body')
  if (others.length > 0) throw badQuery(`the query has ${show(others[0])}; it takes body alone`)
  if (values.length > 1) throw badQuery('the query has body more than once')
  return values[0] ?? 'OK'
}

function badQuery (problem: string): Error {
  return codedError('ERR_INVALID_DECOMMISSION', `${problem}; nothing was changed`, { statusCode: 400 })
}
