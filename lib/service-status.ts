import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Decommission, DecommissionOptions, DecommissionStore } from '../types/decommission.js'
import type { StatusHandler, StatusHandlerOptions } from '../types/handler.js'
import type { DrainOptions, SvcStatus } from '../types/plugin.js'
import type { Registry } from '../types/registry.js'
import { knownOptions } from './core/options.js'
import { milliseconds, second } from './core/units.js'
import { within } from './core/within.js'
import { Decommissioning } from './probe/decommissioning.js'
import type { Settings } from './plugin-options.js'
import { lendLogger } from './lent-loggers.js'
import { KeepAliveEnd } from './probe/keep-alive.js'
import { memoryStore } from './probe/memory-store.js'

/** How long background work may take to end, in milliseconds: the close of the app waits for it. */
const longestStop = 5_000

const storeHandlerName = 'decommission_store'

interface Added {
  readonly registry: Registry
  readonly name: string
  readonly handler: StatusHandler
}

/** `fastify.svcStatus`: what belongs to one app, from its first registration of the plugin to its close. */
export class ServiceStatus implements SvcStatus {
  readonly registry: Registry
  readonly decommissioning: Decommissioning
  readonly #fastify: FastifyInstance
  readonly #keepAliveEnd: KeepAliveEnd
  /** What was added through this app, to this registry or to that of a further registration. */
  readonly #added: Added[] = []
  readonly #takeBack: Array<() => void> = []
  readonly #endings: Array<() => Promise<void>> = []
  readonly #serviceListeners: Array<() => void> = []
  readonly #sockets = new Set<Socket>()
  readonly #onConnection = (socket: Socket): void => {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  readonly #sessions = new Set<Http2Session>()
  readonly #onSession = (session: Http2Session): void => {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
  }

  #drained: Promise<void> | undefined
  #closing = false
  #cutDelayShort: (() => void) | undefined

  constructor (fastify: FastifyInstance, registry: Registry, store: DecommissionStore | undefined) {
    this.#fastify = fastify
    this.registry = registry
    this.#keepAliveEnd = new KeepAliveEnd(fastify.server)
    this.decommissioning = new Decommissioning(store ?? memoryStore(), fastify.log, (outOfService) => {
      this.#keepAliveEnd.set(outOfService)
      for (const listener of this.#serviceListeners) listener()
    })
    if (store !== undefined) this.addStatusHandler(storeHandlerName, this.decommissioning, { critical: false, replace: true })
  }

  /** Opens the store, and hangs itself into the app's life. */
  async open (): Promise<void> {
    this.lendLoggerTo(this.registry)
    this.#fastify.server.on('connection', this.#onConnection).on('secureConnection', this.#onConnection).on('session', this.#onSession)
    this.#fastify.addHook('preClose', async () => {
      this.#closing = true
      this.#cutDelayShort?.()
      await Promise.all(this.#endings.map(async (end) => await end()))
    })
    this.#fastify.addHook('onClose', async () => {
      await this.#close()
      for (const takeBack of this.#takeBack) takeBack()
    })
    await this.decommissioning.open()
  }

  get decommissioned (): Decommission | undefined {
    return this.decommissioning.current
  }

  get draining (): boolean {
    return this.decommissioning.draining
  }

  /** Until the app closes. */
  lendLoggerTo (registry: Registry): void {
    this.afterClose(lendLogger(registry, this.#fastify.log))
  }

  /** To be called, and waited for, when the app begins to close: what holds connections open lets go of them. */
  beforeClose (end: () => Promise<void>): void {
    this.#endings.push(end)
  }

  /** To be called when the app is closed. */
  afterClose (takeBack: () => void): void {
    this.#takeBack.push(takeBack)
  }

  /** To be called whenever the instance goes out of service or comes back. */
  onServiceChange (listener: () => void): void {
    this.#serviceListeners.push(listener)
  }

  addStatusHandler (name: string, handler: StatusHandler, options?: StatusHandlerOptions): void {
    this.#add(this.registry, name, handler, options)
  }

  #add (registry: Registry, name: string, handler: StatusHandler, options?: StatusHandlerOptions): void {
    registry.addStatusHandler(name, handler, options)
    const index = this.#added.findIndex((added) => added.registry === registry && added.name === name)
    const [replaced] = index === -1 ? [] : this.#added.splice(index, 1)
    this.#added.push({ registry, name, handler })
    // Nobody waits for it: what goes wrong is logged there.
    if (replaced !== undefined && replaced.handler !== handler) this.#stop(name, replaced.handler).catch(() => {})
  }

  /** All of them, or none where one is refused. */
  addStatusHandlers (registry: Registry, handlers: Settings['handlers']): void {
    const added: string[] = []
    try {
      for (const { name, handler, options } of handlers) {
        this.#add(registry, name, handler, options)
        added.push(name)
      }
    } catch (error) {
      for (const name of added) registry.removeStatusHandler(name)
      throw error
    }
  }

  async decommission (body = 'OFF', options?: DecommissionOptions): Promise<void> {
    await this.decommissioning.decommission(body, options)
  }

  async recommission (): Promise<void> {
    await this.decommissioning.recommission()
  }

  async drain (options?: DrainOptions): Promise<void> {
    const { delay = second(10) } = knownOptions(options, ['delay'], 'drain')
    const wait = milliseconds(delay, 'the option "delay"', 0)
    this.#drained ??= this.#closing ? this.#fastify.close() : this.#drain(wait)
    await this.#drained
  }

  async #drain (delay: number): Promise<void> {
    this.#fastify.log.info(`draining for ${delay} ms`)
    this.decommissioning.startDraining()
    if (delay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay)
        this.#cutDelayShort = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    await this.#closeWithKeptConnections()
  }

  /**
   * Fastify closes the connections that are idle when it begins. One whose reply was under way becomes idle afterwards, and
   * was not told to leave when its request came before the drain: it would hold up the close for `keepAliveTimeout`, 72 s.
   */
  async #closeWithKeptConnections (): Promise<void> {
    const { server } = this.#fastify
    // For Node one is idle whose reply was handed over, also while most of it waits for a slow client: closing it then cuts the
    // reply off. Node itself does so at the begin of a close, by this method.
    const closeIdle = server.closeIdleConnections?.bind(server)
    if (closeIdle !== undefined) {
      server.closeIdleConnections = () => {
        for (const socket of this.#sockets) if (socket.writableLength > 0) return
        closeIdle()
      }
    }
    const again = setInterval(() => {
      server.closeIdleConnections?.()
      // One that never asked for anything counts as busy until `headersTimeout`, 60 s; browsers keep such in reserve. Of one
      // that came while the process was busy, the request may not be read yet: that is done before what is immediate.
      setImmediate(() => {
        for (const socket of this.#sockets) {
          if (socket.bytesRead === 0) socket.destroy()
        }
      })
      // Of HTTP/2, whose sessions Fastify leaves open for `http2SessionTimeout`, 72 s: after the requests that are under way.
      for (const session of this.#sessions) session.close()
    }, 50)
    try {
      await this.#fastify.close()
    } finally {
      clearInterval(again)
    }
  }

  async #close (): Promise<void> {
    this.#keepAliveEnd.set(false)
    this.#fastify.server.off('connection', this.#onConnection).off('secureConnection', this.#onConnection).off('session', this.#onSession)
    for (const { registry, name, handler } of this.#added) {
      if (registry.handler(name) === handler) registry.removeStatusHandler(name)
      await this.#stop(name, handler)
    }
    await this.decommissioning.close()
  }

  /** Background work ends with the app it was given to. */
  async #stop (name: string, handler: StatusHandler): Promise<void> {
    const { stop } = handler as { stop?: unknown }
    if (typeof stop !== 'function') return
    try {
      await within(longestStop, stop.call(handler))
    } catch (err) {
      this.#fastify.log.error({ handler: name, err }, 'status handler did not stop')
    }
  }
}
