import { EventEmitter } from 'node:events'
import type { FailoverLogger, MonitorOptions, Outage, OutageEvent, RecoveryEvent, ServiceMonitorOptions } from '../../types/failover.js'
import type { Registry } from '../../types/registry.js'
import { systemClock } from '../core/clock.js'
import { codedError, show } from '../core/errors.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { count, milliseconds, second } from '../core/units.js'
import { Call } from './call.js'
import { frequenciesOf, lengthOf, planOf, usualFrequencies, type Plan, type PlanDefaults } from './plan.js'
import { Service, setWatch, watchOf } from './service.js'
import { MonitorLog } from './monitor-log.js'
import { ShownServices } from './shown-services.js'
import { ServiceWatch, type WatchOwner } from './service-watch.js'

const ignore = (): void => {}

/** A class of services that can be made without arguments. */
export type ServiceClass = new () => Service

type Events = { outage: OutageEvent, recovery: RecoveryEvent }

/**
 * Watches services, fails them over when they are down and recovers them when they are back.
 *
 * Nothing is pinged unless something triggers it: a request (`failoverPlugin`), an error, a wrapped function, a reader of the status,
 * or `monitor()`. A trigger that comes too early, by the ping frequencies, is made up for as soon as one is due. A service that is
 * down is pinged without a trigger until it is back.
 *
 * What is known is known to this process alone: each process finds out for itself, so that what one of them cannot reach does not
 * switch all others.
 *
 * @example
 * const settings = { searchHost: 'search-1' }
 * const monitor = new ServiceMonitor({ settings, logger })
 * monitor.register(new Service({ name: 'search', host: 'search-1', port: 9200, failoverSettings: { searchHost: 'search-2' } }))
 * await monitor.monitor()
 */
export class ServiceMonitor {
  /** What the default `failover` and `recover` of services change. */
  readonly settings: object
  /**
   * Watches a service: an instance, or a class, of which it makes one. The same twice is watched once. Gives what it was given, and
   * is bound, so that it can decorate a class.
   *
   * @throws ERR_INVALID_SERVICE, ERR_DUPLICATE_SERVICE, ERR_MONITOR_CLOSED, ERR_DUPLICATE_HANDLER, ERR_INVALID_NAME, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   * @example
   * @monitor.register
   * class Search extends Service { … }
   */
  readonly register = <T extends Service | ServiceClass>(service: T, _context?: ClassDecoratorContext): T => this.#register(service)

  readonly #watches = new Map<Service, ServiceWatch>()
  readonly #classes = new Map<ServiceClass, Service>()
  readonly #shown = new ShownServices()
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #defaults: PlanDefaults
  readonly #owner: WatchOwner
  readonly #log: MonitorLog
  #frozen = false
  #quiet = false
  #turns: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options?: ServiceMonitorOptions) {
    const { settings = {}, logger, outageLoggingFrequency = second(3600), recoverAfter = count(1), hookTimeout = second(10), registry, clock = systemClock, ...frequencies } =
      knownOptions(options, monitorOptions, 'ServiceMonitor')
    ofKind(settings, 'object', 'the option "settings"')
    ofKind(registry, 'object', 'the option "registry"')
    ofKind(clock, 'object', 'the option "clock"')
    const of = (option: string): string => `the option "${option}"`
    this.#defaults = { frequencies: frequenciesOf(frequencies, usualFrequencies, of), recoverAfter: lengthOf(recoverAfter, of('recoverAfter')) }
    this.settings = settings
    this.#log = new MonitorLog(logger)
    const monitor = this
    this.#owner = {
      get frozen () { return monitor.#frozen },
      log: this.#log.lent,
      settings,
      hookTimeout: milliseconds(hookTimeout, of('hookTimeout'), 1),
      outageLoggingFrequency: milliseconds(outageLoggingFrequency, of('outageLoggingFrequency'), 0, Infinity),
      moment: () => ({ monotonic: clock.monotonic(), now: clock.now() }),
      report: (level, details, message) => this.#log.report(level, details, message),
      inTurn: (act) => this.#inTurn(act),
      outageBegan: (name, { error, since }) => this.#emit('outage', { name, error, at: since.now }),
      outageOver: (name, duration, at) => this.#emit('recovery', { name, duration, at }),
      stirred: () => { this.#quiet = false }
    }
    if (registry !== undefined) this.showIn(registry)
  }

  /** Where outages and recoveries are logged; `failoverPlugin` sets the app's log where there is none. */
  get logger (): FailoverLogger | undefined {
    return this.#log.logger
  }

  set logger (logger: FailoverLogger | undefined) {
    this.#log.logger = logger
  }

  /** The services that are watched, in the order in which they were registered. */
  get services (): readonly Service[] {
    return [...this.#watches.keys()]
  }

  /** The services that are down, or are up again and have not been recovered yet. */
  get outages (): readonly Outage[] {
    return [...this.#watches.values()].flatMap(({ plan, state: { outage, failedOver } }) =>
      outage === undefined ? [] : [{ name: plan.name, since: outage.since.now, failedOver }])
  }

  /** Whether switching is frozen. */
  get frozen (): boolean {
    return this.#frozen
  }

  /** Whether it writes a line to the log just now: that line is no trigger. Package-internal. */
  get speaking (): boolean {
    return this.#log.speaking
  }

  /** Whether `monitor()` would neither begin nor plan a ping. Package-internal. */
  get quiet (): boolean {
    return this.#quiet
  }

  /**
   * Pings every service that is due, fails over those that are down and recovers those that are back. Resolves when all that is
   * done; it never rejects. A ping that is under way is joined, and one that is not due yet is planned and not waited for.
   *
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION
   */
  monitor (options?: MonitorOptions): Promise<void> {
    const { outagesOnly = false, error } = knownOptions(options, ['outagesOnly', 'error'], 'monitor')
    ofKind(outagesOnly, 'boolean', 'the option "outagesOnly"')
    return this.trigger(outagesOnly, error !== undefined) ?? Promise.resolve()
  }

  /** What `monitor` does; gives nothing where there is nothing to wait for. Package-internal. */
  trigger (outagesOnly: boolean, isError: boolean): Promise<void> | undefined {
    const waits: Array<Promise<void>> = []
    let quiet = true
    for (const watch of this.#watches.values()) {
      if (outagesOnly && watch.state.outage === undefined) continue
      const wait = watch.trigger(isError ? 'error' : 'monitoring')
      if (wait !== undefined) waits.push(wait)
      quiet &&= wait === undefined && watch.quiet
    }
    if (!outagesOnly) this.#quiet = quiet
    return waits.length === 0 ? undefined : Promise.all(waits).then(ignore)
  }

  /** The kill switch: from now on nothing is failed over or recovered. Pings go on, and what they say is logged and shown. */
  freeze (): void {
    this.#frozen = true
  }

  /** Ends `freeze()`. What is to be switched is switched at the next ping. */
  thaw (): void {
    this.#frozen = false
  }

  /** Hears of outages and recoveries. A listener that throws is logged and disturbs nobody. */
  on<E extends keyof Events> (event: E, listener: (event: Events[E]) => void): this {
    checkEvent(event, listener)
    this.#events.on(event, listener)
    return this
  }

  off<E extends keyof Events> (event: E, listener: (event: Events[E]) => void): this {
    checkEvent(event, listener)
    this.#events.off(event, listener)
    return this
  }

  /**
   * Adds every service to a registry, under its name, those to come too. They leave it when the monitor is closed.
   *
   * @throws ERR_DUPLICATE_HANDLER
   */
  showIn (registry: Registry): void {
    this.#shown.showIn(registry, [...this.#watches.values()].map(({ plan, service }) => ({ name: plan.name, service, timeout: shownTimeout(plan) })))
  }

  /**
   * Ends all pings and timers, closes the services, and takes them out of registries. What is failed over stays so. Resolves when
   * all has ended, or after `hookTimeout`.
   */
  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close (): Promise<void> {
    const watches = [...this.#watches.values()]
    for (const { service, plan: { name } } of watches) this.#shown.remove(name, service)
    const open = new Set(watches)
    const ended = await new Call(() => allEnded(watches, open)).within(this.#owner.hookTimeout, true)
    // What ignores its signal must not keep the services from closing what they hold. Nobody waits for that any more.
    for (const { service } of open) new Call(() => service.close()).end.catch(ignore)
    if (ended === undefined) this.#log.report('error', { timeout: this.#owner.hookTimeout }, 'the services of a ServiceMonitor have not ended in time')
    else if (ended.failure !== undefined) this.#log.report('error', { err: ended.failure.error }, 'a service could not be closed')
    for (const { service } of watches) setWatch(service, undefined)
    for (const [Class, service] of this.#classes) {
      if (this.#watches.get(service)?.state.failedOver === true) leftMade.set(Class, service)
    }
  }

  #register<T extends Service | ServiceClass> (given: T): T {
    if (this.#closed !== undefined) throw codedError('ERR_MONITOR_CLOSED', 'the monitor was closed: it watches no more services')
    const known = typeof given === 'function' ? this.#classes.has(given) : this.#watches.has(given)
    if (known) return given
    const service = typeof given === 'function' ? made(given) : given
    if (!(service instanceof Service)) throw codedError('ERR_INVALID_SERVICE', `register() must be given a Service or a class of them, not ${show(given)}`)
    const plan = planOf(service, this.#defaults)
    if (watchOf(service) !== undefined) throw codedError('ERR_DUPLICATE_SERVICE', `the service ${show(plan.name)} is watched by another monitor`)
    if ([...this.#watches.values()].some((watch) => watch.plan.name === plan.name)) {
      throw codedError('ERR_DUPLICATE_SERVICE', `there is a service ${show(plan.name)} already; give this one another name`)
    }
    this.#shown.add({ name: plan.name, service, timeout: shownTimeout(plan) })
    const watch = new ServiceWatch(service, plan, this.#owner)
    setWatch(service, watch)
    this.#watches.set(service, watch)
    if (typeof given === 'function') {
      this.#classes.set(given, service)
      leftMade.delete(given)
    }
    this.#quiet = false
    return given
  }

  #inTurn (act: () => Promise<void>): Promise<void> {
    this.#turns = this.#turns.then(act)
    return this.#turns
  }

  #emit<E extends keyof Events> (event: E, about: Events[E]): void {
    for (const listener of this.#events.listeners(event)) {
      new Call(() => listener(Object.freeze(about))).end.then(({ failure }) => {
        if (failure !== undefined) this.#log.report('error', { service: about.name, err: failure.error }, `a listener to "${event}" threw`)
      })
    }
  }
}

const monitorOptions = [
  'settings', 'logger', 'outageLoggingFrequency', 'monitoringPingFrequency', 'outagePingFrequency', 'errorPingFrequency',
  'recoverAfter', 'hookTimeout', 'registry', 'clock'
] as const

/** What was made of a class and left failed over when its monitor was closed: another instance could not recover it. */
const leftMade = new WeakMap<ServiceClass, Service>()

/** A class that is none, or takes arguments, throws what it likes. */
function made (Class: ServiceClass): unknown {
  if (Class !== Service && !(Class.prototype instanceof Service)) return undefined
  return leftMade.get(Class) ?? new Class()
}

/** Waits for all, also where one fails. */
async function allEnded (watches: readonly ServiceWatch[], open: Set<ServiceWatch>): Promise<void> {
  const ends = await Promise.allSettled(watches.map(async (watch) => {
    await watch.close()
    if (open.delete(watch)) await watch.service.close()
  }))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** A reader waits for the ping and the standby's: it must not be told that the service is RED before they were given their time. */
function shownTimeout ({ timeout }: Plan): number {
  return Math.min(Math.max(second(5).milliseconds, 2 * timeout + second(1).milliseconds), 2 ** 31 - 1)
}

function checkEvent (event: unknown, listener: unknown): void {
  if (event !== 'outage' && event !== 'recovery') throw invalid('the event', '"outage" or "recovery"', event)
  if (typeof listener !== 'function') throw invalid('the listener', 'a function', listener)
}
