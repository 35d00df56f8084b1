import type { HealthState, Trouble, WatchedApp } from '../../../types/healthchecker.js'
import type { State } from '../../../types/status.js'
import { escapeHtml } from '../../formats/escape-html.js'
import { time } from '../../formats/html-parts.js'
import type { Part } from '../../formats/live-parts.js'

/** How often a page asks again, in seconds. */
export const refresh = 5

const stateOfHealth: Readonly<Record<HealthState, State>> = { UNKNOWN: 'YELLOW', HEALTHY: 'OK', DEGRADING: 'YELLOW', UNHEALTHY: 'RED' }

/** What an app's state looks like: an app that is HEALTHY may say itself that it is YELLOW. */
export function lookOf ({ paused, state, status }: WatchedApp): string {
  return paused !== undefined ? 'paused' : state === 'HEALTHY' ? status.state : stateOfHealth[state]
}

export function healthBadge (app: WatchedApp): string {
  return `<span class="state">${wordOf(app)}</span>`
}

export function wordOf ({ paused, state }: WatchedApp): string {
  return paused === undefined ? state : 'PAUSED'
}

/** What goes wrong with the healthchecker itself, before everything else; nothing where nothing does. */
export function troubleCard (trouble: readonly Trouble[]): Part[] {
  if (trouble.length === 0) return []
  const items = trouble.map(({ code, detail, since }) => `<li><strong>${escapeHtml(code)}</strong> ${escapeHtml(detail)}, since ${when(since)}</li>`).join('')
  return [{ key: 'trouble', html: `<section class="trouble" data-k="trouble" aria-label="Trouble of the healthchecker itself"><ul>${items}</ul></section>\n` }]
}

/** A moment; nothing that a date cannot hold. */
export function when (at: number): string {
  return Math.abs(at) <= 8.64e15 ? time(at) : '?'
}

export function taken (at: number): string {
  return `<p class="taken" data-k="taken">Taken at ${when(at)}, again every ${refresh} s</p>\n`
}

export function addressOf (name: string): string {
  return `/status/${encodeURIComponent(name)}`
}

export function textOf (parts: Iterable<Part>): string {
  let text = ''
  for (const { html } of parts) text += html
  return text
}
