import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'
import { requireAuth } from '../auth/require-auth.js'
import { show } from '../core/errors.js'
import { writtenTime } from '../core/written-time.js'
import { isInService, longest, refused, shortest } from '../probe/decommission.js'
import type { Decommissioning } from '../probe/decommissioning.js'
import type { Readiness } from '../probe/readiness.js'
import { described, quietRoute, type RouteOptions } from './quiet-route.js'

interface Probe {
  readonly path: string
  readonly auth: Auth
  readonly decommissioning: Decommissioning
  readonly readiness: Readiness
}

/** Whether the instance is in service, and the switch for it. */
export function probeStatusRoutes (fastify: FastifyInstance, { path, auth, decommissioning, readiness }: Probe, options: RouteOptions): void {
  fastify.route(quietRoute(options, {
    url: path,
    summary: 'Whether the instance is in service: 200 OK, or 503 with what it was decommissioned with, DRAINING, STARTING, or what is RED',
    contentTypes: ['text/plain'],
    handler: (_request, reply) => {
      reply.header('cache-control', 'no-store')
      const body = decommissioning.body ?? readiness.body
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
        querystring: {
          type: 'object',
          properties: {
            body: { type: 'string', minLength: 1, maxLength: 256 },
            for: { type: 'string', pattern: time.source, description: 'after how long it ends by itself' },
            reason: { type: 'string', minLength: 1, maxLength: 256 }
          },
          additionalProperties: false
        }
      }),
      onRequest: [requireAuth(auth), ignoreContentType],
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store')
        const { body, ...options } = queryOf(request)
        if (isInService(body)) await decommissioning.recommission()
        else await decommissioning.decommission(body, { ...options, by: whoIs(request, auth) })
        return reply.type('text/plain; charset=utf-8').send(body)
      }
    })
  })
}

/** Fastify answers 415 to a content type that it cannot even read, before it asks for a parser. */
async function ignoreContentType ({ raw }: FastifyRequest): Promise<void> {
  if (raw.headers['content-type'] !== undefined) raw.headers['content-type'] = 'application/octet-stream'
}

interface Query {
  readonly body: string
  readonly for?: number
  readonly reason?: string
}

const keys = ['body', 'for', 'reason']

/** From the address itself: what an app's own query parser makes of a repeated or nested key is anybody's guess. */
function queryOf ({ raw }: FastifyRequest): Query {
  const address = raw.url as string
  const start = address.indexOf('?')
  // Some apps take what follows a semicolon for the query: as long as we do not, it must not pass for no query at all.
  if (/[;#]/.test(start === -1 ? address : address.slice(0, start))) throw refused('the address has ; or #, and no query before it')
  const query = new URLSearchParams(start === -1 ? '' : address.slice(start))
  for (const key of query.keys()) {
    if (!keys.includes(key)) throw refused(`the query has ${show(key)}; it takes body, for and reason`)
    if (query.getAll(key).length > 1) throw refused(`the query has ${key} more than once`)
  }
  const [body, duration, reason] = keys.map((key) => query.get(key) ?? undefined)
  if ((duration !== undefined || reason !== undefined) && (body === undefined || isInService(body))) {
    throw refused('the query has for or reason, but no body to decommission with, such as body=OFF')
  }
  return { body: body ?? 'OK', for: duration === undefined ? undefined : durationOf(duration), reason }
}

const time = /^\d{1,9}[smhd]$/

function durationOf (text: string): number {
  const length = time.test(text) ? writtenTime(text) : undefined
  if (length === undefined || length < shortest || length > longest) {
    throw refused(`for must be a whole number and a unit (s, m, h or d), from 1s to 365d, such as 30m; it is ${show(text)}`)
  }
  return length
}

/** Whoever was let in may do it, also where who it is cannot be told or shown. */
function whoIs (request: FastifyRequest, auth: Auth): string | undefined {
  try {
    const name: unknown = auth.who?.(request)
    return typeof name === 'string' ? shownName(name) : undefined
  } catch (err) {
    request.log.warn({ err }, 'the auth of the probe could not tell who decommissions')
  }
}

function shownName (name: string): string | undefined {
  return name.toWellFormed().replace(/\p{Cc}/gu, '').slice(0, 100).toWellFormed() || undefined
}
