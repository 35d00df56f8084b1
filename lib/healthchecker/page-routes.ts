import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Fleet } from '../../types/healthchecker.js'
import type { Clock } from '../../types/time.js'
import { requireAuth } from '../auth/require-auth.js'
import { headersOf } from '../formats/html-parts.js'
import { described } from '../routes/quiet-route.js'
import { statusCodeOf, unknown, type Failure } from './app-routes.js'
import { readQuery } from './app-query.js'
import { appPage } from './pages/app-page.js'
import { listPage } from './pages/list-page.js'
import { addressOf } from './pages/page-parts.js'
import { pageStyles } from './pages/page-styles.js'
import type { Writers } from './writers.js'

interface Named { Params: { name: string } }

const headers = { ...headersOf(pageStyles, true), 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** A token is some dozens of characters; a web token may be some thousands. */
const longestForm = 16 * 1024

/** What became of a form, by the word in the address that it leads to. */
const sayings = new Map([
  ['token', 'The token is wrong: nothing was changed.'],
  ['failed', 'This could not be stored: nothing was changed.']
])

/** The pages: the fleet, and each app with a form that pauses and resumes it. */
export function pageRoutes (fastify: FastifyInstance, fleet: Fleet, writers: Writers, clock: Clock): void {
  const page = (summary: string, more: object = {}): RouteShorthandOptions => ({ ...described(summary, ['text/html'], more), logLevel: 'warn' })
  const params = { params: { type: 'object', properties: { name: { type: 'string' } } } }

  fastify.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: longestForm }, (_request, body, done) => done(null, new URLSearchParams(String(body))))

    scope.get('/', page('The status page of the fleet'), async (request, reply) => {
      const query = readQuery(request.query as Record<string, unknown>)
      reply.headers(headers)
      return listPage({ page: fleet.list(query), query, counts: fleet.counts, trouble: fleet.trouble, at: clock.now() })
    })

    scope.get<Named>('/status/:name', page('The status page of one app', params), async ({ params, query }, reply) => {
      const app = fleet.get(params.name)
      const history = await fleet.history(params.name)
      if (app === undefined || history === undefined) unknown(params.name)
      const { said } = query as { said?: unknown }
      reply.headers(headers)
      return appPage({ app, history, trouble: fleet.trouble, token: writers.token, said: sayings.get(String(said)), at: clock.now() })
    })

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
