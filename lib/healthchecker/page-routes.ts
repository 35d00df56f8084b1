import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Fleet, FleetQuery } from '../../types/healthchecker.js'
import type { State } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { requireAuth } from '../auth/require-auth.js'
import { worst } from '../core/state.js'
import { headersOf } from '../formats/html-parts.js'
import { eventStreamType, sendEvents } from '../routes/event-stream.js'
import { described, quietRoute } from '../routes/quiet-route.js'
import { statusCodeOf, unknown, type Failure } from './app-routes.js'
import { readQuery } from './app-query.js'
import { LivePages, type LiveSource } from './live/live-pages.js'
import { ownNames } from './own-status.js'
import { appPage, appParts, goneParts } from './pages/app-page.js'
import { listAddress, listPage, listParts } from './pages/list-page.js'
import { addressOf, refresh } from './pages/page-parts.js'
import { pageStyles } from './pages/page-styles.js'
import type { Writers } from './writers.js'

interface Named { Params: { name: string } }

const headers = { ...headersOf(pageStyles, true), 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** A token is some dozens of characters; a web token may be some thousands. */
const longestForm = 16 * 1024

const quiet = { logLevel: 'warn' } as const

const refreshEvery = refresh * 1000

/** What became of a form, by the word in the address that it leads to. */
const sayings = new Map([
  ['token', 'The token is wrong: nothing was changed.'],
  ['failed', 'This could not be stored: nothing was changed.']
])

/** The pages: the fleet, and each app with a form that pauses and resumes it; and what changes on them. */
export function pageRoutes (fastify: FastifyInstance, fleet: Fleet, writers: Writers, clock: Clock): void {
  const page = (summary: string, more: object = {}): RouteShorthandOptions => ({ ...described(summary, ['text/html'], more), ...quiet })
  const live = new LivePages({ fleet, clock, log: fastify.log, refresh: refreshEvery })
  fastify.addHook('preClose', async () => await live.close())
  const params = { params: { type: 'object', properties: { name: { type: 'string' } } } }

  fastify.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: longestForm }, (_request, body, done) => done(null, new URLSearchParams(String(body))))

    /** As `svc_status` has it: of all apps, and of what the healthchecker says of itself. */
    const overall = async (): Promise<State> => {
      const own = Object.values(ownNames).filter((name) => fleet.registry.has(name))
      const statuses = await Promise.all(own.map(async (name) => await fleet.registry.getStatus(name)))
      return statuses.reduce((state, status) => worst(state, status.state), fleet.state)
    }
    const list = (query: FleetQuery): LiveSource => ({
      of: 'list',
      key: listAddress(query),
      async make () {
        const page = await fleet.select({ ...query, order: 'worst' })
        return listParts({ page, query, state: await overall(), counts: fleet.counts, trouble: fleet.trouble, at: clock.now() })
      }
    })
    const one = (name: string): LiveSource => ({
      of: 'app',
      key: name,
      async make () {
        const history = await fleet.history(name)
        const app = fleet.get(name)
        if (app === undefined || history === undefined) return goneParts(name, clock.now())
        return appParts({ app, history, trouble: fleet.trouble, token: writers.token, at: clock.now() })
      }
    })
    const follow = (source: LiveSource, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
      sendEvents(request, reply, { refusal: live.refusal(source), refresh: refreshEvery, stream: () => live.follow(source, reply.raw) })

    scope.get('/', page('The status page of the fleet'), async ({ query: asked }, reply) => {
      const query = readQuery(asked as Record<string, unknown>)
      const parts = await list(query).make()
      reply.headers(headers)
      return listPage(query, await overall(), parts)
    })
    scope.route(quietRoute(quiet, {
      url: '/live',
      summary: 'What changes on the status page of the fleet, as server-sent events',
      contentTypes: [eventStreamType],
      handler: (request, reply) => follow(list(readQuery(request.query as Record<string, unknown>)), request, reply.header('cache-control', 'no-store'))
    }))

    scope.get<Named>('/status/:name', page('The status page of one app', params), async ({ params: { name }, query }, reply) => {
      const parts = await one(name).make()
      const app = fleet.get(name)
      const { said } = query as { said?: unknown }
      reply.headers(headers)
      if (app === undefined) reply.code(404)
      return appPage({ name, state: app?.status.state ?? 'YELLOW', said: sayings.get(String(said)) }, parts)
    })
    scope.route(quietRoute(quiet, {
      url: '/status/:name/live',
      summary: 'What changes on the status page of one app, as server-sent events',
      contentTypes: [eventStreamType],
      ...params,
      handler: (request, reply) => {
        const { name } = request.params as Named['Params']
        if (fleet.get(name) === undefined) unknown(name)
        return follow(one(name), request, reply.header('cache-control', 'no-store'))
      }
    }))

    const change = (does: 'pause' | 'resume'): void => {
      // With a token, it is the token in the form that says who may; without one, that it is our own page that asks.
      const onRequest = writers.token ? [] : [requireAuth(writers.auth)]
      scope.post<Named>(`/status/:name/${does}`, { ...page(`Does what a form on the page of an app asks for: ${does}`, params), onRequest }, async (request, reply) => {
        return await changed(request, reply, async (name) => does === 'pause' ? await fleet.pause(name, { by: request.ip }) : await fleet.resume(name, request.ip))
      })
    }
    change('pause')
    change('resume')

    const changed = async (request: FastifyRequest<Named>, reply: FastifyReply, change: (name: string) => Promise<boolean>): Promise<FastifyReply> => {
      const { name } = request.params
      const typed = request.body instanceof URLSearchParams ? request.body.get('token') ?? '' : ''
      if (!writers.isRight(typed)) return reply.redirect(`${addressOf(name)}?said=token`, 303)
      try {
        if (!await change(name)) unknown(name)
      } catch (error) {
        if (statusCodeOf(error as Failure) !== 503) throw error
        return reply.redirect(`${addressOf(name)}?said=failed`, 303)
      }
      // The page is loaded anew by GET, so that loading it again repeats nothing.
      return reply.redirect(addressOf(name), 303)
    }
  })
}
