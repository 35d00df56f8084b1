import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type { StatusHandler } from '../types/handler.js'
import type { Logger } from '../types/logger.js'
import type { ComponentOptions, HealthCheckServerOptions, OnPost } from '../types/policies.js'
import { codedError, show } from './core/errors.js'
import { invalid, knownOptions, ofKind, withMethods } from './core/options.js'
import { askOne, StatusRegistry } from './core/registry.js'
import { RED } from './core/state.js'
import { milliseconds, second, whole } from './core/units.js'
import { within } from './core/within.js'
import { statusPlugin } from './plugin.js'
import { stopAll } from './policies/task.js'

const text = 'text/plain; charset=utf-8'

/** How long a task may take to stop, in milliseconds. */
const longestStop = 5_000

/** An `onPost` may read so much; it is given as text, whatever its type. */
const longestBody = 16 * 1024

interface Component {
  readonly name: string
  readonly task: StatusHandler
  readonly onPost: OnPost | undefined
}

/**
 * Answers for components on addresses of their own, for load balancers: `GET` and `HEAD /name` give 200 `OK` (YELLOW too, for it
 * works), 503 `FAIL` (RED), 500 `ERROR` (the task threw) or 404. `POST /name` does what `onPost` does: `true` is answered with 200,
 * `false` with 401, what it throws with 500 and a line in the log, and where there is none with 405.
 * The `svc_status` of all components is beside them, in all formats.
 *
 * Whoever asks for a component shares the run that is under way. Fastify is loaded when the server listens.
 *
 * @example
 * const server = new HealthCheckServer({ port: 8080, host: '0.0.0.0' })
 * server.addComponent('mail', new TCPCheck({ host: '192.0.2.1', port: 'smtp', timeout: second(10) }))
 * await server.listen()
 */
export class HealthCheckServer {
  /** The components as status handlers. */
  readonly registry: StatusRegistry
  readonly #port: number
  readonly #host: string
  readonly #timeout: number
  readonly #log: FastifyServerOptions
  readonly #components = new Map<string, Component>()
  #listening: Promise<{ app: FastifyInstance, address: string }> | undefined
  #closing: Promise<void> | undefined

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options: HealthCheckServerOptions) {
    const { port, host = 'localhost', timeout = second(30), logger } = knownOptions(options, ['port', 'host', 'timeout', 'logger'], 'HealthCheckServer')
    this.#port = whole(port, 'the option "port"', 0, 65_535)
    if (typeof host !== 'string' || host === '') throw invalid('the option "host"', 'an address or a host name', host)
    this.#host = host
    this.#log = logOptions(logger)
    this.#timeout = milliseconds(timeout, 'the option "timeout"', 1)
    this.registry = new StatusRegistry({ timeout: this.#timeout, logger: logger === false ? undefined : logger })
  }

  /**
   * Adds a component, before or after `listen()`.
   *
   * @param name its address without the slash in front; `svc_status` is taken
   * @throws ERR_INVALID_NAME, ERR_INVALID_HANDLER, ERR_DUPLICATE_HANDLER, ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION
   */
  addComponent (name: string, task: StatusHandler, options?: ComponentOptions): void {
    const { onPost } = knownOptions(options, ['onPost'], 'addComponent')
    ofKind(onPost, 'function', 'the option "onPost"')
    if (typeof name === 'string') checkAddress(name)
    this.registry.addStatusHandler(name, task)
    this.#components.set(name, { name, task, onPost })
  }

  /**
   * Resolves to where it listens, such as `http://127.0.0.1:8080`. A second call joins the first. Rejects where the address
   * cannot be listened on, and may then be called again.
   */
  async listen (): Promise<string> {
    await this.#closing
    this.#listening ??= this.#listen()
    try {
      return (await this.#listening).address
    } catch (error) {
      this.#listening = undefined
      throw error
    }
  }

  /**
   * Ends the runs that are under way, stops the tasks that can be stopped, and resolves when the last request has been answered.
   * The components are gone then. A second call joins the first.
   */
  async close (): Promise<void> {
    this.#closing ??= this.#close().finally(() => { this.#closing = undefined })
    await this.#closing
  }

  async #close (): Promise<void> {
    const listening = await this.#listening?.catch(() => undefined)
    this.#listening = undefined
    if (listening === undefined) return await this.#release()
    const { app } = listening
    // By then every run has had its time; what is still open is a request that never came whole, or an onPost that hangs.
    const limit = setTimeout(() => app.server.closeAllConnections(), this.#timeout)
    try {
      // Connections that never asked for anything would hold up the close for ever.
      await app.svcStatus.drain({ delay: 0 })
    } finally {
      clearTimeout(limit)
    }
  }

  async #listen (): Promise<{ app: FastifyInstance, address: string }> {
    const { fastify } = await import('fastify')
    const app = fastify({ ...this.#log, bodyLimit: longestBody })
    try {
      await app.register(statusPlugin, { registry: this.registry, probeStatus: false, liveStatus: false })
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
      const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => await this.#answer(request, reply)
      // Before the body: whatever is in it, only an onPost has a use for it.
      const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> =>
        request.method === 'POST' && this.#componentOf(request)?.onPost !== undefined ? undefined : await handler(request, reply)
      app.route({ method: [...app.supportedMethods], url: '/*', exposeHeadRoute: false, logLevel: 'warn', onRequest, handler })
      // Methods that Fastify does not route, such as PROPFIND.
      app.setNotFoundHandler(handler)
      // A server that could not be started keeps its components.
      let started = false
      app.addHook('preClose', async () => { if (started) await this.#release() })
      const address = await app.listen({ port: this.#port, host: this.#host })
      started = true
      return { app, address }
    } catch (error) {
      await app.close()
      throw error
    }
  }

  async #release (): Promise<void> {
    const components = [...this.#components.values()]
    this.#components.clear()
    for (const { name } of components) this.registry.removeStatusHandler(name)
    await Promise.all(components.map(async ({ name, task }) => {
      await within(longestStop, stopAll([task])).catch((err) => this.registry.logger?.error({ handler: name, err }, 'task did not stop'))
    }))
  }

  async #answer (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    const { method } = request
    const component = this.#componentOf(request)
    if (component === undefined) return send(reply, 404, 'Not Found')
    if (method === 'GET' || method === 'HEAD') return await this.#show(component, reply)
    if (method === 'POST' && component.onPost !== undefined) return await post(component.name, component.onPost, request, reply)
    reply.header('allow', component.onPost === undefined ? 'GET, HEAD' : 'GET, HEAD, POST')
    return send(reply, 405, 'Method Not Allowed')
  }

  #componentOf (request: FastifyRequest): Component | undefined {
    return this.#components.get((request.params as { '*': string })['*'])
  }

  async #show ({ name }: Component, reply: FastifyReply): Promise<FastifyReply> {
    const { status, fault } = await this.registry[askOne](name, undefined, (entry) => entry)
    if (status?.state !== RED) return send(reply, 200, 'OK')
    return fault === 'threw' ? send(reply, 500, 'ERROR') : send(reply, 503, 'FAIL')
  }
}

async function post (name: string, onPost: OnPost, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  let result
  try {
    result = await onPost(request, reply)
  } catch (err) {
    request.log.error({ component: name, err }, 'onPost threw')
    if (isSent(reply)) return reply
    const { statusCode, headers } = failureOf(err)
    return send(reply.headers(headers), statusCode, 'ERROR')
  }
  if (isSent(reply)) return reply
  // What it set itself stands.
  const code = reply.statusCode === 200 ? undefined : reply.statusCode
  if (result === true) return send(reply, code ?? 200, 'OK')
  if (result === false) return refuse(onPost, reply, code ?? 401)
  request.log.error({ component: name }, `onPost gave ${show(result)} and sent no reply: expected true or false`)
  return send(reply, 500, 'ERROR')
}

function refuse ({ challenge, expects }: OnPost, reply: FastifyReply, code: number): FastifyReply {
  if (challenge !== undefined && code === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', challenge)
  return send(reply, code, expects === undefined ? 'you are not let in' : `you are not let in: this needs ${expects}`)
}

function send (reply: FastifyReply, code: number, body: string): FastifyReply {
  return reply.code(code).type(text).send(body)
}

/** A reply that is a stream has its head sent, but no end yet. */
function isSent (reply: FastifyReply): boolean {
  return reply.sent || reply.raw.headersSent
}

/** An error may say what to answer, as Fastify's own do: an auth that is busy, say, with 429 and `Retry-After`. */
function failureOf (error: unknown): { statusCode: number, headers: Record<string, string> } {
  const { statusCode, headers } = Object(error) as { statusCode?: unknown, headers?: unknown }
  const isStatus = typeof statusCode === 'number' && Number.isInteger(statusCode) && statusCode >= 400 && statusCode <= 599
  return isStatus ? { statusCode, headers: Object(headers) } : { statusCode: 500, headers: {} }
}

function checkAddress (name: string): void {
  if (name.startsWith('/')) throw codedError('ERR_INVALID_NAME', `the name of a component must not begin with a slash; it is ${show(name)}`)
  if (/^svc_status([./]|$)/.test(name)) throw codedError('ERR_INVALID_NAME', `the name of a component must not be an address of svc_status; it is ${show(name)}`)
}

function logOptions (logger: Logger | false | undefined): FastifyServerOptions {
  if (logger === undefined) return { logger: { level: 'warn', stream: process.stderr } }
  if (logger === false) return {}
  withMethods(logger, ['info', 'warn', 'error'], 'the option "logger"')
  return { loggerInstance: 'child' in logger ? logger as FastifyBaseLogger : wholeLogger(logger) }
}

/** Fastify wants more methods of a logger than we call. What it tells of each request is nothing that anybody asked for. */
function wholeLogger (logger: Logger): FastifyBaseLogger {
  const none = (): void => {}
  const error = logger.error.bind(logger)
  const whole = { level: 'warn', error, fatal: error, warn: logger.warn.bind(logger), info: none, debug: none, trace: none, silent: none, child: () => whole }
  return whole as unknown as FastifyBaseLogger
}
