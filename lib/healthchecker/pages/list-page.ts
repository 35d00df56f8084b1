import type { FleetCounts, FleetPage, FleetQuery, Trouble, WatchedApp } from '../../../types/healthchecker.js'
import type { State } from '../../../types/status.js'
import { escapeHtml } from '../../formats/escape-html.js'
import { pageEnd, pageStart } from '../../formats/html-parts.js'
import type { Part } from '../../formats/live-parts.js'
import { listedStates, usualLimit } from '../app-query.js'
import { urlOf } from '../registration-target.js'
import { addressOf, healthBadge, lookOf, refresh, taken, textOf, troubleCard, when } from './page-parts.js'
import { pageStyles } from './page-styles.js'

export interface ListPage {
  readonly page: FleetPage
  readonly query: FleetQuery
  readonly state: State
  readonly counts: FleetCounts
  readonly trouble: readonly Trouble[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

const meaning = { OK: 'Everything works', YELLOW: 'Something needs a look', RED: 'Something does not work' }

/** The fleet: how it is as a whole, a search, and a page of its apps. */
export function listPage (query: FleetQuery, state: State, parts: Iterable<Part>): string {
  const start = pageStart({ title: 'Healthchecker', state, refresh, live: listAddress(query, '/live'), skipTo: { id: 'apps', text: 'Skip to the apps' }, links: formats, styles: pageStyles })
  return start + textOf(parts) + pageEnd
}

/** What changes of it. No key of an app is that of anything else: it has a colon. */
export function * listParts ({ page, query, state, counts, trouble, at }: ListPage): Generator<Part> {
  const { apps, total } = page
  yield { html: '<main data-k="main">\n' }
  yield * troubleCard(trouble)
  yield { html: '<section class="now" data-k="now" aria-label="Now">\n' }
  yield { key: 'overall', html: `<div class="overall ${state}" data-k="overall"><h2 class="label">The fleet</h2><p><strong>${state}</strong> ${meaning[state]}</p><p class="counts">${countsOf(counts)}</p></div>\n` }
  yield { html: '</section>\n' }
  yield { key: 'search', html: search(query) }
  yield { html: '<div id="apps" data-k="apps" tabindex="-1">\n' }
  if (apps.length === 0) {
    yield { key: 'none', html: nothing(counts) }
  } else {
    yield { html: '<table data-k="table">\n' }
    yield { key: 'caption', html: `<caption data-k="caption"><span>${total} ${total === 1 ? 'app' : 'apps, the worst first'}</span></caption>\n` }
    yield { html: tableHead }
    for (const app of apps) yield { key: `a:${app.registration.name}`, html: row(app) }
    yield { html: '</tbody>\n</table>\n' }
  }
  yield { html: '</div>\n' }
  if (total > apps.length || query.offset !== 0) yield { key: 'pages', html: pages(page, query) }
  yield { key: 'taken', html: taken(at) }
  yield { html: '</main>\n' }
}

const formats = `<nav class="formats" aria-label="Other formats">${['csv', 'json', 'prometheus', 'health'].map((name) => `<a href="/svc_status.${name}">${name}</a>`).join(' ')}</nav>\n`

function countsOf (counts: FleetCounts): string {
  const parts = (['UNHEALTHY', 'DEGRADING', 'UNKNOWN', 'HEALTHY', 'PAUSED'] as const).filter((state) => counts[state] > 0).map((state) => `<a href="/?state=${state}">${counts[state]} ${state}</a>`)
  return parts.length === 0 ? 'no app is registered' : parts.join(', ')
}

function search ({ search = '', state, paused, tag = '' }: FleetQuery): string {
  const chosen = paused === true ? 'PAUSED' : state
  const options = ['', ...listedStates].map((one) => `<option value="${one}"${one === (chosen ?? '') ? ' selected' : ''}>${one === '' ? 'any' : one}</option>`).join('')
  return `<form data-k="search" role="search" action="/" method="get">
<div><label for="search">Name or host</label><input id="search" name="search" type="search" maxlength="200" value="${escapeHtml(search)}"></div>
<div><label for="state">State</label><select id="state" name="state">${options}</select></div>
<div><label for="tag">Tag</label><input id="tag" name="tag" maxlength="200" value="${escapeHtml(tag)}"></div>
<div><button>Show</button></div>
</form>
`
}

function nothing ({ UNKNOWN, HEALTHY, DEGRADING, UNHEALTHY, PAUSED }: FleetCounts): string {
  return UNKNOWN + HEALTHY + DEGRADING + UNHEALTHY + PAUSED === 0
    ? '<p data-k="none">No app is registered yet: POST one to <code>/apps</code>, or let it register itself.</p>\n'
    : '<p data-k="none">No app is like that. <a href="/">Show all</a></p>\n'
}

const tableHead = '<thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Detail</th><th scope="col">Since</th></tr></thead>\n<tbody>\n'

function row (app: WatchedApp): string {
  const { registration, since, paused, lastCheck, status } = app
  const { name, tags } = registration
  const shown = escapeHtml(name)
  const links = tags.map((tag) => ` <a class="tag" href="/?tag=${encodeURIComponent(tag)}">${escapeHtml(tag)}</a>`).join('')
  const detail = paused?.why ?? lastCheck?.error ?? status.detail ?? ''
  return `<tr class="${lookOf(app)}" data-k="a:${shown}"><td>${healthBadge(app)}</td><th scope="row"><a href="${escapeHtml(addressOf(name))}">${shown}</a>` +
    `<span class="where">${escapeHtml(urlOf(registration))}</span>${links}</th><td>${escapeHtml(detail)}</td><td>${when(paused?.at ?? since)}</td></tr>\n`
}

function pages ({ total, apps }: FleetPage, query: FleetQuery): string {
  const { offset = 0, limit = usualLimit } = query
  const link = (to: number, text: string): string => `<a href="${escapeHtml(listAddress({ ...query, offset: to }))}" rel="${text === 'Next' ? 'next' : 'prev'}">${text}</a>`
  const here = apps.length === 0 ? 'Nothing here' : `${offset + 1} to ${offset + apps.length} of ${total}`
  return `<nav class="pages" data-k="pages" aria-label="Pages"><span>${here}</span> ${offset > 0 ? link(Math.max(offset - limit, 0), 'Previous') : ''} ${offset + apps.length < total && apps.length > 0 ? link(offset + limit, 'Next') : ''}</nav>\n`
}

/** Where a page of the list is: the same for all ways to ask for it. */
export function listAddress ({ search = '', state, paused, tag = '', offset = 0, limit = usualLimit }: FleetQuery, path = '/'): string {
  const wanted = { search, state: paused === true ? 'PAUSED' : state ?? '', tag, offset: offset === 0 ? '' : String(offset), limit: limit === usualLimit ? '' : String(limit) }
  const query = String(new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== '')))
  return query === '' ? path : `${path}?${query}`
}
