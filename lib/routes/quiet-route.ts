import type { FastifyReply, FastifyRequest, RouteOptions as FastifyRouteOptions } from 'fastify'
import type { StatusPluginOptions } from '../../types/options.js'

export interface RouteOptions {
  readonly logLevel: NonNullable<StatusPluginOptions['logLevel']>
}

interface Route {
  readonly url: string
  readonly summary: string
  readonly contentTypes: readonly string[]
  readonly params?: object
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => unknown
}

/** A route for GET and HEAD that writes no line into the log at its level, and appears in OpenAPI. */
export function quietRoute ({ logLevel }: RouteOptions, { url, summary, contentTypes, params, handler }: Route): FastifyRouteOptions {
  return {
    // Both by hand, so that HEAD works whatever the app says about exposeHeadRoutes.
    method: ['GET', 'HEAD'],
    exposeHeadRoute: false,
    url,
    logLevel,
    ...described(summary, contentTypes, params && { params }),
    handler
  }
}

/**
 * Describes a route in OpenAPI, and does no more: what comes is checked by the handlers, whose replies are text already,
 * and compiling validators and serializers would cost at every start.
 */
export function described (summary: string, contentTypes: readonly string[], more: object = {}): Pick<FastifyRouteOptions, 'config' | 'schema' | 'validatorCompiler' | 'serializerCompiler'> {
  const content = Object.fromEntries(contentTypes.map((contentType) => [contentType.split(';')[0], { schema: { type: 'string' } }]))
  return {
    config: { svcStatus: true },
    schema: { summary, tags: ['status'], response: { 200: { description: summary, content } }, ...more } as FastifyRouteOptions['schema'],
    validatorCompiler: () => () => true,
    serializerCompiler: () => (data) => JSON.stringify(data)
  }
}
