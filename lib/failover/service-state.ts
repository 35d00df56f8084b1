import { OK, RED, YELLOW } from '../core/state.js'
import type { State } from '../../types/status.js'

export type SwitchName = 'failover' | 'recover'

/** How long a run of good pings has to be: so many, or so many milliseconds. */
export type Length = { readonly pings: number } | { readonly milliseconds: number }

/** What a ping was asked for by. */
export type Trigger = 'monitoring' | 'error'

/** The shortest time between two pings, in milliseconds. */
export interface Frequencies {
  readonly monitoring: number
  readonly outage: number
  readonly error: number
}

/** A moment by both clocks: one for lengths of time, one for people. */
export interface Moment {
  readonly monotonic: number
  readonly now: number
}

export interface OutageState {
  readonly since: Moment
  /** What the last bad ping said. */
  readonly reason: string
  readonly error: unknown
  /** When it was last logged. */
  readonly loggedAt?: number
  /** Good pings in a row. */
  readonly run?: { readonly pings: number, readonly since: number }
}

/** The last switch, unless it went well. */
export interface SwitchState {
  readonly name: SwitchName
  readonly since: Moment
  /** `late`: it took too long and still runs; the service is not switched before it has ended. */
  readonly phase: 'runs' | 'late' | 'failed'
  readonly reason?: string
}

/** What is known of one service. */
export interface ServiceState {
  /** What the last ping said; undefined before the first. */
  readonly up?: boolean
  readonly lastPing?: number
  /** How long the last ping took, in milliseconds. */
  readonly pingTook?: number
  /** What it said, where it is down: undefined where nobody was asked. */
  readonly standby?: { readonly up: boolean, readonly reason?: string }
  /** Whether `failover` has been done, and `recover` has not. */
  readonly failedOver: boolean
  readonly switching?: SwitchState
  readonly outage?: OutageState
  readonly counts: Counts
}

interface Counts {
  readonly outages: number
  readonly failovers: number
  readonly recoveries: number
  /** Of outages that are over, in milliseconds. */
  readonly outageTime: number
  /** How long the last switch took, in milliseconds. */
  readonly switchTook?: number
}

export const unknown: ServiceState = { failedOver: false, counts: { outages: 0, failovers: 0, recoveries: 0, outageTime: 0 } }

/** When a trigger causes a ping, by the monotonic clock. */
export function dueAt ({ lastPing, outage }: ServiceState, trigger: Trigger, frequencies: Frequencies): number {
  if (lastPing === undefined) return -Infinity
  return lastPing + (trigger === 'error' ? frequencies.error : outage === undefined ? frequencies.monitoring : frequencies.outage)
}

export function pingBegan (state: ServiceState, now: number): ServiceState {
  return { ...state, lastPing: now }
}

export function pingFailed (state: ServiceState, error: unknown, reason: string, at: Moment): ServiceState {
  const { outage, counts } = state
  return {
    ...state,
    up: false,
    pingTook: undefined,
    outage: { since: at, ...outage, error, reason, run: undefined },
    counts: outage === undefined ? { ...counts, outages: counts.outages + 1 } : counts
  }
}

/** @param now when it came, by the monotonic clock */
export function pingPassed (state: ServiceState, took: number, now: number): ServiceState {
  const { outage } = state
  if (outage === undefined) return { ...state, up: true, pingTook: took }
  const run = outage.run === undefined ? { pings: 1, since: now } : { pings: outage.run.pings + 1, since: outage.run.since }
  return { ...state, up: true, pingTook: took, standby: undefined, outage: { ...outage, run } }
}

export function outageLogged (state: ServiceState, now: number): ServiceState {
  return { ...state, outage: { ...state.outage as OutageState, loggedAt: now } }
}

/** Whether an outage that a ping has just confirmed is to be logged: at once, and again after so long. */
export function isToLog ({ outage }: ServiceState, frequency: number, now: number): boolean {
  return outage?.loggedAt === undefined || now - outage.loggedAt >= frequency
}

export interface Switching {
  readonly canFailOver: boolean
  readonly recoverAfter: Length
  readonly frozen: boolean
}

/** What is to be done now, if anything. They alternate: what is done once is not done again before the other was. */
export function wantedSwitch (state: ServiceState, { canFailOver, recoverAfter, frozen }: Switching, now: number): SwitchName | undefined {
  const { up, failedOver, outage, standby, switching } = state
  if (outage === undefined || frozen || isRunning(switching)) return undefined
  if (up === false) return canFailOver && !failedOver && standby?.up !== false ? 'failover' : undefined
  return failedOver && isLongEnough(outage, recoverAfter, now) ? 'recover' : undefined
}

function isRunning (switching: SwitchState | undefined): boolean {
  return switching !== undefined && switching.phase !== 'failed'
}

function isLongEnough ({ run }: OutageState, length: Length, now: number): boolean {
  // Only one that is up is looked at, and one that is up has a run.
  const { pings, since } = run as NonNullable<OutageState['run']>
  return 'pings' in length ? pings >= length.pings : now - since >= length.milliseconds
}

export function switchBegan (state: ServiceState, name: SwitchName, since: Moment): ServiceState {
  return { ...state, switching: { name, since, phase: 'runs' } }
}

export function switchLate (state: ServiceState): ServiceState {
  return { ...state, switching: { ...state.switching as SwitchState, phase: 'late' } }
}

export function switchFailed (state: ServiceState, reason: string): ServiceState {
  return { ...state, switching: { ...state.switching as SwitchState, phase: 'failed', reason } }
}

export function switchDone (state: ServiceState, took: number): ServiceState {
  const { counts, switching } = state
  const failedOver = switching?.name === 'failover'
  return {
    ...state,
    failedOver,
    switching: undefined,
    counts: failedOver
      ? { ...counts, failovers: counts.failovers + 1, switchTook: took }
      : { ...counts, recoveries: counts.recoveries + 1, switchTook: took }
  }
}

/** Whether an outage has come to its end: the service is up, and nothing is left to put back. */
export function isOver ({ outage, up, failedOver, switching }: ServiceState): boolean {
  return outage !== undefined && up === true && !failedOver && !isRunning(switching)
}

export function outageEnded (state: ServiceState, now: number): ServiceState {
  const { counts, outage } = state
  return { ...state, outage: undefined, switching: undefined, counts: { ...counts, outageTime: counts.outageTime + now - (outage as OutageState).since.monotonic } }
}

/** A state with the reason for it, for people. */
export interface Verdict {
  readonly state: State
  readonly detail?: string
}

export function verdictOf (state: ServiceState, switching: Switching, now: number): Verdict {
  const { up, outage, failedOver } = state
  if (up === undefined) return { state: YELLOW, detail: 'not asked yet' }
  if (outage === undefined) return { state: OK }
  const since = `since ${iso(outage.since)}`
  if (up) return { state: YELLOW, detail: `up again, ${failedOver ? 'still failed over' : 'not settled yet'}: ${whyNotBack(state, switching, now)}` }
  const down = `down ${since}: ${outage.reason}`
  if (!failedOver) return { state: RED, detail: `${down}; ${whyNotOver(state, switching)}` }
  return state.standby?.up === false
    ? { state: RED, detail: `${down}; failed over, but the standby is down too: ${state.standby.reason}` }
    : { state: YELLOW, detail: `${down}; failed over` }
}

function whyNotOver ({ standby, switching }: ServiceState, { canFailOver, frozen }: Switching): string {
  if (!canFailOver) return 'there is nothing to fail over to'
  if (standby?.up === false) return `the standby is down too: ${standby.reason}`
  return inWords(switching) ?? (frozen ? 'switching is frozen' : 'about to fail over')
}

function whyNotBack ({ switching, outage }: ServiceState, { recoverAfter, frozen }: Switching, now: number): string {
  const running = inWords(switching)
  if (running !== undefined) return running
  if (frozen) return 'switching is frozen'
  const run = (outage as OutageState).run as NonNullable<OutageState['run']>
  return 'pings' in recoverAfter
    ? `${run.pings} of ${recoverAfter.pings} good pings`
    : `good for ${Math.floor(now - run.since)} of ${recoverAfter.milliseconds} ms`
}

function inWords (switching: SwitchState | undefined): string | undefined {
  switch (switching?.phase) {
    case 'runs': return `${switching.name} is running`
    case 'late': return `${switching.name} has not ended since ${iso(switching.since)}`
    case 'failed': return `${switching.name} failed: ${switching.reason}; it is tried again at the next ping`
  }
}

function iso ({ now }: Moment): string {
  return new Date(now).toISOString()
}

/** For Prometheus. Times are in seconds, as its conventions have it: https://prometheus.io/docs/practices/naming/#base-units */
export function metricsOf ({ up, failedOver, outage, pingTook, counts }: ServiceState, now: number): Record<string, number> {
  const lasting = outage === undefined ? 0 : now - outage.since.monotonic
  return {
    up: up === true ? 1 : 0,
    failed_over: failedOver ? 1 : 0,
    outages: counts.outages,
    outage_seconds: (counts.outageTime + lasting) / 1_000,
    failovers: counts.failovers,
    recoveries: counts.recoveries,
    ...pingTook === undefined ? undefined : { ping_seconds: pingTook / 1_000 },
    ...counts.switchTook === undefined ? undefined : { switch_seconds: counts.switchTook / 1_000 }
  }
}
