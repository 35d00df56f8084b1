import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'
import { invalid } from '../core/options.js'

/**
 * An `onRequest` hook that lets in whom `auth` lets in; others get 401 with the challenge that belongs to the auth, or 403
 * where it has none. A hook that merely returned false would let everybody in.
 *
 * @throws ERR_INVALID_OPTION when `auth` is no function
 * @example
 * fastify.get('/admin', { onRequest: requireAuth(bearerToken(token)) }, handler)
 */
export function requireAuth (auth: Auth): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  if (typeof auth !== 'function') throw invalid('the argument of requireAuth()', 'a function', auth)
  return async (request, reply) => {
    let letIn
    try {
      letIn = await auth(request)
    } catch (err) {
      // One that says what to answer is meant for the reply; in the message of another may be anything.
      if (typeof (err as { statusCode?: unknown } | undefined)?.statusCode === 'number') throw err
      request.log.error({ err }, 'the auth of a route threw')
      return reply.code(500).header('cache-control', 'no-store').send({ statusCode: 500, error: 'Internal Server Error', message: 'who you are could not be found out' })
    }
    return letIn === true ? undefined : refuse(auth, reply)
  }
}

function refuse ({ challenge, expects }: Auth, reply: FastifyReply): FastifyReply {
  const message = expects === undefined ? 'you are not let in' : `you are not let in: this needs ${expects}`
  reply.header('cache-control', 'no-store')
  if (challenge === undefined) return reply.code(403).send({ statusCode: 403, error: 'Forbidden', message })
  return reply.code(401).header('www-authenticate', challenge).send({ statusCode: 401, error: 'Unauthorized', message })
}
