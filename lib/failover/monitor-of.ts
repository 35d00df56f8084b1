import { invalid } from '../core/options.js'
import { ServiceMonitor } from './service-monitor.js'

/** @throws ERR_INVALID_OPTION where it is none */
export function monitorOf (value: unknown, what: string): ServiceMonitor {
  if (value instanceof ServiceMonitor) return value
  throw invalid(what, 'a ServiceMonitor', value)
}
