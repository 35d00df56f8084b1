import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Fleet, Registration, WatchedApp } from '../../types/healthchecker.js'
import { requireAuth } from '../auth/require-auth.js'
import { codedError, show } from '../core/errors.js'
import { historyView, viewOf } from './app-view.js'
import { readQuery } from './app-query.js'
import { schemas } from './app-schemas.js'
import { mailReceivers, type MailAllow } from './mail/receivers.js'
import { wrong } from './registration-parameters.js'
import { readRegistration } from './registration.js'
import { Turnstile } from './turnstile.js'
import type { Writers } from './writers.js'

export interface AppRoutesOptions {
  readonly fleet: Fleet
  readonly writers: Writers
  /** Who may get mail, whoever registers. */
  readonly mailAllow: MailAllow
}

/** What a registration holds is some 3 KB at most, in the longest notation four times as much. */
const longestBody = 16 * 1024

const longestReason = 200

/** What a fleet refuses is no fault of the server's; a store that fails is, and it may work again. */
const statusCodes: Readonly<Record<string, number>> = {
  ERR_TARGET_REFUSED: 400,
  ERR_TOO_MANY_APPS: 507,
  ERR_STORE_FAILED: 503,
  ERR_FLEET_CLOSED: 503
}

/** So many requests that change something go on in one turn of the event loop: where a thousand apps register at once, others have their turn too. */
const mostAtOnce = 50

interface Named { Params: { name: string } }

/** `/apps`: registers, shows, pauses, resumes and deregisters what is watched. */
export function appRoutes (fastify: FastifyInstance, { fleet, writers, mailAllow }: AppRoutesOptions): void {
  const turnstile = new Turnstile(mostAtOnce)
  const write = { onRequest: requireAuth(writers.auth), preParsing: async () => await turnstile.pass(), bodyLimit: longestBody }

  const register = async (request: FastifyRequest, reply: FastifyReply, registration: Registration): Promise<object> => {
    const { name } = registration
    const trusted = writers.isTrusted(request)
    const email = mailReceivers(registration.email, mailAllow, trusted)
    const how = await fleet.register({ ...registration, email }, { by: request.ip, remote: writers.isRemote(request), trusted })
    reply.code(how === 'created' ? 201 : 200).header('location', `/apps/${encodeURIComponent(name)}`)
    return { registered: how, ...viewOf(appOf(fleet, name), true) }
  }
  /** Who gets mail is nothing for everybody. */
  const sees = (request: FastifyRequest): boolean => !writers.token || writers.isTrusted(request)

  fastify.register(async (scope) => {
    // A form of somebody else's page could send text, but no JSON.
    scope.removeContentTypeParser('text/plain')
    scope.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })
    scope.setErrorHandler(async (error: Failure, request, reply) => await sendFailure(error, request, reply))

    scope.get('/apps', { ...schemas.list, logLevel: 'warn' }, async (request) => {
      const query = readQuery(request.query as Record<string, unknown>)
      const { total, apps } = await fleet.select(query)
      const receivers = sees(request)
      return { total, offset: query.offset, limit: query.limit, counts: fleet.counts, trouble: fleet.trouble, apps: apps.map((app) => viewOf(app, receivers)) }
    })
    scope.post('/apps', { ...schemas.register, ...write }, async (request, reply) => await register(request, reply, readRegistration(request.body)))
    scope.put<Named>('/apps/:name', { ...schemas.put, ...write }, async (request, reply) => await register(request, reply, readRegistration(request.body, request.params.name)))
    scope.get<Named>('/apps/:name', { ...schemas.read, logLevel: 'warn' }, async (request) => viewOf(appOf(fleet, request.params.name), sees(request)))
    scope.get<Named>('/apps/:name/history', { ...schemas.history, logLevel: 'warn' }, async ({ params }) => historyView(await fleet.history(params.name) ?? unknown(params.name)))
    scope.delete<Named>('/apps/:name', { ...schemas.deregister, ...write }, async ({ params }, reply) => {
      if (!await fleet.deregister(params.name)) unknown(params.name)
      reply.code(204)
    })
    scope.post<Named>('/apps/:name/pause', { ...schemas.pause, ...write }, async (request) => {
      const { name } = request.params
      if (!await fleet.pause(name, { by: request.ip, ...reasonOf(request.body) })) unknown(name)
      return viewOf(appOf(fleet, name), true)
    })
    scope.post<Named>('/apps/:name/resume', { ...schemas.resume, ...write }, async (request) => {
      const { name } = request.params
      if (!await fleet.resume(name, request.ip)) unknown(name)
      return viewOf(appOf(fleet, name), true)
    })
  })
}

function appOf (fleet: Fleet, name: string): WatchedApp {
  return fleet.get(name) ?? unknown(name)
}

export function unknown (name: string): never {
  throw codedError('ERR_UNKNOWN_APP', `there is no app ${show(name)}`, { statusCode: 404 })
}

/** What may reach a route's error handler: ours, Fastify's, or one that nobody expected. */
export interface Failure { readonly message: string, readonly code?: string, readonly statusCode?: number }

/** The status code of a failure; 500 where nobody expected it, and then its message is for the log alone. */
export function statusCodeOf ({ code = '', statusCode }: Failure): number {
  return statusCode ?? statusCodes[code] ?? 500
}

async function sendFailure (failure: Failure, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const statusCode = statusCodeOf(failure)
  if (statusCode === 500) request.log.error({ err: failure }, 'a request failed')
  reply.code(statusCode)
  return { statusCode, code: failure.code, error: STATUS_CODES[statusCode], message: statusCode === 500 ? 'this went wrong, and the log says why' : failure.message }
}

function reasonOf (body: unknown): { why?: string } {
  if (body === undefined || body === null) return {}
  if (typeof body !== 'object' || Array.isArray(body)) throw wrong('why', 'in an object', body)
  const { why, ...others } = body as { why?: unknown }
  const [other] = Object.keys(others)
  if (other !== undefined) throw wrong(other, 'absent: there is only "why"', others[other as never])
  if (why === undefined) return {}
  if (typeof why !== 'string' || why === '' || why.length > longestReason || /\p{Cc}/u.test(why)) {
    throw wrong('why', `a text of 1 to ${longestReason} characters without control characters`, why)
  }
  return { why }
}
