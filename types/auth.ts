import type { FastifyRequest } from 'fastify'

/** Decides whether a request is let in. Only `true` lets it in. */
export interface Auth {
  (request: FastifyRequest): boolean | Promise<boolean>
  /** The `WWW-Authenticate` header of the 401 that a refused request gets. Without one it gets 403. */
  readonly challenge?: string
  /** What a refused request should have brought, for the reply's `message`. */
  readonly expects?: string
  /** Who a request that was let in comes from, for people: a name, never a secret. */
  readonly who?: (request: FastifyRequest) => string | undefined
}
