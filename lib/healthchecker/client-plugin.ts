import { networkInterfaces } from 'node:os'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { HealthcheckerPluginOptions } from '../../types/healthchecker-client.js'
import { isLoopback, isLocalHost } from '../auth/local-only.js'
import { knownOptions, ofKind } from '../core/options.js'
import { milliseconds, second } from '../core/units.js'
import { HealthcheckerClient, clientOptions } from './client.js'
import { multicastPort } from './multicast.js'

const known = [
  ...clientOptions, 'checkTimeout', 'retryAfter', 'withdraw',
  'protocol', 'path', 'interval', 'unhealthyThreshold', 'healthyThreshold', 'expectStatus', 'email', 'tags', 'critical'
] as const

/** How long an app that closes may take to say so, in milliseconds. */
const longestGoodbye = 2_000

/**
 * Has an app watched by a healthchecker: registers it when it listens, and deregisters it when it closes. The app starts and ends
 * whether there is a healthchecker or not; one that comes later is found later.
 *
 * @throws what `HealthcheckerClient` throws, at registration
 * @example
 * await fastify.register(healthcheckerPlugin, { app: 'shop', path: '/health', interval: 10 })
 */
export const healthcheckerPlugin = fastifyPlugin(
  async (fastify: FastifyInstance, options: HealthcheckerPluginOptions) => registerWith(fastify, options, multicastPort),
  { name: 'fastify-svc-status-healthchecker', fastify: '5.x' }
)

/** The same with another port than that of mDNS, for tests. */
export function registerWith (fastify: FastifyInstance, options: HealthcheckerPluginOptions, mdnsPort: number): void {
  const { app, url, server, token, trustDiscovery, timeout, checkTimeout, retryAfter = second(30), withdraw = true, ...rest } = knownOptions(options, known, 'the healthchecker plugin')
  ofKind(withdraw, 'boolean', 'the option "withdraw"')
  const pause = milliseconds(retryAfter, 'the option "retryAfter"', 1)
  const client = new HealthcheckerClient({ app, url, server, token, trustDiscovery, timeout }, mdnsPort)
  const ending = new AbortController()
  let retry: NodeJS.Timeout | undefined
  let attempt: Promise<void> | undefined
  /** Whether it may be registered: also where the answer did not come. */
  let mayBeThere = false

  const register = async (): Promise<void> => {
    const found = await client.find(ending.signal)
    if (ending.signal.aborted) return
    const how = { url: url ?? addressOf(fastify, found), timeout: checkTimeout, ...rest }
    mayBeThere ||= found !== undefined
    const { ok, server, statusCode = 0, message, registered: result } = await client.monitor(how, ending.signal)
    if (statusCode >= 400) mayBeThere = false
    if (ok) return fastify.log.info({ server, registered: result }, 'watched by a healthchecker')
    if (ending.signal.aborted) return
    // What is wrong with the registration is wrong again the next time.
    if (statusCode >= 400 && statusCode < 500) return fastify.log.error({ server, statusCode }, `not watched by a healthchecker: ${message}`)
    fastify.log.warn({ server }, `not watched by a healthchecker yet: ${message}`)
    retry = setTimeout(start, pause).unref()
  }
  const start = (): void => {
    attempt = register().catch((err) => fastify.log.error({ err }, 'not watched by a healthchecker'))
  }

  // Not awaited: an app that listens answers, whether anybody watches it or not.
  fastify.addHook('onListen', async () => start())
  fastify.addHook('preClose', async () => {
    clearTimeout(retry)
    ending.abort()
    await attempt
    if (!mayBeThere || !withdraw) return
    const { ok, statusCode, message } = await client.stop(AbortSignal.timeout(longestGoodbye))
    if (!ok && statusCode !== 404) fastify.log.warn({}, `perhaps still watched by a healthchecker: ${message}`)
  })
}

/** Where the app is for a healthchecker that is there. */
function addressOf (fastify: FastifyInstance, server: string | undefined): string {
  const { address, port } = fastify.addresses()[0] as AddressInfo
  const everywhere = address === '0.0.0.0' || address === '::'
  const host = !everywhere ? address : server === undefined || isLocalHost(new URL(server).host) ? '127.0.0.1' : ownAddress()
  const scheme = 'setSecureContext' in fastify.server ? 'https' : 'http'
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** An address of this machine that others reach it by. */
export function ownAddress (all: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  return Object.values(all).flat().find((one) => one?.family === 'IPv4' && !isLoopback(one.address))?.address ?? '127.0.0.1'
}
