import type { PingFrequencies, ServiceContext } from '../../types/failover.js'
import type { RunLength } from '../../types/policies.js'
import type { Count, Duration } from '../../types/time.js'
import { hostOf } from '../checks/peer.js'
import { portOf } from '../checks/service-port.js'
import { checkName } from '../core/handler-name.js'
import { invalid, ofKind } from '../core/options.js'
import { isCount, isDuration, milliseconds, second, whole } from '../core/units.js'
import { Service } from './service.js'
import type { Frequencies, Length } from './service-state.js'

/** What a monitor does with a service, checked and with its defaults. */
export interface Plan {
  readonly name: string
  readonly timeout: number
  readonly frequencies: Frequencies
  readonly recoverAfter: Length
  readonly canFailOver: boolean
  readonly standby: ((context: ServiceContext) => unknown) | undefined
}

export interface PlanDefaults {
  readonly frequencies: Frequencies
  readonly recoverAfter: Length
}

/**
 * @throws ERR_INVALID_NAME, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function planOf (service: Service, defaults: PlanDefaults): Plan {
  const { name, host, port, timeout, failoverSettings, recoverAfter } = service
  checkName(name)
  const of = (field: string): string => `"${field}" of the service ${JSON.stringify(name)}`
  if (host !== undefined) hostOf(host, of('host'))
  if (port !== undefined) portOf(port, of('port'))
  if (service.ping === Service.prototype.ping && (host === undefined || port === undefined)) {
    throw invalid(host === undefined ? of('host') : of('port'), 'given, or else a ping() of its own', undefined)
  }
  if (failoverSettings === undefined) throw invalid(of('failoverSettings'), 'an object', undefined)
  ofKind(failoverSettings, 'object', of('failoverSettings'))
  for (const method of ['ping', 'failover', 'recover'] as const) ofKind(service[method], 'function', of(method))
  return {
    name,
    timeout: milliseconds(timeout, of('timeout'), 1),
    frequencies: frequenciesOf(service, defaults.frequencies, of),
    recoverAfter: recoverAfter === undefined ? defaults.recoverAfter : lengthOf(recoverAfter, of('recoverAfter')),
    canFailOver: service.failover !== Service.prototype.failover || Object.keys(failoverSettings).length > 0,
    standby: standbyOf(service, of('standby'))
  }
}

/** The frequencies that are given, and the others as they are. */
export function frequenciesOf (given: PingFrequencies, otherwise: Frequencies, of: (field: string) => string): Frequencies {
  const one = (field: keyof PingFrequencies, other: number): number => {
    const time = given[field]
    return time === undefined ? other : milliseconds(time, of(field), 0)
  }
  return {
    monitoring: one('monitoringPingFrequency', otherwise.monitoring),
    outage: one('outagePingFrequency', otherwise.outage),
    error: one('errorPingFrequency', otherwise.error)
  }
}

/** Those of django-failover. */
export const usualFrequencies: Frequencies = {
  monitoring: second(120).milliseconds,
  outage: second(30).milliseconds,
  error: second(5).milliseconds
}

/**
 * @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function lengthOf (value: RunLength, what: string): Length {
  if (isDuration(value)) return { milliseconds: milliseconds(value as Duration, what, 0) }
  const pings = isCount(value) ? (value as Count).count : value
  if (typeof pings !== 'number') throw invalid(what, 'count(…), a whole number of pings or a time such as minute(2)', value)
  return { pings: whole(pings, `${what}, without a unit a number of pings,`, 1, Number.MAX_SAFE_INTEGER) }
}

function standbyOf (service: Service, what: string): Plan['standby'] {
  const { standby } = service
  if (standby === undefined) return undefined
  if (typeof standby === 'function') return (context) => standby.call(service, context)
  if (typeof standby !== 'object' || standby === null || typeof standby.getStatus !== 'function') {
    throw invalid(what, 'a function or an object with a method getStatus', standby)
  }
  return (context) => standby.getStatus(context)
}
