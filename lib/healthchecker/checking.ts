import type { CheckRecord, Pause, Schedule } from '../../types/healthchecker.js'
import type { Status } from '../../types/status.js'
import type { Clock } from '../../types/time.js'
import { RED } from '../core/state.js'
import type { App } from './app.js'
import { errorOf, type Checker } from './checker.js'
import { Health } from './health.js'
import type { History } from './history.js'
import type { Keeping } from './keeping.js'
import { Lanes, patience } from './lanes.js'
import type { Notices } from './notices.js'
import type { Roster } from './roster.js'
import { FailingTargets, suspects, type Failing } from './suspicion.js'
import type { Troubles } from './troubles.js'

/** For so long after a turn that was missed the healthchecker says that it is behind, in milliseconds. */
const behindFor = 60_000

const itself = 'healthchecker'

interface Parts {
  readonly clock: Clock
  readonly checker: Checker
  /** How many checks may be under way at once. */
  readonly most: number
  /** How long an app may be UNHEALTHY before it is paused, in milliseconds; 0: for ever. */
  readonly pauseAfter: number
  readonly history: History
  readonly roster: Roster
  readonly keeping: Keeping
  readonly notices: Notices
  readonly troubles: Troubles
  readonly schedule: Schedule
  readonly onCheck: (app: App, check: CheckRecord) => void
}

interface Turn {
  readonly app: App
  readonly done?: () => void
}

/** Asks apps when it is their turn, and does what follows from their answers. */
export class Checking {
  readonly #parts: Parts
  readonly #lanes: Lanes<Turn>
  readonly #failing = new FailingTargets<App>()
  #missedAt = -Infinity
  #missed = 0
  #closed = false

  constructor (parts: Parts) {
    this.#parts = parts
    this.#lanes = new Lanes(parts.most, (turn) => this.#run(turn), () => parts.clock.monotonic())
  }

  /** How many targets fail, of how many that are checked, and how many turns were missed since the start. */
  get counts (): { readonly failing: number, readonly checked: number, readonly missed: number } {
    const { failing, of } = this.#count()
    return { failing, checked: of, missed: this.#missed }
  }

  /** An app is watched from now on, also one that was before a restart. */
  admit (app: App): void {
    const { clock, pauseAfter } = this.#parts
    if (app.paused !== undefined) return
    if (app.lastCheck?.result === RED) this.#failing.failed(app, -Infinity)
    if (app.health.state !== 'UNHEALTHY' || pauseAfter === 0) return
    const left = pauseAfter - Math.max(0, clock.now() - app.since)
    app.pauseAt = clock.monotonic() + Math.max(0, left)
  }

  forget (app: App): void {
    this.#failing.recovered(app)
    this.#parts.keeping.forget(app)
    this.#suspect()
  }

  /** It is the turn of an app. */
  due (name: string): void {
    const { clock, roster, troubles } = this.#parts
    const app = roster.get(name)
    if (app === undefined || app.paused !== undefined) return
    const now = clock.monotonic()
    if (app.busy === 'waiting') {
      this.#missedAt = now
      this.#missed++
      troubles.begin('BEHIND', 'checks are late: too many targets are slow, or this machine is')
    } else if (now - this.#missedAt > behindFor) {
      troubles.end('BEHIND')
    }
    if (app.busy === 'no') this.#enter({ app })
  }

  /** Checks an app now. Resolves when that is done, at once where it is paused. */
  async once (app: App): Promise<void> {
    if (app.paused === undefined && !this.#closed) await new Promise<void>((resolve) => this.#enter({ app, done: resolve }))
  }

  /** Rejects where it cannot be stored; then it is not paused. */
  async pause (app: App, pause: Pause): Promise<void> {
    this.#halt(app, pause)
    try {
      await this.#parts.notices.asked(app, { kind: 'paused', from: app.health.state, reason: pause.why, by: pause.by })
    } catch (error) {
      app.paused = undefined
      this.#changed(app)
      throw error
    }
  }

  /** Rejects where it cannot be stored; then it goes on to be paused. */
  async resume (app: App, by: string | undefined): Promise<void> {
    const { paused, health, since } = app
    Object.assign(app, { paused: undefined, health: Health.unknown, since: this.#parts.clock.now(), pauseAt: Infinity })
    this.#changed(app)
    try {
      await this.#parts.notices.asked(app, { kind: 'resumed', from: health.state, by })
    } catch (error) {
      Object.assign(app, { paused, health, since })
      this.#changed(app)
      throw error
    }
  }

  /** Ends what is under way. */
  close (): void {
    this.#closed = true
    // Who waits for a check that does not begin any more waits no longer.
    for (const { done } of this.#lanes.close()) done?.()
    this.#parts.checker.close()
  }

  #enter (turn: Turn): void {
    turn.app.busy = 'waiting'
    this.#lanes.add(turn, turn.app.slow)
  }

  async #run ({ app, done }: Turn): Promise<void> {
    const { checker, clock } = this.#parts
    const { registration, refused, remote } = app
    // It was removed or paused while it waited.
    if (app.gone || app.paused !== undefined) {
      app.busy = 'no'
      return done?.()
    }
    const at = clock.now()
    const started = clock.monotonic()
    app.busy = 'running'
    const status: Status = refused === undefined ? await checker.ask(registration, remote) : { state: RED, detail: refused }
    const took = clock.monotonic() - started
    app.busy = 'no'
    app.slow = took > patience
    // What it was asked for may be of no interest any more.
    if (!this.#closed && !app.gone && app.paused === undefined && app.registration === registration) {
      const error = errorOf(status, registration)
      this.#checked(app, { at, result: status.state, duration: Math.round(took * 100) / 100, ...(error === undefined ? undefined : { error }) })
    }
    done?.()
  }

  #checked (app: App, check: CheckRecord): void {
    const { clock, history, keeping, notices, onCheck } = this.#parts
    const ended = history.record(app.slot, check)
    if (ended !== undefined) keeping.hour(app, ended)
    const failed = check.result === RED
    app.lastCheck = check
    const from = app.health
    app.health = Health.after(from, !failed, app.registration)
    if (failed) this.#failing.failed(app, clock.monotonic())
    else this.#failing.recovered(app)
    // Before anybody is told of this app: what all of them have is not told of each. With every check: it ends also where others came.
    this.#suspect()
    if (app.health.state !== from.state) {
      this.#moved(app)
      this.#changed(app)
      keeping.forget(app)
      notices.happened(app, { kind: 'state', from: from.state, reason: check.error })
    } else {
      this.#changed(app)
      if (app.health !== from) keeping.progress(app)
      // Not one that is on its way back, nor all of them where it is rather this machine that has lost its network.
      if (failed && !notices.suspected && clock.monotonic() >= app.pauseAt) this.#giveUp(app)
    }
    onCheck(app, check)
  }

  #moved (app: App): void {
    const { clock, pauseAfter } = this.#parts
    app.since = clock.now()
    app.pauseAt = app.health.state === 'UNHEALTHY' && pauseAfter > 0 ? clock.monotonic() + pauseAfter : Infinity
  }

  /** Nobody has cared for it for so long that nobody will miss it. */
  #giveUp (app: App): void {
    const { clock, notices } = this.#parts
    const pause = { at: clock.now(), by: itself, why: `UNHEALTHY since ${new Date(app.since).toISOString()}` }
    this.#halt(app, pause)
    notices.happened(app, { kind: 'paused', from: app.health.state, reason: pause.why, by: itself })
  }

  #halt (app: App, pause: Pause): void {
    app.paused = pause
    this.#parts.schedule.delete(app.name)
    this.#failing.recovered(app)
    this.#changed(app)
    this.#suspect()
  }

  #changed (app: App): void {
    app.tell()
    this.#parts.roster.count(app)
  }

  #suspect (): void {
    const { notices, troubles } = this.#parts
    const failing = this.#count()
    const suspected = suspects(notices.suspected, failing)
    if (suspected === notices.suspected) return
    if (suspected) troubles.begin('SUSPECTS_ITSELF', `${failing.failing} of ${failing.of} targets fail at once: rather the healthchecker has lost its network than all of them are down`)
    else troubles.end('SUSPECTS_ITSELF')
    notices.suspicion(suspected, failing.failing, failing.of)
  }

  #count (): Failing {
    const { clock, roster } = this.#parts
    return this.#failing.count(clock.monotonic(), roster.size - roster.counts.PAUSED)
  }
}
