import type { State } from '../../types/status.js'
import { isState, OK, RED, worst, YELLOW } from '../core/state.js'
import { exitCodes, Failure } from './exit.js'
import { whatCame, whyNot } from './explain.js'
import { ask, type Asking, type Reply } from './request.js'
import type { Target } from './target.js'

/** What a handler said; `state` may be a word that we do not know. */
export interface HandlerStatus {
  readonly state: string
  readonly detail?: unknown
  readonly [property: string]: unknown
}

/** Why an instance was taken out of service, as health+json tells it. */
export interface OutOfService {
  readonly body?: unknown
  readonly since?: unknown
  readonly until?: unknown
  readonly reason?: unknown
  readonly by?: unknown
}

/** What a service said of itself. */
export interface Reading {
  /** The overall state. */
  readonly state: State
  /** By name, as the service gave them. */
  readonly handlers: Readonly<Record<string, HandlerStatus>>
  /** What the probe answers; absent where there is none. */
  readonly probe?: { readonly status: number, readonly body: string }
  readonly decommission?: OutOfService
}

const words: Readonly<Record<string, State>> = { pass: OK, warn: YELLOW, fail: RED }

/**
 * Asks a service how it is. The statuses of its handlers come from the JSON; the overall state, to which a handler that is
 * not critical counts less, and the decommission from health+json; all at once, for then the handlers are run once.
 *
 * @throws Failure, Interrupted
 */
export async function read (target: Target, asking: Asking): Promise<Reading> {
  const [json, health, probe] = await Promise.all([
    ask('GET', `${target.base}/svc_status.json`, asking),
    askAside(`${target.base}/svc_status.health`, asking),
    askAside(`${target.base}/probe_status`, asking)
  ])
  const handlers = handlersOf(json)
  const { status, decommission } = healthOf(health)
  const known = words[String(status)]
  // An empty object says nothing of a service, unless it is one.
  if (handlers === undefined || (known === undefined && Object.keys(handlers).length === 0)) {
    throw new Failure(exitCodes.unreachable, json.status === 200
      ? `/svc_status.json is no svc_status, it ${whatCame(json)}; is it another service?`
      : whyNot(json, target, '/svc_status.json', asking.token !== undefined))
  }
  return {
    state: known ?? Object.values(handlers).map(stateOf).reduce(worst, OK),
    handlers,
    ...probe?.contentType === 'text/plain' && [200, 503].includes(probe.status) && { probe: { status: probe.status, body: probe.body } },
    ...isObject(decommission) && { decommission }
  }
}

/** A state that we do not know is not known to be OK. */
export function stateOf ({ state }: HandlerStatus): State {
  return isState(state) ? state : state === 'GREEN' ? OK : YELLOW
}

/** What is good to know, and may be missing. */
async function askAside (address: string, asking: Asking): Promise<Reply | undefined> {
  try {
    return await ask('GET', address, asking)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

/** `{ "db": { "state": "OK" }, … }`, also where it came with 503; undefined where it is something else. */
function handlersOf ({ status, body }: Reply): Record<string, HandlerStatus> | undefined {
  const value = status === 200 || status === 503 ? parsed(body) : undefined
  if (!isObject(value)) return undefined
  return Object.values(value).every((one) => isObject(one) && typeof one.state === 'string') ? value as Record<string, HandlerStatus> : undefined
}

function healthOf (reply: Reply | undefined): Record<string, unknown> {
  const value = reply?.contentType === 'application/health+json' ? parsed(reply.body) : undefined
  return isObject(value) ? value : {}
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
