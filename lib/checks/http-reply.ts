import type { State } from '../../types/status.js'
import { bounded } from '../core/plain-copy.js'
import { isState, OK, RED, severity, YELLOW } from '../core/state.js'
import type { Verdict } from './verdict.js'

/** What a reply's content type says that its body may be. */
export type ReplyKind = 'health' | 'json'

const media = /^\s*application\/(health\+)?json\s*(?:;|$)/i

export function kindOf (contentType: string | undefined): ReplyKind | undefined {
  const found = contentType === undefined ? null : media.exec(contentType)
  return found === null ? undefined : found[1] === undefined ? 'json' : 'health'
}

/** The words for a status and their synonyms: https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06#section-3.1 */
const healthWords = new Map<unknown, State>([
  ['pass', OK], ['ok', OK], ['up', OK],
  ['warn', YELLOW],
  ['fail', RED], ['error', RED], ['down', RED]
])

const most = { components: 5, length: 200 }

/** How the JSON of another service's svc_status begins. */
const svcStatusBegins = /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"state"\s*:/

/**
 * What a JSON reply says of a service, or `undefined` where it says nothing of the kind.
 * A status that was announced and could not be read is not OK.
 *
 * @param whole whether `body` is all of it
 */
export function readReply (kind: ReplyKind, body: string, whole: boolean): Verdict | undefined {
  if (!whole) {
    return kind === 'health' || svcStatusBegins.test(body) ? { state: YELLOW, detail: 'a status longer than maxBody, which was not read' } : undefined
  }
  const value = parsed(body)
  if (kind === 'health') return healthVerdict(value)
  return value === undefined && svcStatusBegins.test(body) ? { state: YELLOW, detail: 'a status that cannot be read' } : svcStatusVerdict(value)
}

function healthVerdict (value: unknown): Verdict {
  const health = isObject(value) ? value : {}
  const state = healthState(health.status)
  if (state === undefined) return { state: YELLOW, detail: 'application/health+json without a known status' }
  if (state === OK) return { state }
  const worse: string[] = []
  for (const [name, checks] of Object.entries(isObject(health.checks) ? health.checks : {})) {
    for (const check of Array.isArray(checks) ? checks : [checks]) {
      const own = isObject(check) ? healthState(check.status) : undefined
      if (own !== undefined && own !== OK) worse.push(component(name, own, check.output))
    }
  }
  return { state, detail: listed(worse) || component('status', state, health.output) }
}

function healthState (word: unknown): State | undefined {
  return healthWords.get(typeof word === 'string' ? word.toLowerCase() : word)
}

/** `{ "db": { "state": "OK" }, … }`, every value with a state of which we know one at least; anything else is some other JSON. */
function svcStatusVerdict (value: unknown): Verdict | undefined {
  const handlers = isObject(value) ? Object.entries(value) : []
  let worst: State = OK
  const worse: string[] = []
  let known = false
  for (const [name, status] of handlers) {
    const word = isObject(status) ? status.state === 'GREEN' ? OK : status.state : undefined
    if (typeof word !== 'string') return undefined
    if (isState(word)) known = true
    // Not known to be OK.
    const state = isState(word) ? word : YELLOW
    if (state === OK) continue
    if (severity(state) > severity(worst)) worst = state
    worse.push(component(name, state, (status as Record<string, unknown>).detail))
  }
  if (!known) return undefined
  return worst === OK ? { state: OK } : { state: worst, detail: listed(worse) }
}

function component (name: string, state: State, text: unknown): string {
  return `${bounded(name, most.length)} ${state}${typeof text === 'string' && text !== '' ? `: ${bounded(text, most.length)}` : ''}`
}

function listed (components: string[]): string {
  const more = components.length - most.components
  return components.slice(0, most.components).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function parsed (body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
