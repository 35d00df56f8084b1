import type { Decommission } from '../../types/decommission.js'
import type { Format, RenderContext } from '../../types/format.js'
import type { HealthOptions } from '../../types/options.js'
import type { Snapshot, SnapshotEntry } from '../../types/snapshot.js'
import { knownOptions, ofKind, stringList } from '../core/options.js'
import { OK } from '../core/state.js'
import { contentType, healthStatusOf } from './health-check-response.js'
import { shown } from './shown.js'
import { framed } from './slices.js'

/** In the `output` of the whole; the rest is in `checks`. */
const mostNamed = 20

/**
 * `application/health+json`: https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION
 */
export function healthFormat (options?: HealthOptions): Format {
  const about = knownOptions(options, ['version', 'releaseId', 'serviceId', 'description', 'notes'], 'healthJson')
  for (const key of ['version', 'releaseId', 'serviceId', 'description'] as const) ofKind(about[key], 'string', `the option "healthJson.${key}"`)
  stringList(about.notes, 'the option "healthJson.notes"')

  return {
    name: 'health',
    contentTypes: [contentType],
    render: (snapshot, context) => {
      const head = JSON.stringify(headOf(snapshot, about, context))
      const frame = { open: `${head.slice(0, -1)},"checks":{`, separator: ',', close: '}}' }
      return framed(frame, snapshot.entries, (entry) =>
        `${JSON.stringify(entry.name)}:[${JSON.stringify(check(entry, snapshot.at, context))}]`)
    }
  }
}

/** Everything but the checks, which may be so many that they are printed in slices. */
function headOf ({ state, entries }: Snapshot, about: HealthOptions, context: RenderContext): object {
  const head: Record<string, unknown> = { status: healthStatusOf(state), ...about }
  if (state !== OK) head.output = output(entries.filter((entry) => shown(entry).state !== OK))
  if (context.decommission !== undefined) head.decommission = outOfService(context.decommission, context.details)
  return head
}

/** Why and by whom is a detail; the rest is what the probe tells everybody. */
function outOfService ({ body, since, until, reason, by }: Decommission, details: boolean): object {
  return {
    body,
    since: new Date(since).toISOString(),
    ...until !== undefined && { until: new Date(until).toISOString() },
    ...details && { reason, by }
  }
}

function output (troubled: readonly SnapshotEntry[]): string {
  const named = troubled.slice(0, mostNamed).map((entry) => `${entry.name} is ${shown(entry).state}`)
  return troubled.length > mostNamed ? `${named.join(', ')} and ${troubled.length - mostNamed} more` : named.join(', ')
}

/** What the draft calls a check's properties; a handler may give them with its status. */
const given = ['componentId', 'componentType', 'observedValue', 'observedUnit', 'affectedEndpoints', 'links'] as const

function check (entry: SnapshotEntry, at: number, { details }: RenderContext): Record<string, unknown> {
  const status = shown(entry)
  const properties: Record<string, unknown> = {}
  if (details) {
    for (const key of given) {
      if (status[key] !== undefined) properties[key] = status[key]
    }
  }
  properties.status = healthStatusOf(status.state)
  if (entry.status !== undefined) properties.time = new Date(entry.at ?? at).toISOString()
  if (details && status.state !== OK && status.detail !== undefined) properties.output = status.detail
  return properties
}
