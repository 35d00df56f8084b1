import fastifyPlugin from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { StatusPluginOptions } from '../types/options.js'
import { codedError } from './core/errors.js'
import { checkOptions, type Settings } from './plugin-options.js'
import { Readiness } from './probe/readiness.js'
import { LastChanges } from './routes/last-changes.js'
import { liveStatusRoute } from './routes/live-status.js'
import { probeStatusRoutes } from './routes/probe-status.js'
import { svcStatusRoutes } from './routes/svc-status.js'
import { ServiceStatus } from './service-status.js'

/**
 * Serves the status of a service: `svc_status` in all formats, `probe_status` and `live_status`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE and what `addStatusHandler` throws, at registration
 * @example
 * await fastify.register(statusPlugin)
 */
export const statusPlugin = fastifyPlugin(async (fastify: FastifyInstance, options: StatusPluginOptions) => {
  const settings = checkOptions(options)
  const { registry, handlers, formats, svcStatus, probeStatus, liveStatus, details, timeout, logLevel } = settings
  const service = await serviceOf(fastify, settings)
  service.addStatusHandlers(registry, handlers)

  const readiness = probeStatus === undefined ? undefined : new Readiness(registry, probeStatus.readiness, timeout)
  if (svcStatus !== undefined) {
    const changes = new LastChanges(registry)
    service.afterClose(() => changes.stop())
    const page = svcStatusRoutes(fastify, svcStatus, {
      registry,
      formats,
      formatNames: formats.map(({ name }) => name),
      unavailableOnRed: svcStatus.unavailableOnRed,
      details,
      timeout,
      path: svcStatus.path.slice(svcStatus.path.lastIndexOf('/') + 1),
      service: () => ({ decommission: service.decommissioned, draining: service.draining, unready: readiness?.body, changes: changes.list })
    }, { logLevel })
    if (page !== undefined) {
      service.onServiceChange(page.changed)
      service.beforeClose(async () => await page.close())
    }
  }
  if (probeStatus !== undefined && readiness !== undefined) {
    if (readiness.follows) {
      // By then everybody has added their handlers.
      fastify.addHook('onReady', async () => readiness.start())
      fastify.addHook('onClose', async () => readiness.stop())
    }
    probeStatusRoutes(fastify, { ...probeStatus, decommissioning: service.decommissioning, readiness }, { logLevel })
  }
  if (liveStatus !== undefined) liveStatusRoute(fastify, liveStatus.path, { logLevel })
}, { name: 'fastify-svc-status', fastify: '5.x' })

/** A second registration on the same app adds routes to the service status of the first. */
async function serviceOf (fastify: FastifyInstance, { registry, store }: Settings): Promise<ServiceStatus> {
  if (!fastify.hasDecorator('svcStatus')) {
    const service = new ServiceStatus(fastify, registry, store)
    fastify.decorate('svcStatus', service)
    await service.open()
    return service
  }
  if (store !== undefined) {
    throw codedError('ERR_INVALID_OPTION', 'the option "probeStatus.store" must be given to the first registration of the status plugin on an app, whose decommission all others show')
  }
  const service = fastify.svcStatus as ServiceStatus
  if (registry !== service.registry) service.lendLoggerTo(registry)
  return service
}
