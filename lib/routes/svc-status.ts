import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Format } from '../../types/format.js'
import { isLive, liveName } from '../formats/live-format.js'
import { component } from './component.js'
import { LivePage } from './live-page.js'
import { livePageRoute } from './live-page-route.js'
import { negotiate } from './negotiation.js'
import { sendSnapshot, type Body, type Pipeline } from './pipeline.js'
import { quietRoute, type RouteOptions } from './quiet-route.js'

export interface SvcStatusPaths {
  /** `/svc_status`, prefix included. */
  readonly path: string
  /** Where health+json is served as well. */
  readonly health?: string
}

/** `svc_status` in all formats, and each handler by its name. Gives the page that readers may follow, for who closes the app. */
export function svcStatusRoutes (fastify: FastifyInstance, paths: SvcStatusPaths, pipeline: Pipeline, options: RouteOptions): LivePage | undefined {
  const { path, health } = paths

  fastify.route(quietRoute(options, {
    url: path,
    summary: 'The status of all handlers in the format that Accept asks for',
    contentTypes: pipeline.formats.flatMap(({ contentTypes }) => contentTypes),
    handler: (request, reply) => {
      reply.header('vary', 'accept')
      const choice = negotiate(request.headers.accept, pipeline.formats)
      if (choice === undefined) return notAcceptable(pipeline.formats, path, reply)
      return sendSnapshot(pipeline, choice, request, reply)
    }
  }))

  for (const format of pipeline.formats) {
    fastify.route(quietRoute(options, {
      url: `${path}.${format.name}`,
      summary: `The status of all handlers as ${format.name}`,
      contentTypes: format.contentTypes,
      handler: one(format, pipeline)
    }))
  }

  const healthJson = pipeline.formats.find(({ name }) => name === 'health')
  if (health !== undefined && healthJson !== undefined) {
    fastify.route(quietRoute(options, {
      url: health,
      summary: 'The status of all handlers as health+json',
      contentTypes: healthJson.contentTypes,
      handler: one(healthJson, pipeline)
    }))
  }

  fastify.route(quietRoute(options, {
    url: `${path}/:name`,
    summary: 'The status of one handler: 200, or 503 while it is RED',
    contentTypes: ['text/plain; charset=utf-8', 'application/json; charset=utf-8'],
    params: { type: 'object', properties: { name: { type: 'string' } } },
    handler: component(pipeline)
  }))

  const live = pipeline.formats.find(isLive)
  if (live === undefined || live.listeners === 0) return undefined
  const page = new LivePage(live, pipeline, fastify.log)
  livePageRoute(fastify, `${path}.${liveName}`, page, live.refresh, pipeline, options)
  return page
}

/** The extension says the format; `Accept` only chooses among its content types, for an exposition format has two. */
function one (format: Format, pipeline: Pipeline): (request: FastifyRequest, reply: FastifyReply) => Body | Promise<Body> {
  const alone = [format]
  return (request, reply) => {
    const { contentTypes } = format
    if (contentTypes.length > 1) reply.header('vary', 'accept')
    const choice = contentTypes.length === 1 ? { format, contentType: contentTypes[0] } : negotiate(request.headers.accept, alone) ?? { format, contentType: format.contentTypes[0] }
    return sendSnapshot(pipeline, choice, request, reply)
  }
}

function notAcceptable (formats: readonly Format[], path: string, reply: FastifyReply): FastifyReply {
  const available = formats.flatMap(({ name, contentTypes }) => contentTypes.map((contentType) => ({ contentType, path: `${path}.${name}` })))
  return reply.code(406).header('cache-control', 'no-store').send({
    statusCode: 406,
    error: 'Not Acceptable',
    message: `none of the content types in Accept is served; there is ${available.map(({ contentType }) => contentType).join(', ')}`,
    available
  })
}
