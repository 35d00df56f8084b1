import type { RenderContext, Rendered } from '../../types/format.js'
import type { HtmlOptions } from '../../types/options.js'
import type { Snapshot, SnapshotEntry, StatusChange } from '../../types/snapshot.js'
import type { State } from '../../types/status.js'
import { mostInOneGo, sliceLength } from '../core/in-slices.js'
import { invalid, knownOptions } from '../core/options.js'
import { milliseconds, second, whole } from '../core/units.js'
import { escapeHtml } from './escape-html.js'
import { Grouping, worstFirst, type Counts, type Group } from './html-groups.js'
import { badge, countsText, pageEnd, pageHeaders, pageStart, time } from './html-parts.js'
import { serviceCard } from './html-service.js'
import { liveName, type LiveFormat } from './live-format.js'
import type { Part } from './live-parts.js'
import { shown } from './shown.js'

const meaning: Readonly<Record<State, string>> = {
  OK: 'Everything works',
  YELLOW: 'Something needs a look',
  RED: 'Something does not work'
}

/** How many of the last changes are shown. */
const shownChanges = 5

/**
 * The status page: tables that are readable without JavaScript; a script of its own keeps them fresh in place.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function htmlFormat (options?: HtmlOptions): LiveFormat {
  const { title = 'Service status', refresh = second(10), listeners = 100 } = knownOptions(options, ['title', 'refresh', 'listeners'], 'html')
  if (typeof title !== 'string' || title === '') throw invalid('the option "html.title"', 'a string with a character or more', title)
  const seconds = Math.round(milliseconds(refresh, 'the option "html.refresh"', 1000) / 1000)
  whole(listeners, 'the option "html.listeners"', 0, 10_000)

  const parts = (snapshot: Snapshot, context: RenderContext): Iterable<Part> => mainParts(snapshot, context, seconds)
  const start = ({ state, entries }: Snapshot, { path, formats }: RenderContext): string => pageStart({
    title,
    state,
    refresh: seconds,
    live: listeners > 0 && entries.length <= mostInOneGo ? `${path}.${liveName}` : undefined,
    skipTo: { id: 'handlers', text: 'Skip to the status handlers' },
    links: otherFormats(path, formats)
  })

  return {
    name: 'html',
    contentTypes: ['text/html; charset=utf-8'],
    headers: pageHeaders,
    listeners,
    refresh: seconds * 1000,
    parts,
    render: (snapshot, context) => inSlices(start(snapshot, context), parts(snapshot, context), snapshot.entries.length)
  }
}

function inSlices (start: string, parts: Iterable<Part>, length: number): Rendered {
  if (length > mostInOneGo) return slices(start, parts)
  let text = start
  for (const { html } of parts) text += html
  return text + pageEnd
}

function * slices (start: string, parts: Iterable<Part>): Generator<string> {
  let text = start
  let count = 0
  for (const { key, html } of parts) {
    text += html
    // Others have their turn while the handlers are grouped, when nothing is there to be sent yet.
    if (++count % sliceLength === 0 || key === undefined) {
      yield text
      text = ''
    }
  }
  yield text + pageEnd
}

function otherFormats (path: string, formats: readonly string[]): string {
  const others = formats.filter((name) => name !== 'html')
    .map((name) => `<a href="${escapeHtml(`${path}.${name}`)}">${escapeHtml(name)}</a>`).join(' ')
  return `<nav class="formats" aria-label="Other formats">${others}</nav>\n`
}

function * mainParts (snapshot: Snapshot, context: RenderContext, seconds: number): Generator<Part> {
  const { state, at, entries } = snapshot
  const { changes = [], details } = context
  const grouping = new Grouping(entries)
  for (let from = 0; from < entries.length; from += sliceLength) {
    grouping.gather(from, Math.min(from + sliceLength, entries.length))
    yield { html: '' }
  }
  const { counts, groups } = grouping
  const tagged = groups.some(({ tag }) => tag !== undefined)

  yield { html: '<main data-k="main">\n<section class="now" data-k="now" aria-label="Now">\n' }
  yield { key: 'overall', html: overallCard(state, entries.length, counts) }
  yield { key: 'service', html: serviceCard(context) }
  yield { html: '</section>\n' }
  if (changes.length > 0) yield { key: 'changes', html: lastChanges(changes, details) }
  if (tagged) yield { key: 'groups', html: groupLinks(groups) }
  yield { html: '<div id="handlers" data-k="handlers" tabindex="-1">\n' }
  if (entries.length === 0) yield { html: '<p data-k="none">No status handlers are registered.</p>\n' }
  for (const group of worstFirst(groups)) {
    yield { html: `<table data-k="g${group.number}">\n` }
    yield { key: `c${group.number}`, html: caption(group, tagged) }
    yield { html: tableHead }
    for (const index of group.members) {
      const key = `${group.number}.${index}`
      yield { key, html: row(key, entries[index], details) }
    }
    yield { html: '</tbody>\n</table>\n' }
  }
  yield { html: '</div>\n' }
  yield { key: 'taken', html: `<p class="taken" data-k="taken">Taken at ${time(at)}, again every ${seconds} s</p>\n` }
  yield { html: '</main>\n' }
}

const tableHead = '<thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Detail</th><th scope="col">Since</th></tr></thead>\n<tbody>\n'

function overallCard (state: State, length: number, counts: Counts): string {
  const counted = length === 0 ? '' : `<p class="counts">${handlers(length)}: ${countsText(counts)}</p>`
  return `<div class="overall ${state}" data-k="overall"><h2 class="label">Measured</h2><p><strong>${state}</strong> ${meaning[state]}</p>${counted}</div>\n`
}

function lastChanges (changes: readonly StatusChange[], details: boolean): string {
  const items = changes.slice(0, shownChanges).map(({ name, from, to, status, at }) => {
    const detail = details && status.detail !== undefined ? `<small>${escapeHtml(status.detail)}</small>` : ''
    return `<li class="${to}"><span class="what"><b>${escapeHtml(name)}</b> went from ${from} to <span class="word">${to}</span></span> ${time(at)}${detail}</li>\n`
  })
  return `<section class="changes" data-k="changes" aria-labelledby="changes"><h2 id="changes">Last changes</h2>\n<ol>\n${items.join('')}</ol></section>\n`
}

/** In the order of the tags, whatever the states: who is about to follow a link shall find it where it was. */
function groupLinks (groups: readonly Group[]): string {
  const items = groups.map((group) => `<li><a class="${group.state}" href="#g${group.number}">${nameOf(group)} <span class="word">${group.state}</span></a></li>`)
  return `<nav class="groups" data-k="groups" aria-label="Groups"><ul>${items.join('')}</ul></nav>\n`
}

function caption (group: Group, tagged: boolean): string {
  const { number, counts, members } = group
  const text = tagged
    ? `<h2 id="g${number}" tabindex="-1">${nameOf(group)}</h2> <span>${countsText(counts)}</span>`
    : `<span>${handlers(members.length)}: ${countsText(counts)}</span>`
  return `<caption data-k="c${number}">${text}</caption>\n`
}

function nameOf ({ tag }: Group): string {
  return tag === undefined ? '<i>no tag</i>' : escapeHtml(tag)
}

function handlers (number: number): string {
  return `${number} status ${number === 1 ? 'handler' : 'handlers'}`
}

function row (key: string, entry: SnapshotEntry, details: boolean): string {
  const { state, detail } = shown(entry)
  return `<tr class="${state}" data-k="${key}"><td>${badge(state)}</td><th scope="row">${escapeHtml(entry.name)}${notes(entry)}</th>` +
    `<td>${details && detail !== undefined ? escapeHtml(detail) : ''}</td><td>${entry.since === undefined ? '' : time(entry.since)}</td></tr>\n`
}

function notes ({ critical, description }: SnapshotEntry): string {
  return (description === undefined ? '' : `<small>${escapeHtml(description)}</small>`) + (critical ? '' : '<small>not critical</small>')
}
