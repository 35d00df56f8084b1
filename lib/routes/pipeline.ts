import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Decommission } from '../../types/decommission.js'
import type { Format } from '../../types/format.js'
import type { StatusPluginOptions } from '../../types/options.js'
import type { AskOptions, Registry } from '../../types/registry.js'
import { codedError, show } from '../core/errors.js'
import { RED } from '../core/state.js'
import type { Choice } from './negotiation.js'

/** What the routes of one registration of the plugin share. */
export interface Pipeline {
  readonly registry: Registry
  readonly formats: readonly Format[]
  readonly formatNames: readonly string[]
  /** Names of the formats that answer 503 while the overall state is RED. */
  readonly unavailableOnRed: readonly string[]
  readonly details: NonNullable<StatusPluginOptions['details']>
  readonly ask: AskOptions
  /** The last part of the address of all formats, for links between them. */
  readonly path: string
  readonly decommissioned: () => Decommission | undefined
}

/** Asks all handlers and replies in the format that was chosen. */
export async function sendSnapshot (pipeline: Pipeline, { format, contentType }: Choice, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { registry, formatNames, unavailableOnRed, path } = pipeline
  // First of all, so that an error on the way carries it too.
  reply.header('cache-control', 'no-store')
  const allowed = seesDetails(pipeline, request)
  const asked = registry.snapshot(pipeline.ask)
  // Together: a rejection that nobody awaits yet would end the process.
  const [details, snapshot] = typeof allowed === 'boolean' ? [allowed, await asked] : await Promise.all([allowed, asked])
  const rendering = format.render(snapshot, {
    details,
    contentType,
    decommission: pipeline.decommissioned(),
    path,
    formats: formatNames,
    warn: (about, message) => request.log.warn(about, message)
  })
  const rendered = rendering instanceof Promise ? await rendering : rendering
  if (typeof rendered !== 'string' && typeof rendered?.[Symbol.iterator] !== 'function') {
    throw codedError('ERR_INVALID_FORMAT', `the format "${format.name}" must render a string or an iterable of strings; it rendered ${show(rendered)}`)
  }
  if (snapshot.state === RED && unavailableOnRed.includes(format.name)) reply.code(503)
  reply.header('content-type', contentType)
  // What is shown came from elsewhere; no browser shall take it for something that runs.
  reply.header('x-content-type-options', 'nosniff')
  if (format.headers !== undefined) reply.headers(format.headers)
  if (typeof rendered === 'string') return reply.send(rendered)
  return request.method === 'HEAD' ? reply.send() : reply.send(Readable.from(inTurns(rendered)))
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
