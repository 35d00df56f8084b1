import type { StatusProvider } from './handler.js'
import type { Logger } from './logger.js'
import type { RunLength } from './policies.js'
import type { Registry } from './registry.js'
import type { Clock, Time } from './time.js'

/** The part of a pino logger that a `ServiceMonitor` calls. */
export interface FailoverLogger extends Logger {
  fatal (message: string): void
  fatal (details: object, message?: string): void
}

/** What `ping`, `standby`, `failover` and `recover` of a service are given. */
export interface ServiceContext {
  /** The name of the service. */
  readonly name: string
  /** Aborts when the call runs past its time, and when the monitor is closed. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** The object that the monitor shares with the app. */
  readonly settings: object
}

/**
 * Asks whether a service is there. It is down where the call throws, rejects, takes too long, or gives `false`, `'RED'` or a
 * status that is `RED`; whatever else it gives, it is up.
 */
export type Ping = (context: ServiceContext) => unknown

/** Points the app somewhere else, or back. One that throws must have changed nothing: it is called again at the next ping. */
export type Switch = (context: ServiceContext) => unknown

/** How often a service is pinged at most. */
export interface PingFrequencies {
  /** The shortest time between two pings of a service that is up. 0: at every trigger. */
  monitoringPingFrequency?: Time
  /** The same for one that is down. It is pinged without any trigger too, as often, but once a second at most. 0: at every trigger. */
  outagePingFrequency?: Time
  /** The shortest time between a ping and one that is triggered by an error. 0: at every error. */
  errorPingFrequency?: Time
}

export interface ServiceOptions extends PingFrequencies {
  /** What it is called in the log and in the registry. Default: the name of its class. */
  name?: string
  /** What the default `ping` connects to: a host name, or an IPv4 or IPv6 address. */
  host?: string
  /** 1 to 65535, or the name of a TCP service such as `smtp`. */
  port?: number | string
  /** How long a ping may take. Default `second(3)`; at least 1 ms. */
  timeout?: Time
  /** What the default `failover` sets in the monitor's settings: plain objects are gone into, everything else is set as it is. */
  failoverSettings?: object
  /** How long a run of good pings has to be before `recover` is called. Default: the monitor's. */
  recoverAfter?: RunLength
  /** Asked before a switch, and at each ping of an outage: where it is down, there is nowhere to go. Default: nobody is asked. */
  standby?: Ping | StatusProvider
  ping?: Ping
  failover?: Switch
  recover?: Switch
}

export interface ServiceMonitorOptions extends PingFrequencies {
  /** What the default `failover` and `recover` of services change. Default: an object of its own. */
  settings?: object
  /** Hears of outages at `fatal`, of switches that fail at `error`, of recoveries at `info`. Default: none; `failoverPlugin` lends the app's. */
  logger?: FailoverLogger
  /** After how long an outage that goes on is logged again. Default `second(3600)`; 0: at every ping. */
  outageLoggingFrequency?: Time
  /** How long a run of good pings has to be before `recover` is called: `count(3)`, or a time such as `minute(1)`. Default `count(1)`: at once. */
  recoverAfter?: RunLength
  /** How long `failover` and `recover` may take before they are called off, and `close()` of a service. Default `second(10)`; at least 1 ms. */
  hookTimeout?: Time
  /** Shows every service as a status handler. Default: none; `failoverPlugin` shows them in the app's. */
  registry?: Registry
  /** Where the time comes from. Default: the system. */
  clock?: Clock
}

export interface MonitorOptions {
  /** Ping those alone that are down. Default false. */
  outagesOnly?: boolean
  /** What went wrong: with it, `errorPingFrequency` counts in place of the other two. */
  error?: unknown
}

/** A service that is down, or is up again and has not been recovered yet. */
export interface Outage {
  readonly name: string
  /** When it began, in milliseconds since the epoch. */
  readonly since: number
  /** Whether `failover` was done. */
  readonly failedOver: boolean
}

export interface OutageEvent {
  readonly name: string
  /** What the ping threw. */
  readonly error: unknown
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface RecoveryEvent {
  readonly name: string
  /** How long the outage lasted, in milliseconds. */
  readonly duration: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** A class whose instances are errors. */
export type ErrorClass = abstract new (...args: never[]) => unknown

/** Which errors tell of an outage. An error does where it, or what caused it, is of one of the classes or has one of the codes. */
export interface OutageErrorOptions {
  /** In place of the default classes, which are the errors of pg, mysql2 and ioredis that have no code. */
  errorClasses?: readonly ErrorClass[]
  /** Beside the default classes, or those of `errorClasses`. */
  extraErrorClasses?: readonly ErrorClass[]
  /** In place of the default codes. */
  errorCodes?: readonly string[]
}

export interface WrapOptions {
  /** Call the function only when the pings that are due, and the switches that follow from them, are done; the result is a promise then. Default false. */
  wait?: boolean
}

/** A job as the processor of a `JobQueueService` gets it, inline or in a worker. */
export interface InlineJob<Data = unknown> {
  readonly id: string
  readonly name: string
  readonly data: Data
}

/** What is used of a BullMQ `Queue`. */
export interface JobQueue {
  add (name: string, data: unknown, options?: object): Promise<unknown>
  close? (): Promise<unknown>
}

/**
 * Where a job went: into the queue; through the processor in this process, `error` being what it threw; or into memory, because
 * nobody knows whether the broker took it: it is put into the queue, once, when the broker is back.
 */
export interface AddedJob {
  readonly id: string
  readonly where: 'queue' | 'inline' | 'held'
  readonly error?: unknown
}
