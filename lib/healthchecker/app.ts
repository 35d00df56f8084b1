import type { AppHealth, CheckRecord, HealthState, Pause, Registration, StoredApp, WatchedApp } from '../../types/healthchecker.js'
import type { StatusProvider } from '../../types/handler.js'
import type { State, Status } from '../../types/status.js'
import { observe, type Observable } from '../core/state-handler.js'
import { bounded } from '../core/plain-copy.js'
import { RED, YELLOW } from '../core/state.js'

/** One watched app: what is known of it, and its status handler, which tells of changes by itself and is never asked. */
export class App implements StatusProvider, Observable {
  registration: Registration
  readonly registeredAt: number
  trusted: boolean
  remote: boolean
  health: AppHealth
  since: number
  paused: Pause | undefined
  lastCheck: CheckRecord | undefined
  /** Where its history is. */
  readonly slot: number
  /** Why its target is not asked. */
  refused: string | undefined
  /** When it has been UNHEALTHY for too long, on the monotonic clock. */
  pauseAt = Infinity
  /** Whether its last check took long. */
  slow = false
  /** Whether it waits for its check, or has it under way. */
  busy: 'no' | 'waiting' | 'running' = 'no'
  gone = false
  /** As what it is counted. */
  group: HealthState | 'PAUSED' | undefined
  weight: State | undefined
  #status: Readonly<Status>
  #listener: ((status: Readonly<Status>) => void) | undefined

  constructor ({ registration, registeredAt, trusted, remote, health, since, paused, lastCheck }: StoredApp, slot: number) {
    this.registration = shared(registration)
    this.registeredAt = registeredAt
    this.trusted = trusted
    this.remote = remote
    this.health = one(health)
    this.since = since
    this.paused = paused
    this.lastCheck = lastCheck
    this.slot = slot
    this.#status = this.#makeStatus()
  }

  get name (): string {
    return this.registration.name
  }

  getStatus (): Readonly<Status> {
    return this.#status
  }

  [observe] (listener: (status: Readonly<Status>) => void): () => void {
    this.#listener = listener
    listener(this.#status)
    return () => { this.#listener = undefined }
  }

  /** To be called whenever something of it changed that its handler shows. */
  tell (): void {
    this.#status = this.#makeStatus()
    this.#listener?.(this.#status)
  }

  stored (recent?: Uint8Array): StoredApp {
    const { registration, registeredAt, trusted, remote, health, since, paused, lastCheck } = this
    return { registration, registeredAt, trusted, remote, health, since, paused, lastCheck, recent }
  }

  /** @param nextCheck in milliseconds since the epoch */
  view (nextCheck: number | undefined): WatchedApp {
    const { registration, registeredAt, trusted, health: { state, failures, successes }, since, paused, lastCheck } = this
    return {
      registration,
      registeredAt,
      trusted,
      state,
      status: this.#status,
      since,
      failures,
      successes,
      ...(paused === undefined ? undefined : { paused }),
      ...(lastCheck === undefined ? undefined : { lastCheck }),
      ...(nextCheck === undefined ? undefined : { nextCheck })
    }
  }

  #makeStatus (): Readonly<Status> {
    const { lastCheck } = this
    const status = this.#stateAndDetail()
    if (lastCheck !== undefined && lastCheck.result !== RED) status.metrics = { response_seconds: Math.round(lastCheck.duration * 1000) / 1e6 }
    return Object.freeze(status)
  }

  #stateAndDetail (): Status {
    const { health: { state, failures, successes }, lastCheck, paused, refused, registration } = this
    const error = refused ?? lastCheck?.error
    if (paused !== undefined) {
      const by = paused.by === undefined ? '' : ` by ${paused.by}`
      return { state: YELLOW, health: state, detail: bounded(`paused${by}${paused.why === undefined ? '' : `: ${paused.why}`}`) }
    }
    switch (state) {
      case 'HEALTHY':
        return lastCheck?.result === YELLOW ? { state: YELLOW, health: state, detail: error } : { state: 'OK', health: state }
      case 'UNKNOWN':
        return { state: YELLOW, health: state, detail: `not known to be healthy yet, after ${successes} of ${registration.healthyThreshold} good checks` }
      case 'DEGRADING':
        return { state: YELLOW, health: state, detail: `${failures} of ${registration.unhealthyThreshold} failures: ${error}` }
      case 'UNHEALTHY':
        return { state: RED, health: state, detail: lastCheck?.result === RED ? error : `recovers, after ${successes} of ${registration.healthyThreshold} good checks` }
    }
  }
}

const mostShared = 10_000
const values = new Map<string, unknown>()

/** One object for all that are the same: a hundred thousand apps have few paths, tags and receivers between them. */
function one<T> (value: T): T {
  const key = JSON.stringify(value)
  const known = values.get(key)
  if (known !== undefined) return known as T
  if (values.size < mostShared) values.set(key, value)
  return value
}

function shared (registration: Registration): Registration {
  const { protocol, path, email, tags, expectStatus } = registration
  return { ...registration, protocol: one(protocol), path: one(path), email: one(email), tags: one(tags), expectStatus: one(expectStatus) }
}
