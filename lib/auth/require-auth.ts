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
    if (await auth(request) === true) return undefined
    return refuse(auth, reply)
  }
}

function refuse ({ challenge, expects }: Auth, reply: FastifyReply): FastifyReply {
  const message = expects === undefined ? 'you are not let in' : `you are not let in: this needs ${expects}`
  reply.header('cache-control', 'no-store')
  if (challenge === undefined) return reply.code(403).send({ statusCode: 403, error: 'Forbidden', message })
  return reply.code(401).header('www-authenticate', challenge).send({ statusCode: 401, error: 'Unauthorized', message })
}
