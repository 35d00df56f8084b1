import { severity, YELLOW } from '../core/state.js'
import { aligned, type Line } from './lines.js'
import { plain } from './plain.js'
import { stateOf, type HandlerStatus, type OutOfService, type Reading } from './reading.js'
import type { Target } from './target.js'

/** A name has 100 characters in this package, and may have any number elsewhere. */
const longestName = 100

/** A reading for people: how the whole is, whether it is in service, and the handlers, the worst first. */
export function tableOf ({ base }: Target, reading: Reading): Line[] {
  const { state, handlers } = reading
  const rows = Object.entries(handlers).sort(([, a], [, b]) => severity(stateOf(b)) - severity(stateOf(a)))
  const overall = [{ text: `${base} is ` }, { text: state, color: state }, { text: `, ${inService(reading)}`, ...isOut(reading) && { color: YELLOW } }]
  if (rows.length === 0) return [overall, [{ text: 'it has no status handlers' }]]
  return [overall, ...aligned([['NAME', 'STATE', 'DETAIL'].map((text) => ({ text })), ...rows.map(([name, status]) => rowOf(name, status))])]
}

function rowOf (name: string, status: HandlerStatus): Line {
  const { state, detail } = status
  return [{ text: plain(name, longestName) }, { text: plain(state, 20), color: stateOf(status) }, { text: typeof detail === 'string' ? plain(detail) : '' }]
}

function isOut ({ probe, decommission }: Reading): boolean {
  return decommission !== undefined || probe?.status === 503
}

/** What a balancer hears, and what an operator said. */
function inService ({ probe, decommission }: Reading): string {
  if (decommission !== undefined) return `out of service: ${whyOut(decommission)}`
  if (probe === undefined) return 'and whether it is in service is not known: its probe_status did not answer'
  return probe.status === 200 ? 'in service' : `not in service: its probe answers ${plain(probe.body, 256)}`
}

function whyOut ({ body, since, until, reason, by }: OutOfService): string {
  const parts = [`its probe answers ${said(body) ?? '503'}`]
  const add = (word: string, value: string | undefined): void => { if (value !== undefined) parts.push(`${word} ${value}`) }
  add('since', moment(since))
  add('until', moment(until))
  add('by', said(by))
  add('because', said(reason))
  return parts.join(', ')
}

function said (value: unknown): string | undefined {
  return typeof value === 'string' ? plain(value, 256) : undefined
}

/** `2026-11-21T14:50:09.123Z` as `2026-11-21 14:50:09 UTC`. */
function moment (value: unknown): string | undefined {
  return said(value)?.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC')
}
