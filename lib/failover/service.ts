import type { HandlerContext, StatusProvider } from '../../types/handler.js'
import type { Ping, ServiceContext, ServiceOptions } from '../../types/failover.js'
import type { Logger } from '../../types/logger.js'
import type { RunLength } from '../../types/policies.js'
import type { Status } from '../../types/status.js'
import type { Time } from '../../types/time.js'
import { TCPCheck } from '../checks/tcp-check.js'
import { codedError, show } from '../core/errors.js'
import { knownOptions } from '../core/options.js'
import { OK, RED } from '../core/state.js'
import { milliseconds, second } from '../core/units.js'
import { Call, tooLong } from './call.js'
import { mustBeUp, reasonOf } from './reason.js'
import { SettingsLayers } from './settings-layers.js'

/** What a service has of the monitor that watches it. */
export interface Watch {
  readonly log: Logger
  getStatus (context: HandlerContext): Readonly<Status> | Promise<Readonly<Status>>
  trigger (trigger: 'monitoring' | 'error'): Promise<void> | undefined
}

const watches = new WeakMap<Service, Watch>()

/** Ties a service to what watches it, and with `undefined` unties it again. */
export function setWatch (service: Service, watch: Watch | undefined): void {
  if (watch === undefined) watches.delete(service)
  else watches.set(service, watch)
}

export function watchOf (service: Service): Watch | undefined {
  return watches.get(service)
}

/**
 * Something that an app depends on and that can be failed over: how to ask whether it is there, where to go when it is not, and
 * how to come back. Give the options, or subclass it and override fields and methods; what a field says counts from
 * `monitor.register(service)` on.
 *
 * It is a status handler: OK while it is up, YELLOW while it is failed over, RED while it is down with nowhere to go.
 *
 * @example
 * monitor.register(new Service({ name: 'search', host: 'search-1', port: 9200, failoverSettings: { searchHost: 'search-2' } }))
 * @example
 * class Search extends Service {
 *   name = 'search'
 *   host = 'search-1'
 *   port = 9200
 *   failoverSettings = { searchHost: 'search-2' }
 * }
 * monitor.register(Search)
 */
export class Service implements StatusProvider {
  /** What it is called in the log and in the registry. Default: the name of its class. */
  name: string
  /** What the default `ping` connects to. */
  host: string | undefined
  /** 1 to 65535, or the name of a TCP service. */
  port: number | string | undefined
  /** How long a ping may take. Default `second(3)`. */
  timeout: Time
  /** What the default `failover` sets in the monitor's settings. */
  failoverSettings: object
  /** Default: the monitor's. */
  monitoringPingFrequency: Time | undefined
  /** Default: the monitor's. */
  outagePingFrequency: Time | undefined
  /** Default: the monitor's. */
  errorPingFrequency: Time | undefined
  /** Default: the monitor's. */
  recoverAfter: RunLength | undefined
  /** Asked before a switch and during an outage. Default: nobody is asked. */
  standby: Ping | StatusProvider | undefined

  /**
   * @throws ERR_UNKNOWN_OPTION. What the options hold is looked at by `register`
   */
  constructor (options?: ServiceOptions) {
    const {
      name, host, port, timeout = second(3), failoverSettings = {}, monitoringPingFrequency, outagePingFrequency, errorPingFrequency,
      recoverAfter, standby, ping, failover, recover
    } = knownOptions(options, serviceOptions, 'Service')
    this.name = name ?? new.target.name
    this.host = host
    this.port = port
    this.timeout = timeout
    this.failoverSettings = failoverSettings
    this.monitoringPingFrequency = monitoringPingFrequency
    this.outagePingFrequency = outagePingFrequency
    this.errorPingFrequency = errorPingFrequency
    this.recoverAfter = recoverAfter
    this.standby = standby
    // As methods of this one object: one that was not given is that of the class.
    if (ping !== undefined) this.ping = ping
    if (failover !== undefined) this.failover = failover
    if (recover !== undefined) this.recover = recover
  }

  /**
   * Asks whether the service is there. By default it connects to `host` and `port`, and closes the connection at once.
   *
   * @throws ERR_SERVICE_DOWN where it cannot connect; ERR_INVALID_OPTION where `host` or `port` is none
   */
  ping (context: ServiceContext): unknown {
    return pingByTCP(this, context)
  }

  /** Points the app somewhere else. By default it sets `failoverSettings` in the monitor's settings, all of them or none. */
  failover (context: ServiceContext): unknown {
    SettingsLayers.of(context.settings).apply(this, this.failoverSettings)
    return undefined
  }

  /** Points the app back. By default it puts back exactly what was there before, and deletes what was not. */
  recover (context: ServiceContext): unknown {
    SettingsLayers.of(context.settings).restore(this)
    return undefined
  }

  /** Further properties for its status, to be shown in JSON. */
  details (): object | undefined {
    return undefined
  }

  /** Called when the monitor is closed. */
  close (): unknown {
    return undefined
  }

  /** What the monitor knows of it. Where none watches it, it is pinged for every reader. */
  getStatus (context: HandlerContext): Readonly<Status> | Promise<Readonly<Status>> {
    return watchOf(this)?.getStatus(context) ?? this.#pingFor(context)
  }

  async #pingFor ({ name, log }: HandlerContext): Promise<Status> {
    const timeout = milliseconds(this.timeout, `"timeout" of the service ${show(this.name)}`, 1)
    const ping = new Call(async (signal) => mustBeUp(await this.ping({ name, log, signal, settings: {} })))
    const { failure } = await ping.within(timeout, true) ?? { failure: { error: tooLong('the ping', timeout) } }
    return failure === undefined ? { ...this.details(), state: OK } : { ...this.details(), state: RED, detail: `down: ${reasonOf(failure.error)}` }
  }
}

const serviceOptions = [
  'name', 'host', 'port', 'timeout', 'failoverSettings', 'monitoringPingFrequency', 'outagePingFrequency', 'errorPingFrequency',
  'recoverAfter', 'standby', 'ping', 'failover', 'recover'
] as const

async function pingByTCP ({ name, host, port, timeout }: Service, { signal }: ServiceContext): Promise<void> {
  if (host === undefined || port === undefined) {
    throw codedError('ERR_INVALID_OPTION', `the service ${show(name)} must have "host" and "port", or a ping() of its own`)
  }
  const { state, detail } = await new TCPCheck({ host, port, timeout }).getStatus({ signal })
  if (state === RED) throw codedError('ERR_SERVICE_DOWN', detail as string)
}
