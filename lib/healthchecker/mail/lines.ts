import type { Dropped, Notice, OutboxEntry, Suspicion, Transition, WatchedApp } from '../../../types/healthchecker.js'

/** What happened to one app, for one line of a mail. */
export interface Line {
  readonly app: string
  /** What it is now, in a word or two. */
  readonly now: string
  /** The states that it went through. */
  readonly path: string
  /** When it became so, in milliseconds since the epoch. */
  readonly at: number
  readonly reason?: string
}

/** Of a path, only so many states are shown. */
const mostStates = 6

/** Control characters, what breaks lines, and what turns the direction of the text after it. */
const disturbing = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** What a stranger chose, as a part of one line: nothing in it ends the line, and it is not long. */
export function oneLine (text: string, longest: number): string {
  // Before all of it is looked at.
  const characters = [...text.slice(0, 2 * longest + 2).toWellFormed().replace(disturbing, '\ufffd')]
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : characters.join('')
}

/** The worst first. */
const order: readonly string[] = ['UNHEALTHY', 'DEGRADING', 'paused', 'answers again', 'HEALTHY again']

/** One line for each app, the worst first, then by name. */
export function linesOf (entries: readonly OutboxEntry[]): readonly Line[] {
  const apps = new Map<string, Transition[]>()
  for (const { notice } of entries) {
    if (notice.kind === 'suspicion' || notice.kind === 'dropped') continue
    const before = apps.get(notice.app)
    if (before === undefined) apps.set(notice.app, [notice])
    else before.push(notice)
  }
  return [...apps].map(([app, transitions]) => lineOf(app, transitions)).sort(byUrgency)
}

function byUrgency (a: Line, b: Line): number {
  return order.indexOf(a.now) - order.indexOf(b.now) || (a.app < b.app ? -1 : 1)
}

function lineOf (app: string, transitions: readonly Transition[]): Line {
  const last = transitions[transitions.length - 1]
  const { at, reason, by } = last
  const why = last.kind === 'paused' && by !== undefined ? `by ${by}${reason === undefined ? '' : `: ${reason}`}` : reason
  return { app: oneLine(app, 100), now: wordFor(last), path: pathOf(transitions), at, ...why !== undefined && { reason: oneLine(why, 200) } }
}

function wordFor ({ kind, to }: Transition): string {
  if (kind === 'paused') return 'paused'
  if (to === 'HEALTHY') return 'HEALTHY again'
  return to === 'UNKNOWN' ? 'answers again' : to
}

function pathOf (transitions: readonly Transition[]): string {
  const states = [transitions[0].from, ...transitions.map(({ kind, to }) => kind === 'paused' ? 'paused' : to)]
  const shown = states.length > mostStates ? [...states.slice(0, 2), '…', ...states.slice(2 - mostStates)] : states
  return shown.join(' → ')
}

/** The last one of a mail, and when the suspicion began where that is known. */
export function suspicionIn (entries: readonly OutboxEntry[]): Suspicion | undefined {
  return entries.map(({ notice }) => notice).findLast(isSuspicion)
}

function isSuspicion (notice: Notice | Dropped): notice is Suspicion {
  return notice.kind === 'suspicion'
}

/** How much was dropped that was to be told, if anything was, and when it happened. */
export function droppedIn (entries: readonly OutboxEntry[]): Pick<Dropped, 'count' | 'since' | 'at'> | undefined {
  const all = entries.map(({ notice }) => notice).filter((notice) => notice.kind === 'dropped')
  if (all.length === 0) return undefined
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    since: Math.min(...all.map(({ since }) => since)),
    at: Math.max(...all.map(({ at }) => at))
  }
}

/** How apps do whose changes nobody was told of during a suspicion. */
export function linesOfNow (apps: readonly WatchedApp[]): readonly Line[] {
  return apps.map(lineOfNow).sort(byUrgency)
}

function lineOfNow ({ registration, state, since, lastCheck }: WatchedApp): Line {
  const answers = lastCheck !== undefined && lastCheck.result !== 'RED'
  return {
    app: oneLine(registration.name, 100),
    now: state,
    path: answers ? 'answers again' : '',
    at: since,
    ...lastCheck?.error !== undefined && { reason: oneLine(lastCheck.error, 200) }
  }
}
