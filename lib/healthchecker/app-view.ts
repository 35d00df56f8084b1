import type { AppHistory, CheckRecord, WatchedApp } from '../../types/healthchecker.js'
import { urlOf } from './registration-target.js'

/** An app as it goes over the wire: times as ISO 8601, durations in milliseconds. */
export type AppView = Readonly<Record<string, unknown>> & { readonly name: string, readonly state: string }

/** @param receivers whether the reader may know who gets mail */
export function viewOf (app: WatchedApp, receivers: boolean): AppView {
  const { registration, registeredAt, state, status, since, failures, successes, paused, lastCheck, nextCheck } = app
  const { name, email, path, expectStatus, ...others } = registration
  return {
    name,
    url: urlOf(registration),
    state,
    status: status.state,
    ...status.detail === undefined ? {} : { detail: status.detail },
    since: iso(since),
    failures,
    successes,
    ...paused === undefined ? {} : { paused: { ...paused, at: iso(paused.at) } },
    ...lastCheck === undefined ? {} : { lastCheck: checkView(lastCheck) },
    ...nextCheck === undefined ? {} : { nextCheck: iso(nextCheck) },
    registeredAt: iso(registeredAt),
    // Such as can be registered again: TCP and SSL have neither path nor status codes.
    registration: { name, ...others, ...path === '' ? {} : { path }, ...expectStatus.length === 0 ? {} : { expectStatus }, ...receivers ? { email } : {} }
  }
}

export function historyView ({ checks, hours, uptime }: AppHistory): object {
  return { uptime, checks: checks.map(checkView), hours: hours.map((hour) => ({ ...hour, at: iso(hour.at) })) }
}

function checkView (check: CheckRecord): object {
  return { ...check, at: iso(check.at) }
}

/** Never throws: a store may have been written by a machine whose clock was no clock. */
function iso (at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at)
}
