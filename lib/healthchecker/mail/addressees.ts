import { setImmediate } from 'node:timers/promises'
import type { Fleet, FleetEvents, WatchedApp } from '../../../types/healthchecker.js'
import { allowedOf } from './owe.js'
import { distinct, type MailAllow } from './receivers.js'

type Listen = <E extends keyof FleetEvents>(event: E, listener: (...args: FleetEvents[E]) => void) => unknown

/** The part of a fleet that says which apps there are. */
export type AddressedFleet = Pick<Fleet, 'get' | typeof Symbol.iterator> & { readonly on: Listen, readonly off: Listen }

/** So many apps are looked at before others get their turn. */
const slice = 1_000

/** Which apps send mail to whom, for what concerns a receiver and not an app. */
export class Addressees {
  readonly #allow: MailAllow
  readonly #byApp = new Map<string, readonly string[]>()
  /** By the address in lower case: as it was written first, and the names of the apps. */
  readonly #byReceiver = new Map<string, { readonly address: string, readonly apps: Set<string> }>()
  #fleet: AddressedFleet | undefined
  /** Whether it knows all apps. */
  #complete = false

  constructor (allow: MailAllow) {
    this.#allow = allow
  }

  async follow (fleet: AddressedFleet): Promise<void> {
    this.#fleet = fleet
    fleet.on('registered', this.#registered)
    fleet.on('deregistered', this.#deregistered)
    let looked = 0
    for (const app of fleet) {
      this.#put(app)
      if (++looked % slice === 0) await setImmediate()
    }
    this.#complete = true
  }

  unfollow (): void {
    this.#fleet?.off('registered', this.#registered)
    this.#fleet?.off('deregistered', this.#deregistered)
  }

  /**
   * The receivers of all apps.
   *
   * @param apps all of them, for when it does not know them yet
   */
  everybody (apps: Iterable<WatchedApp>): readonly string[] {
    if (this.#complete) return [...this.#byReceiver.values()].map(({ address }) => address)
    return distinct([...apps].flatMap((app) => allowedOf(app, this.#allow)))
  }

  /** The apps of a receiver that do not do well. */
  async failing (receiver: string): Promise<WatchedApp[]> {
    const found: WatchedApp[] = []
    let looked = 0
    for (const name of this.#byReceiver.get(receiver.toLowerCase())?.apps ?? []) {
      if (++looked % slice === 0) await setImmediate()
      const app = this.#fleet?.get(name)
      if (app !== undefined && app.paused === undefined && (app.state === 'DEGRADING' || app.state === 'UNHEALTHY')) found.push(app)
    }
    return found
  }

  readonly #registered = (name: string): void => {
    const app = this.#fleet?.get(name)
    if (app !== undefined) this.#put(app)
  }

  readonly #deregistered = (name: string): void => {
    for (const receiver of this.#byApp.get(name) ?? []) {
      const key = receiver.toLowerCase()
      const apps = this.#byReceiver.get(key)?.apps
      apps?.delete(name)
      if (apps?.size === 0) this.#byReceiver.delete(key)
    }
    this.#byApp.delete(name)
  }

  #put (app: WatchedApp): void {
    const { name } = app.registration
    this.#deregistered(name)
    const receivers = allowedOf(app, this.#allow)
    if (receivers.length === 0) return
    this.#byApp.set(name, receivers)
    for (const address of receivers) {
      const key = address.toLowerCase()
      const known = this.#byReceiver.get(key)
      if (known === undefined) this.#byReceiver.set(key, { address, apps: new Set([name]) })
      else known.apps.add(name)
    }
  }
}
