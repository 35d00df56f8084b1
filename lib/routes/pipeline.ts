import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Format, RenderContext, Rendered } from '../../types/format.js'
import type { StatusPluginOptions } from '../../types/options.js'
import type { Snapshot } from '../../types/snapshot.js'
import type { Time } from '../../types/time.js'
import { codedError, show } from '../core/errors.js'
import { askAll, type StatusRegistry } from '../core/registry.js'
import { RED } from '../core/state.js'
import type { Choice } from './negotiation.js'

/** What the routes of one registration of the plugin share. */
export interface Pipeline {
  readonly registry: StatusRegistry
  readonly formats: readonly Format[]
  readonly formatNames: readonly string[]
  /** Names of the formats that answer 503 while the overall state is RED. */
  readonly unavailableOnRed: readonly string[]
  readonly details: NonNullable<StatusPluginOptions['details']>
  /** How long a handler without a timeout of its own may take; the registry's where it is absent. */
  readonly timeout?: Time
  /** The last part of the address of all formats, for links between them. */
  readonly path: string
  /** What is to be known beside the states: asked anew for each reply. */
  readonly service: () => Pick<RenderContext, 'decommission' | 'draining' | 'unready' | 'changes'>
}

/** What Fastify sends when it is returned. */
export type Body = string | Readable | FastifyReply

/** Asks all handlers and replies in the format that was chosen; without a promise where nobody has to be waited for. */
export function sendSnapshot (pipeline: Pipeline, choice: Choice, request: FastifyRequest, reply: FastifyReply): Body | Promise<Body> {
  // First of all, so that an error on the way carries it too.
  reply.header('cache-control', 'no-store')
  const details = seesDetails(pipeline, request)
  if (typeof details === 'boolean') return pipeline.registry[askAll](pipeline.timeout, (snapshot) => render(pipeline, choice, details, snapshot, request, reply))
  // Together: a rejection that nobody awaits yet would end the process.
  return Promise.all([details, pipeline.registry.snapshot({ timeout: pipeline.timeout })])
    .then(([details, snapshot]) => render(pipeline, choice, details, snapshot, request, reply))
}

function render (pipeline: Pipeline, choice: Choice, details: boolean, snapshot: Snapshot, request: FastifyRequest, reply: FastifyReply): Body | Promise<Body> {
  const { format, contentType } = choice
  const rendering = format.render(snapshot, contextOf(pipeline, contentType, details, request.log))
  return rendering instanceof Promise
    ? rendering.then((rendered) => send(pipeline, choice, snapshot, rendered, request, reply))
    : send(pipeline, choice, snapshot, rendering, request, reply)
}

/** What a format is told beside the snapshot. */
export function contextOf (pipeline: Pipeline, contentType: string, details: boolean, log: FastifyBaseLogger): RenderContext {
  return {
    details,
    contentType,
    ...pipeline.service(),
    path: pipeline.path,
    formats: pipeline.formatNames,
    warn: (about, message) => log.warn(about, message)
  }
}

function send ({ unavailableOnRed }: Pipeline, { format, contentType }: Choice, { state }: Snapshot, rendered: Rendered, request: FastifyRequest, reply: FastifyReply): Body {
  if (typeof rendered !== 'string' && typeof rendered?.[Symbol.iterator] !== 'function') {
    throw codedError('ERR_INVALID_FORMAT', `the format "${format.name}" must render a string or an iterable of strings; it rendered ${show(rendered)}`)
  }
  if (state === RED && unavailableOnRed.includes(format.name)) reply.code(503)
  reply.header('content-type', contentType)
  // What is shown came from elsewhere; no browser shall take it for something that runs.
  reply.header('x-content-type-options', 'nosniff')
  if (format.headers !== undefined) reply.headers(format.headers)
  if (typeof rendered === 'string') return rendered
  return request.method === 'HEAD' ? reply.send() : Readable.from(inTurns(rendered))
}

/** Whether this reader may see details. A function that rejects is an error of the app, and shows nothing. */
export function seesDetails ({ details }: Pick<Pipeline, 'details'>, request: FastifyRequest): boolean | Promise<boolean> {
  if (typeof details !== 'function') return details === 'always'
  const answer = details(request)
  return typeof answer === 'boolean' ? answer : Promise.resolve(answer).then((sees) => sees === true)
}

/** Lets other requests have their turn between two slices of a large reply. */
async function * inTurns (slices: Iterable<string>): AsyncGenerator<string> {
  for (const slice of slices) {
    yield slice
    await setImmediate()
  }
}
