import type { ServiceContext } from '../../types/failover.js'
import type { Logger } from '../../types/logger.js'
import type { Status } from '../../types/status.js'
import { makeStatus } from '../core/status.js'
import { Call, tooLong } from './call.js'
import type { Plan } from './plan.js'
import { mustBeUp, reasonOf } from './reason.js'
import type { Service, Watch } from './service.js'
import {
  dueAt, isOver, isToLog, metricsOf, outageEnded, outageLogged, pingBegan, pingFailed, pingPassed, switchBegan, switchDone,
  switchFailed, switchLate, unknown, verdictOf, wantedSwitch, type Moment, type OutageState, type ServiceState, type Switching,
  type SwitchName, type Trigger
} from './service-state.js'

/** What a watch needs of its monitor. */
export interface WatchOwner {
  readonly frozen: boolean
  readonly settings: object
  readonly log: Logger
  readonly hookTimeout: number
  readonly outageLoggingFrequency: number
  moment (): Moment
  /** Logs, and never throws. */
  report (level: 'info' | 'error' | 'fatal', details: object, message: string): void
  /** Switches take turns: those of all services. */
  inTurn (act: () => Promise<void>): Promise<void>
  outageBegan (name: string, outage: OutageState): void
  outageOver (name: string, duration: number, at: number): void
  /** What a request would set off may be something else now. */
  stirred (): void
}

/** Who watched a service last. What is failed over when its monitor is closed has to be recovered by the next one. */
const lastWatches = new WeakMap<Service, ServiceWatch>()

/** A service that is down is pinged without any trigger, but no more often than this. */
const shortestOwnPace = 1_000

interface Run {
  /** A trigger that comes before the ping has begun is answered by it. */
  begun: boolean
  /** When the ping, and the standby's, has been answered. */
  readonly answered: Promise<void>
  /** When the switch that follows from it is done, too. */
  readonly end: Promise<void>
}

/** Pings one service, one ping at a time, and switches it. What becomes of its state is decided in service-state.ts. */
export class ServiceWatch implements Watch {
  readonly service: Service
  readonly plan: Plan
  readonly #owner: WatchOwner
  #state: ServiceState
  #run: Run | undefined
  #next: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #wakesAt: number | undefined
  /** Calls that were called off and have not ended: they are not made again before. */
  readonly #hanging = new Map<'ping' | 'standby', Call>()
  readonly #calls = new Set<Call>()
  #closed = false

  constructor (service: Service, plan: Plan, owner: WatchOwner) {
    this.service = service
    this.plan = plan
    this.#owner = owner
    const last = lastWatches.get(service)?.state
    this.#state = last?.failedOver === true ? { ...last, lastPing: undefined, switching: undefined } : unknown
    lastWatches.set(service, this)
  }

  get log (): Logger {
    return this.#owner.log
  }

  get state (): ServiceState {
    return this.#state
  }

  /** Whether a request would set nothing off: a ping is planned already, and early enough. */
  get quiet (): boolean {
    return this.#closed || (this.#wakesAt !== undefined && this.#wakesAt <= dueAt(this.#state, 'monitoring', this.plan.frequencies))
  }

  /**
   * Sees to it that a ping begins as soon as one is due. Gives what to wait for where one is under way or begins now. Never rejects.
   */
  trigger (trigger: Trigger): Promise<void> | undefined {
    if (this.#closed) return undefined
    const run = this.#run
    if (run?.begun === false) return run.end
    const due = dueAt(this.#state, trigger, this.plan.frequencies)
    if (due > this.#owner.moment().monotonic) {
      this.#wake(due)
      return run?.end
    }
    return run === undefined ? this.#begin().end : this.#again(run)
  }

  /** Another one as soon as this one has ended, which may have been answered before what the trigger tells of. */
  #again ({ end }: Run): Promise<void> {
    this.#next ??= end.then(() => {
      this.#next = undefined
      // A trigger may have come between the end of the one and this.
      return this.#closed ? undefined : (this.#run ?? this.#begin()).end
    })
    return this.#next
  }

  /** What is known, after the ping that is under way or due. */
  getStatus (): Readonly<Status> | Promise<Readonly<Status>> {
    this.trigger('monitoring')
    return this.#run === undefined ? this.#status() : this.#run.answered.then(() => this.#status())
  }

  /** Begins nothing any more, and calls off what runs. Resolves when that has ended. */
  async close (): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#wakesAt = undefined
    for (const call of this.#calls) call.callOff(new Error('the monitor was closed'))
    await Promise.all([this.#run?.end, ...[...this.#calls].map(({ end }) => end)])
  }

  #status (): Readonly<Status> {
    const { monotonic } = this.#owner.moment()
    const { state, detail } = verdictOf(this.#state, this.#switching(), monotonic)
    return makeStatus(state, { ...this.#details(), detail, metrics: metricsOf(this.#state, monotonic) })
  }

  #details (): object | undefined {
    try {
      return this.service.details()
    } catch {
      return undefined
    }
  }

  #switching (): Switching {
    return { ...this.plan, frozen: this.#owner.frozen }
  }

  #wake (at: number): void {
    if (this.#wakesAt !== undefined && this.#wakesAt <= at) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(() => this.#awake(), Math.max(0, at - this.#owner.moment().monotonic)).unref()
  }

  #awake (): void {
    this.#wakesAt = undefined
    if (this.#run === undefined) this.#begin()
    else this.#again(this.#run)
  }

  #begin (): Run {
    const answered = this.#ping()
    const run: Run = { begun: false, answered, end: answered.then(() => this.#follow()).then(() => this.#ended()) }
    this.#run = run
    this.#owner.stirred()
    return run
  }

  async #ping (): Promise<void> {
    // What is triggered side by side, such as a thousand errors of one moment, is triggered before the ping begins.
    await undefined
    if (this.#closed) return
    const { timeout } = this.plan
    const run = this.#run as Run
    run.begun = true
    const began = this.#owner.moment().monotonic
    this.#state = pingBegan(this.#state, began)
    // A ping that was planned for later is made now.
    clearTimeout(this.#timer)
    this.#wakesAt = undefined
    this.#owner.stirred()
    const failure = await this.#ask('ping', (context) => this.service.ping(context), timeout)
    if (this.#closed) return
    const at = this.#owner.moment()
    if (failure === undefined) {
      this.#state = pingPassed(this.#state, at.monotonic - began, at.monotonic)
      return
    }
    const isNew = this.#state.outage === undefined
    this.#state = pingFailed(this.#state, failure.error, reasonOf(failure.error), at)
    await this.#askStandby()
    if (this.#closed) return
    this.#logOutage(isNew)
    if (isNew) this.#owner.outageBegan(this.plan.name, this.#state.outage as OutageState)
  }

  async #askStandby (): Promise<void> {
    const { standby, timeout } = this.plan
    if (standby === undefined) return
    const failure = await this.#ask('standby', standby, timeout)
    this.#state = { ...this.#state, standby: failure === undefined ? { up: true } : { up: false, reason: reasonOf(failure.error) } }
  }

  async #ask (what: 'ping' | 'standby', ask: (context: ServiceContext) => unknown, timeout: number): Promise<{ error: unknown } | undefined> {
    if (this.#hanging.has(what)) return { error: tooLong(`the last ${what}, which still runs,`, timeout) }
    const call = this.#call(async (context) => mustBeUp(await ask(context)))
    const ended = await call.within(timeout, true)
    if (ended !== undefined) return ended.failure
    this.#hanging.set(what, call)
    call.end.then(() => this.#hanging.delete(what))
    return { error: tooLong(`the ${what}`, timeout) }
  }

  #call (act: (context: ServiceContext) => unknown): Call {
    const { log, settings } = this.#owner
    const call = new Call((signal) => act({ name: this.plan.name, signal, log, settings }))
    this.#calls.add(call)
    call.end.then(() => this.#calls.delete(call))
    return call
  }

  #logOutage (isNew: boolean): void {
    const at = this.#owner.moment().monotonic
    if (!isToLog(this.#state, this.#owner.outageLoggingFrequency, at)) return
    const { error, since } = this.#state.outage as OutageState
    const next = wantedSwitch(this.#state, this.#switching(), at) === undefined ? verdictOf(this.#state, this.#switching(), at).detail : 'failover initiated'
    this.#state = outageLogged(this.#state, at)
    this.#owner.report('fatal', { service: this.plan.name, since: new Date(since.now).toISOString(), err: error }, `${this.plan.name} outage${isNew ? '' : ' goes on'}: ${next}`)
  }

  /** What follows from a ping: a switch, and the end of an outage. */
  async #follow (): Promise<void> {
    if (this.#closed) return
    if (this.#wanted() !== undefined) await this.#owner.inTurn(() => this.#switch())
    this.#endOutage()
  }

  #wanted (): SwitchName | undefined {
    return wantedSwitch(this.#state, this.#switching(), this.#owner.moment().monotonic)
  }

  async #switch (): Promise<void> {
    // Others had their turn meanwhile, and somebody may have frozen or closed.
    const name = this.#closed ? undefined : this.#wanted()
    if (name === undefined) return
    const { hookTimeout } = this.#owner
    const began = this.#owner.moment()
    this.#state = switchBegan(this.#state, name, began)
    const call = this.#call((context) => this.service[name](context))
    const done = call.end.then(({ failure }) => this.#switched(name, began, failure))
    if (await call.within(hookTimeout, true) !== undefined) return await done
    // It may have ended just when it was called off.
    if (this.#closed || this.#state.switching?.phase !== 'runs') return
    this.#state = switchLate(this.#state)
    this.#owner.report('error', { service: this.plan.name, timeout: hookTimeout }, `${name} of ${this.plan.name} ran past its time; this service is not switched before it has ended`)
  }

  #switched (name: SwitchName, began: Moment, failure: { readonly error: unknown } | undefined): void {
    const wasLate = this.#state.switching?.phase === 'late'
    if (failure === undefined) {
      const took = this.#owner.moment().monotonic - began.monotonic
      this.#state = switchDone(this.#state, took)
      this.#owner.report('info', { service: this.plan.name, duration: Math.round(took) }, `${name} of ${this.plan.name} is done`)
    } else {
      this.#state = switchFailed(this.#state, reasonOf(failure.error))
      this.#owner.report('error', { service: this.plan.name, err: failure.error }, `${name} of ${this.plan.name} failed; it is tried again at the next ping`)
    }
    if (wasLate && this.#run === undefined) this.#endOutage()
  }

  #endOutage (): void {
    if (!isOver(this.#state)) return
    const { monotonic, now } = this.#owner.moment()
    const duration = monotonic - (this.#state.outage as OutageState).since.monotonic
    this.#state = outageEnded(this.#state, monotonic)
    this.#owner.report('info', { service: this.plan.name, outage: Math.round(duration) }, `${this.plan.name} is back up: recovery complete`)
    this.#owner.outageOver(this.plan.name, duration, now)
  }

  #ended (): void {
    this.#run = undefined
    if (this.#closed) return
    const { lastPing, outage } = this.#state
    if (outage !== undefined) this.#wake((lastPing as number) + Math.max(this.plan.frequencies.outage, shortestOwnPace))
    this.#owner.stirred()
  }
}
