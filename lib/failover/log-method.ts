import type { OutageErrorOptions } from '../../types/failover.js'
import { knownOptions } from '../core/options.js'
import { monitorOf } from './monitor-of.js'
import { outageErrors } from './outage-errors.js'
import type { ServiceMonitor } from './service-monitor.js'

/** pino's `hooks.logMethod`: https://github.com/pinojs/pino/blob/main/docs/api.md#logmethod */
export type LogMethod = (this: unknown, args: unknown[], method: (...args: never[]) => void, level: number) => void

/** pino's number for `error`: https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels-object */
const errorLevel = 50

/**
 * A `logMethod` hook for pino: what is logged at `error` or `fatal` with an error that tells of an outage triggers a ping of all
 * services, as `log.error(err)`, `log.error({ err })` or `log.error('…', err)`. The lines are written as they are. What the monitor
 * itself logs triggers nothing.
 *
 * @throws ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION
 * @example
 * const fastify = Fastify({ logger: { hooks: { logMethod: failoverLogMethod(monitor) } } })
 */
export function failoverLogMethod (monitor: ServiceMonitor, options?: OutageErrorOptions): LogMethod {
  monitorOf(monitor, 'the first argument of failoverLogMethod()')
  const isOutage = outageErrors(knownOptions(options, ['errorClasses', 'extraErrorClasses', 'errorCodes'], 'failoverLogMethod'))
  return function (args, method, level) {
    Reflect.apply(method, this, args)
    if (level >= errorLevel && !monitor.speaking && args.some((arg) => isOutage(arg) || isOutage(errorIn(arg)))) monitor.trigger(false, true)
  }
}

function errorIn (details: unknown): unknown {
  if (typeof details !== 'object' || details === null || details instanceof Error) return undefined
  try {
    const { err, error } = details as { err?: unknown, error?: unknown }
    return err ?? error
  } catch {}
}
