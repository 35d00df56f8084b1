import type { Notice, Transition, WatchedApp } from '../../../types/healthchecker.js'
import { distinct, type MailAllow } from './receivers.js'

const bad: readonly string[] = ['DEGRADING', 'UNHEALTHY']

/** Whether people are told: of trouble, of its end, and of a pause. That an app is well for the first time is no news. */
export function isTold ({ kind, from, to }: Transition): boolean {
  return kind === 'paused' || (kind === 'state' && (bad.includes(to) || bad.includes(from)))
}

/**
 * Who is owed a mail because of a notice.
 *
 * While the fleet suspects itself, nobody is told of the states of single apps: each receiver is told of the suspicion when it
 * begins and when it ends, and then of how their apps are.
 *
 * @param everybody the receivers of all apps
 */
export function receiversOf (notice: Notice, app: WatchedApp | undefined, suspected: boolean, allow: MailAllow, everybody: () => readonly string[]): readonly string[] {
  if (notice.kind === 'suspicion') return everybody()
  if (app === undefined || !isTold(notice) || (suspected && notice.kind === 'state')) return []
  return allowedOf(app, allow)
}

/** Those that an app may send mail to now: what was allowed when it was registered may be so no longer. */
export function allowedOf ({ registration, trusted }: Pick<WatchedApp, 'registration' | 'trusted'>, allow: MailAllow): readonly string[] {
  return distinct(registration.email.filter((receiver) => trusted || allow(receiver)))
}
