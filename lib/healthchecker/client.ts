import type { ClientResult, HealthcheckerClientOptions, MonitorParameters } from '../../types/healthchecker-client.js'
import { bearerToken } from '../auth/bearer-token.js'
import { codedError, show } from '../core/errors.js'
import { checkName } from '../core/handler-name.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { milliseconds, second } from '../core/units.js'
import { findHealthchecker } from './finding.js'
import { multicastPort } from './multicast.js'

export const clientOptions = ['app', 'url', 'server', 'token', 'trustDiscovery', 'timeout'] as const

/** An answer of a healthchecker about one app is some kilobytes. */
const longestAnswer = 64 * 1024

/** What remains of the time after a search, in milliseconds, for the question itself. */
const reserve = 2_000

const notFound: ClientResult = { ok: false, found: false, message: 'no healthchecker was found over mDNS' }

/**
 * Registers an app with a healthchecker, which is found over mDNS or named. Every call resolves to a result, in bounded time: that
 * nobody is there, or refuses, is one too.
 *
 * @example
 * const client = new HealthcheckerClient({ app: 'shop', url: 'http://10.0.0.5:9090' })
 * const { ok, message } = await client.monitor({ path: '/health', interval: 10 })
 */
export class HealthcheckerClient {
  readonly #app: string
  readonly #url: string | undefined
  readonly #named: string | undefined
  readonly #token: string | undefined
  readonly #trustDiscovery: boolean
  readonly #timeout: number
  readonly #mdnsPort: number
  #found: string | undefined

  /**
   * @param mdnsPort another than that of mDNS, for tests
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE, ERR_INVALID_NAME
   */
  constructor (options: HealthcheckerClientOptions, mdnsPort = multicastPort) {
    const { app, url, server, token, trustDiscovery = false, timeout = second(10) } = knownOptions(options, clientOptions, 'HealthcheckerClient')
    checkName(app)
    ofKind(url, 'string', 'the option "url"')
    ofKind(trustDiscovery, 'boolean', 'the option "trustDiscovery"')
    // It refuses one that could not be sent, without showing it.
    if (token !== undefined) bearerToken(token)
    this.#app = app
    this.#url = url
    this.#named = server === undefined ? undefined : baseOf(server)
    this.#token = token
    this.#trustDiscovery = trustDiscovery
    this.#timeout = milliseconds(timeout, 'the option "timeout"', 1)
    this.#mdnsPort = mdnsPort
  }

  /** Registers the app, or changes its registration; what is registered already as it is changes nothing. */
  async monitor (parameters: MonitorParameters = {}, signal?: AbortSignal): Promise<ClientResult> {
    ofKind(parameters, 'object', 'the argument of monitor()')
    const result = await this.#ask('PUT', this.#path(), { url: this.#url, ...parameters }, signal)
    const { registered, ...app } = result.app ?? {}
    return result.ok ? { ...result, registered: registered as ClientResult['registered'], app } : result
  }

  /** No checks from now on. */
  async pause (why?: string): Promise<ClientResult> {
    return await this.#ask('POST', this.#path('/pause'), why === undefined ? undefined : { why })
  }

  /** Checks again. */
  async resume (): Promise<ClientResult> {
    return await this.#ask('POST', this.#path('/resume'))
  }

  /** Deregisters the app. */
  async stop (signal?: AbortSignal): Promise<ClientResult> {
    return await this.#ask('DELETE', this.#path(), undefined, signal)
  }

  /** What the healthchecker knows of the app. */
  async info (): Promise<ClientResult> {
    return await this.#ask('GET', this.#path())
  }

  /** Whether there is a healthchecker that answers. */
  async isAvailable (): Promise<boolean> {
    const { ok, app } = await this.#ask('GET', 'apps?limit=1')
    return ok && Array.isArray(app?.apps)
  }

  /** Where the healthchecker is, or `undefined` where none is found in time. It is looked for once, and again where it has gone. */
  async find (signal: AbortSignal = AbortSignal.timeout(this.#timeout)): Promise<string | undefined> {
    this.#found ??= this.#named ?? await findHealthchecker(Math.max(this.#timeout - reserve, this.#timeout / 2), signal, this.#mdnsPort)
    return this.#found
  }

  #path (end = ''): string {
    return `apps/${encodeURIComponent(this.#app)}${end}`
  }

  async #ask (method: string, path: string, body?: object, ending?: AbortSignal): Promise<ClientResult> {
    const signal = new AbortController()
    const giveUp = (): void => signal.abort()
    const timer = setTimeout(giveUp, this.#timeout)
    ending?.addEventListener('abort', giveUp)
    if (ending?.aborted === true) giveUp()
    try {
      return await this.#askServer(method, path, body, signal.signal)
    } finally {
      clearTimeout(timer)
      ending?.removeEventListener('abort', giveUp)
    }
  }

  async #askServer (method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<ClientResult> {
    try {
      const server = await this.find(signal)
      return server === undefined ? notFound : { server, ...await this.#askAt(`${server}/${path}`, method, body, signal) }
    } catch (error) {
      // The next call looks again: it may be somewhere else by then.
      const server = this.#found
      this.#found = undefined
      return { ok: false, found: false, server, message: reasonOf(error, signal, this.#timeout) }
    }
  }

  async #askAt (url: string, method: string, body: object | undefined, signal: AbortSignal): Promise<ClientResult> {
    const trusted = this.#named !== undefined || this.#trustDiscovery
    const reply = await fetch(url, {
      method,
      signal,
      // Whoever it is that a redirect names, the token is not for them.
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...body === undefined ? {} : { 'content-type': 'application/json' },
        ...this.#token !== undefined && trusted ? { authorization: `Bearer ${this.#token}` } : {}
      },
      body: body === undefined ? undefined : JSON.stringify(body)
    })
    const answer = objectIn(await textOf(reply))
    const { status: statusCode, ok } = reply
    if (ok && (statusCode === 204 || answer !== undefined)) return { ok, found: true, statusCode, app: answer }
    const withheld = statusCode === 401 && this.#token !== undefined && !trusted
    const message = withheld
      ? 'the token was not sent to a healthchecker that was merely found: name it by "server", or set "trustDiscovery"'
      : typeof answer?.message === 'string' ? answer.message : `what answered with status ${statusCode} is no healthchecker`
    return { ok: false, found: true, statusCode, message }
  }
}

function baseOf (server: unknown): string {
  const expected = 'an address such as http://checker.lan:8080, without a user name'
  if (typeof server !== 'string' || !URL.canParse(server)) throw invalid('the option "server"', expected, server)
  const { protocol, username, password, origin, pathname } = new URL(server)
  // What came is not shown: it may hold a password.
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') throw codedError('ERR_INVALID_OPTION', `the option "server" must be ${expected}`)
  return origin + pathname.replace(/\/+$/, '')
}

async function textOf (reply: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of reply.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > longestAnswer) throw new Error('it said too much')
  }
  return text
}

function objectIn (text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Readonly<Record<string, unknown>> : undefined
  } catch {
    return undefined
  }
}

function reasonOf (error: unknown, signal: AbortSignal, timeout: number): string {
  if (signal.aborted) return `no healthchecker answered within ${timeout} ms`
  const { message, cause, code } = error as Error & { cause?: { code?: unknown }, code?: unknown }
  return `no healthchecker answered: ${String(cause?.code ?? code ?? show(message))}`
}
