import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { OutageErrorOptions } from '../../types/failover.js'
import { knownOptions, ofKind, stringList } from '../core/options.js'
import { monitorOf } from './monitor-of.js'
import { outageErrors } from './outage-errors.js'
import type { Service } from './service.js'
import { ServiceMonitor, type ServiceClass } from './service-monitor.js'

export interface FailoverPluginOptions extends OutageErrorOptions {
  /** What watches the services. Default: one of the plugin's own, which is closed with the app. */
  monitor?: ServiceMonitor
  /** Services to register: instances or classes. */
  services?: ReadonlyArray<Service | ServiceClass>
  /** Hold a request until the pings that are due, and the switches that follow from them, are done; never one for the status. Default false. */
  wait?: boolean
  /** Routes whose requests trigger nothing, as they were declared: `/users/:id`. */
  excludeRoutes?: readonly string[]
}

declare module 'fastify' {
  interface FastifyInstance {
    serviceMonitor: ServiceMonitor
  }
}

/**
 * Triggers monitoring with every request of the app, and with every error of an outage that a handler throws. Shows the services in
 * the registry of `statusPlugin` where that was registered before.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION and what `register` and `showIn` throw, at registration
 * @example
 * await fastify.register(statusPlugin)
 * await fastify.register(failoverPlugin, { services: [new DatabaseService({ connections })] })
 */
export const failoverPlugin = fastifyPlugin(async (fastify: FastifyInstance, options: FailoverPluginOptions) => {
  const { monitor: given, services = [], wait = false, excludeRoutes = [], ...errors } =
    knownOptions(options, ['monitor', 'services', 'wait', 'excludeRoutes', 'errorClasses', 'extraErrorClasses', 'errorCodes'], 'the failover plugin')
  ofKind(services, 'array', 'the option "services"')
  ofKind(wait, 'boolean', 'the option "wait"')
  stringList(excludeRoutes, 'the option "excludeRoutes"')
  const isOutage = outageErrors(errors)
  const monitor = given === undefined ? new ServiceMonitor({ logger: fastify.log }) : monitorOf(given, 'the option "monitor"')
  monitor.logger ??= fastify.log
  for (const service of services) monitor.register(service)
  if (fastify.hasDecorator('svcStatus')) monitor.showIn(fastify.svcStatus.registry)
  if (!fastify.hasDecorator('serviceMonitor')) fastify.decorate('serviceMonitor', monitor)
  if (given === undefined) fastify.addHook('onClose', () => monitor.close())

  const excluded = new Set<string | undefined>(excludeRoutes)
  fastify.addHook('onRequest', (request, _reply, done) => {
    // Most requests come while nothing is due, and this is all that they cost.
    if (monitor.quiet || excluded.has(request.routeOptions.url)) return done()
    const due = monitor.trigger(false, false)
    // A probe that is held while something else is down has the instance restarted, or taken out of service, for it.
    if (wait && due !== undefined && request.routeOptions.config.svcStatus !== true) due.then(() => done())
    else done()
  })
  fastify.addHook('onError', (request, _reply, error, done) => {
    if (isOutage(error) && !excluded.has(request.routeOptions.url)) monitor.trigger(false, true)
    done()
  })
}, { name: 'fastify-svc-status-failover', fastify: '5.x' })
