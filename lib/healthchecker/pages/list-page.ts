import type { FleetCounts, FleetPage, FleetQuery, Trouble, WatchedApp } from '../../../types/healthchecker.js'
import { escapeHtml } from '../../formats/escape-html.js'
import { pageEnd, pageStart } from '../../formats/html-parts.js'
import { largestLimit, listedStates, usualLimit } from '../app-query.js'
import { urlOf } from '../registration-target.js'
import { addressOf, healthBadge, lookOf, refresh, stateOfFleet, taken, troubleCard, when } from './page-parts.js'
import { pageStyles } from './page-styles.js'

export interface ListPage {
  readonly page: FleetPage
  readonly query: FleetQuery
  readonly counts: FleetCounts
  readonly trouble: readonly Trouble[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

const meaning = { OK: 'Everything works', YELLOW: 'Something needs a look', RED: 'Something does not work' }

/** The fleet: how it is as a whole, a search, and a page of its apps. */
export function listPage ({ page, query, counts, trouble, at }: ListPage): string {
  const state = stateOfFleet(counts)
  const start = pageStart({ title: 'Healthchecker', state, refresh, skipTo: { id: 'apps', text: 'Skip to the apps' }, links: formats, styles: pageStyles })
  return start +
    `<main data-k="main">\n${troubleCard(trouble)}` +
    `<section class="now" data-k="now" aria-label="Now">\n<div class="overall ${state}" data-k="overall"><h2 class="label">The fleet</h2><p><strong>${state}</strong> ${meaning[state]}</p><p class="counts">${countsOf(counts)}</p></div>\n</section>\n` +
    search(query) +
    `<div id="apps" data-k="apps" tabindex="-1">\n${page.apps.length === 0 ? nothing(counts) : table(page.apps, page.total)}</div>\n` +
    pages(page, query) + taken(at) + '</main>\n' + pageEnd
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

function table (apps: readonly WatchedApp[], total: number): string {
  return `<table data-k="table">
<caption data-k="caption"><span>${total} ${total === 1 ? 'app' : 'apps'}</span></caption>
<thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Detail</th><th scope="col">Since</th></tr></thead>
<tbody>
${apps.map(row).join('')}</tbody>
</table>
`
}

function row (app: WatchedApp): string {
  const { registration, since, paused, lastCheck, status } = app
  const { name, tags } = registration
  const shown = escapeHtml(name)
  const links = tags.map((tag) => ` <a class="tag" href="/?tag=${encodeURIComponent(tag)}">${escapeHtml(tag)}</a>`).join('')
  const detail = paused?.why ?? lastCheck?.error ?? status.detail ?? ''
  return `<tr class="${lookOf(app)}" data-k="a${shown}"><td>${healthBadge(app)}</td><th scope="row"><a href="${escapeHtml(addressOf(name))}">${shown}</a>` +
    `<span class="where">${escapeHtml(urlOf(registration))}</span>${links}</th><td>${escapeHtml(detail)}</td><td>${when(paused?.at ?? since)}</td></tr>\n`
}

function pages ({ total, apps }: FleetPage, query: FleetQuery): string {
  const { offset = 0, limit = usualLimit } = query
  if (total <= apps.length && offset === 0) return ''
  const link = (to: number, text: string): string => `<a href="${escapeHtml(linkOf(query, to))}" rel="${text === 'Next' ? 'next' : 'prev'}">${text}</a>`
  const here = apps.length === 0 ? 'Nothing here' : `${offset + 1} to ${offset + apps.length} of ${total}`
  return `<nav class="pages" data-k="pages" aria-label="Pages"><span>${here}</span> ${offset > 0 ? link(Math.max(offset - limit, 0), 'Previous') : ''} ${offset + apps.length < total && apps.length > 0 ? link(offset + limit, 'Next') : ''}</nav>\n`
}

function linkOf ({ search = '', state, paused, tag = '', limit = usualLimit }: FleetQuery, offset: number): string {
  const wanted = { search, state: paused === true ? 'PAUSED' : state ?? '', tag, offset: String(offset), limit: limit === usualLimit ? '' : String(Math.min(limit, largestLimit)) }
  return `/?${new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ''))}`
}
