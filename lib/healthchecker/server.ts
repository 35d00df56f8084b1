import { isIP, type AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { StatusProvider } from '../../types/handler.js'
import type { HealthcheckerOptions } from '../../types/healthchecker-server.js'
import type { Fleet } from '../../types/healthchecker.js'
import type { Logger } from '../../types/logger.js'
import { bearerToken } from '../auth/bearer-token.js'
import { isLoopback } from '../auth/local-only.js'
import { systemClock } from '../core/clock.js'
import { codedError, show } from '../core/errors.js'
import { invalid, knownOptions, ofKind, withMethods } from '../core/options.js'
import { whole } from '../core/units.js'
import { within } from '../core/within.js'
import { statusPlugin } from '../plugin.js'
import { Announcement } from './announcement.js'
import { appRoutes } from './app-routes.js'
import { mailAllow, type MailAllow } from './mail/receivers.js'
import { ownDescriptions, ownNames } from './own-status.js'
import { multicastPort } from './multicast.js'
import { pageRoutes } from './page-routes.js'
import { writers, type Writers } from './writers.js'

const known = ['fleet', 'host', 'port', 'token', 'open', 'announce', 'mailAllow', 'mailer', 'fastify'] as const

/**
 * So many characters a token has at least. Sixteen random hexadecimal digits take six million years to guess at the 49,000 a second at
 * which wrong ones were refused here, so that there is no need to count them, and with it no way to have others locked out.
 */
const shortestToken = 16

/** How long requests under way, then the mailer, and then the fleet, may take at the end, in milliseconds. */
const longestClose = 5_000

const warnings: FastifyServerOptions = { logger: { level: 'warn', stream: process.stderr } }

interface Listening {
  readonly app: FastifyInstance
  readonly address: string
  readonly announcement: Announcement | undefined
}

/**
 * Watches other apps: a Fastify app with the fleet's `svc_status` in every format, the routes under `/apps`, and the status page.
 *
 * @example
 * const checker = new Healthchecker({ fleet, port: 8080 })
 * console.log(await checker.listen())
 */
export class Healthchecker {
  readonly fleet: Fleet
  readonly #host: string
  readonly #port: number
  readonly #token: string | undefined
  readonly #writers: Writers
  readonly #announce: boolean
  readonly #mailAllow: MailAllow
  readonly #mailer: HealthcheckerOptions['mailer']
  readonly #fastify: FastifyServerOptions
  readonly #mdnsPort: number
  #listening: Promise<Listening> | undefined
  #closing: Promise<void> | undefined

  /**
   * @param mdnsPort another than that of mDNS, for tests
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE; ERR_INVALID_OPTION too where it would listen beyond this machine with neither `token` nor `open`
   */
  constructor (options: HealthcheckerOptions, mdnsPort = multicastPort) {
    const { fleet, host = '127.0.0.1', port = 8080, token, open = false, announce = true, mailAllow: allow = [], mailer, fastify = warnings } =
      knownOptions(options, known, 'Healthchecker')
    withMethods(fleet, ['register', 'deregister', 'start', 'close'], 'the option "fleet"')
    if (fleet === undefined) throw invalid('the option "fleet"', 'a fleet', fleet)
    if (typeof host !== 'string' || host === '') throw invalid('the option "host"', 'an address or a host name', host)
    ofKind(open, 'boolean', 'the option "open"')
    ofKind(announce, 'boolean', 'the option "announce"')
    withMethods(mailer, ['start', 'close'], 'the option "mailer"')
    ofKind(fastify, 'object', 'the option "fastify"')
    const loopback = isOwn(host)
    this.fleet = fleet
    this.#host = host
    this.#port = whole(port, 'the option "port"', 0, 65_535)
    this.#token = token
    // A token that could not arrive is refused here too, with a message that does not show it.
    this.#writers = writers(token, loopback)
    if (token !== undefined && token.length < shortestToken) {
      throw codedError('ERR_INVALID_OPTION', `the option "token" must have ${shortestToken} characters at least, or it could be guessed; "openssl rand -hex 16" makes one`)
    }
    this.#announce = announce
    this.#mailAllow = mailAllow(allow, 'the option "mailAllow"')
    this.#mailer = mailer
    this.#fastify = fastify
    this.#mdnsPort = mdnsPort
    if (!loopback && token === undefined && !open) {
      throw codedError('ERR_INVALID_OPTION', `on ${show(host)} everybody who can reach it could change what is watched: set the option "token", or "open" where that is meant`)
    }
  }

  /**
   * Opens the store, begins to check, and listens: resolves to where, such as `http://127.0.0.1:8080`. A second call joins the first.
   * Where it cannot, it lets go of everything, and rejects.
   */
  async listen (): Promise<string> {
    this.#listening ??= this.#listen()
    return (await this.#listening).address
  }

  /** Withdraws the announcement, answers the requests under way, stores what is known, and resolves within some seconds. A second call joins the first. */
  async close (): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #listen (): Promise<Listening> {
    const { fastify } = await import('fastify')
    const app = fastify({ bodyLimit: 64 * 1024, ...this.#fastify, routerOptions: { maxParamLength: 1_000 } })
    try {
      await app.register(statusPlugin, { registry: this.fleet.registry, probeStatus: this.#token === undefined ? {} : { auth: bearerToken(this.#token) } })
      appRoutes(app, { fleet: this.fleet, writers: this.#writers, mailAllow: this.#mailAllow })
      pageRoutes(app, this.fleet, this.#writers, systemClock)
      await app.ready()
      await this.fleet.start()
      await this.#mailer?.start(this.fleet)
      this.#showMailer()
      const address = await app.listen({ host: this.#host, port: this.#port })
      const ends = app.addresses() as AddressInfo[]
      const announcement = this.#announce ? await Announcement.begin(ends.map(({ address }) => address), ends[0].port, app.log, this.#mdnsPort) : undefined
      return { app, address, announcement }
    } catch (error) {
      await app.close()
      await this.#letGo(app.log)
      throw error
    }
  }

  async #close (): Promise<void> {
    const listening = await this.#listening?.catch(() => undefined)
    if (listening === undefined) return await this.fleet.close()
    const { app, announcement } = listening
    await announcement?.close()
    // A request that never came whole would hold it up for ever.
    const limit = setTimeout(() => app.server.closeAllConnections(), longestClose)
    try {
      await app.svcStatus.drain({ delay: 0 })
    } finally {
      clearTimeout(limit)
      await this.#letGo(app.log)
    }
  }

  #showMailer (): void {
    const { registry } = this.fleet
    const mailer = this.#mailer
    if (mailer?.getStatus !== undefined) registry.addStatusHandler(ownNames.mail, mailer as StatusProvider, { description: ownDescriptions.mail, replace: true })
  }

  /** A store that hangs must not keep the process from ending: what it has acknowledged is stored. */
  async #letGo (log: Logger): Promise<void> {
    this.fleet.registry.removeStatusHandler(ownNames.mail)
    await within(longestClose, this.#mailer?.close()).catch((err) => log.error({ err }, 'the mailer did not close in time'))
    await within(longestClose, this.fleet.close()).catch((err) => log.error({ err }, 'the fleet did not close in time'))
  }
}

function isOwn (host: string): boolean {
  return isIP(host) === 0 ? host.toLowerCase() === 'localhost' : isLoopback(host)
}
