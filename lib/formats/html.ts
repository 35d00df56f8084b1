import { createHash } from 'node:crypto'
import type { Format, RenderContext } from '../../types/format.js'
import type { HtmlOptions } from '../../types/options.js'
import type { Snapshot, SnapshotEntry } from '../../types/snapshot.js'
import type { State } from '../../types/status.js'
import { invalid, knownOptions } from '../core/options.js'
import { states } from '../core/state.js'
import { milliseconds, second } from '../core/units.js'
import { escapeHtml } from './escape-html.js'
import { refreshScript, styles } from './html-assets.js'
import { shown } from './shown.js'
import { framed } from './slices.js'

const hash = (source: string): string => `'sha256-${createHash('sha256').update(source).digest('base64')}'`

const policy = [
  "default-src 'none'",
  `style-src ${hash(styles)}`,
  `script-src ${hash(refreshScript)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

const meaning: Readonly<Record<State, string>> = {
  OK: 'Everything works',
  YELLOW: 'Something needs a look',
  RED: 'Something does not work'
}

/**
 * The status page: a table that is readable without JavaScript; a script of its own keeps it fresh in place.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function htmlFormat (options?: HtmlOptions): Format {
  const { title = 'Service status', refresh = second(10) } = knownOptions(options, ['title', 'refresh'], 'html')
  if (typeof title !== 'string' || title === '') throw invalid('the option "html.title"', 'a string with a character or more', title)
  const seconds = Math.round(milliseconds(refresh, 'the option "html.refresh"', 1000) / 1000)

  return {
    name: 'html',
    contentTypes: ['text/html; charset=utf-8'],
    headers: {
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer'
    },
    render: (snapshot, context) => framed({
      open: head(title, seconds) + summary(snapshot, context, title),
      separator: '',
      close: foot(snapshot, context, seconds)
    }, snapshot.entries, (entry) => row(entry, context))
  }
}

function head (title: string, seconds: number): string {
  const heading = escapeHtml(title)
  // Without JavaScript the browser loads the page again; with it the script swaps <main>, which keeps focus and place.
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading}</title>
<noscript><meta http-equiv="refresh" content="${seconds}"></noscript>
<style>${styles}</style>
</head>
<body data-refresh="${seconds}">
`
}

function summary ({ state, entries }: Snapshot, { decommission }: RenderContext, title: string): string {
  const counts = states
    .map((wanted) => ({ wanted, number: entries.filter((entry) => shown(entry).state === wanted).length }))
    .filter(({ number }) => number > 0)
    .map(({ wanted, number }) => `${number} ${wanted}`)
    .join(', ')
  return `<main>
<h1>${escapeHtml(title)}</h1>
<p class="overall ${state}" role="status"><strong>${state}</strong> ${meaning[state]}</p>
${decommission === undefined ? '' : `<p class="decommissioned">Out of service since ${time(decommission.since)}: the probe answers <q>${escapeHtml(decommission.body)}</q></p>\n`}` +
    (entries.length === 0
      ? '<p>No status handlers are registered.</p>\n'
      : `<table>
<caption>${entries.length} status ${entries.length === 1 ? 'handler' : 'handlers'}: ${counts}</caption>
<thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Detail</th><th scope="col">Since</th></tr></thead>
<tbody>
`)
}

function row (entry: SnapshotEntry, { details }: RenderContext): string {
  const { state, detail } = shown(entry)
  const notes = [entry.description, entry.critical ? undefined : 'not critical'].filter((note) => note !== undefined)
  const description = notes.map((note) => `<small>${escapeHtml(note)}</small>`).join('')
  return `<tr class="${state}"><td><span class="state">${state}</span></td><th scope="row">${escapeHtml(entry.name)}${description}</th>` +
    `<td>${details && detail !== undefined ? escapeHtml(detail) : ''}</td><td>${entry.since === undefined ? '' : time(entry.since)}</td></tr>\n`
}

function foot ({ at, entries }: Snapshot, { path, formats }: RenderContext, seconds: number): string {
  const others = formats.filter((name) => name !== 'html')
    .map((name) => `<a href="${escapeHtml(`${path}.${name}`)}">${escapeHtml(name)}</a>`).join(' ')
  return `${entries.length === 0 ? '' : '</tbody>\n</table>\n'}<p class="taken">Taken at ${time(at)}, again every ${seconds} s</p>
</main>
<footer><nav aria-label="Other formats">${others}</nav></footer>
<script>${refreshScript}</script>
</body>
</html>
`
}

function time (at: number): string {
  const iso = new Date(at).toISOString()
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`
}
