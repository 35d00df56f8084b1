import type { FleetEvents, HealthState, Notice, Owe, StoreChange, Suspicion, Transition, WatchedApp } from '../../types/healthchecker.js'
import type { Logger } from '../../types/logger.js'
import type { Clock } from '../../types/time.js'
import type { App } from './app.js'
import type { History } from './history.js'
import type { Journal } from './journal.js'

interface Parts {
  readonly clock: Clock
  readonly log: Logger
  readonly journal: Journal
  readonly history: History
  readonly owe: Owe | undefined
  readonly view: (app: App) => WatchedApp
  readonly apps: Iterable<WatchedApp>
  readonly emit: <E extends keyof FleetEvents>(event: E, ...args: FleetEvents[E]) => void
}

/** What happened, beside where from and where to. */
export interface Happening {
  readonly kind: Transition['kind']
  readonly from: HealthState
  readonly reason?: string
  readonly by?: string
}

/** Writes down what people may want to hear of, in one with the mails that are owed because of it, and tells of it then. */
export class Notices {
  readonly #parts: Parts
  #id = 0
  #suspected = false

  constructor (parts: Parts) {
    this.#parts = parts
  }

  get suspected (): boolean {
    return this.#suspected
  }

  /**
   * @param id the largest that was ever used
   * @param suspected whether a suspicion began that has not ended yet
   */
  startAfter (id: number, suspected: boolean): void {
    this.#id = id
    this.#suspected = suspected
  }

  /** Something happened to an app, which is as it was left by that. */
  happened (app: App, happening: Happening): void {
    const transition = this.#transition(app, happening)
    this.#parts.journal.owe([this.#change(transition, app)], () => this.#parts.emit('transition', transition))
  }

  /** Somebody asked for it, who is refused where it cannot be stored. */
  async asked (app: App, happening: Happening): Promise<void> {
    const transition = this.#transition(app, happening)
    await this.#parts.journal.ask([this.#change(transition, app)])
    this.#parts.emit('transition', transition)
  }

  suspicion (suspected: boolean, failing: number, of: number): void {
    this.#suspected = suspected
    const suspicion: Suspicion = { id: ++this.#id, kind: 'suspicion', suspected, failing, of, at: this.#parts.clock.now() }
    this.#parts.journal.owe([this.#change(suspicion)], () => this.#parts.emit('suspicion', suspicion))
  }

  #transition (app: App, { kind, from, reason, by }: Happening): Transition {
    return {
      id: ++this.#id,
      kind,
      app: app.name,
      from,
      to: app.health.state,
      at: this.#parts.clock.now(),
      ...(reason === undefined ? undefined : { reason }),
      ...(by === undefined ? undefined : { by })
    }
  }

  #change (notice: Notice, app?: App): StoreChange {
    return { kind: 'notice', notice, app: app?.stored(this.#parts.history.pack(app.slot)), receivers: this.#receivers(notice, app) }
  }

  /** A transition is kept whatever becomes of its mails. */
  #receivers (notice: Notice, app: App | undefined): readonly string[] {
    const { apps, log, owe, view } = this.#parts
    try {
      return owe?.(notice, app === undefined ? undefined : view(app), this.#suspected, apps) ?? []
    } catch (err) {
      log.error({ err, notice }, 'nobody is told of a transition: who should be cannot be told')
      return []
    }
  }
}
