import { createHash } from 'node:crypto'
import type { State } from '../../types/status.js'
import { states } from '../core/state.js'
import { escapeHtml } from './escape-html.js'
import { liveScript } from './html-script.js'
import { styles } from './html-styles.js'

const digest = (source: string): string => createHash('sha256').update(source).digest('base64')

/** Lets a page use what stands in it, ask its own service, and do nothing else. */
export const pageHeaders = headersOf()

/**
 * The headers of a page with more styles, or with forms.
 *
 * @param more the further styles of its `Shell`
 * @param forms whether it may send forms to its own service
 */
export function headersOf (more?: string, forms = false): Readonly<Record<string, string>> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      `style-src ${[styles, more].filter((source) => source !== undefined).map((source) => `'sha256-${digest(source)}'`).join(' ')}`,
      `script-src 'sha256-${digest(liveScript)}'`,
      "connect-src 'self'",
      "base-uri 'none'",
      `form-action ${forms ? "'self'" : "'none'"}`,
      "frame-ancestors 'none'"
    ].join('; '),
    // With no referrer at all a browser says of a form that it comes from nowhere, `Origin: null`: https://fetch.spec.whatwg.org/#origin-header
    'referrer-policy': forms ? 'same-origin' : 'no-referrer'
  }
}

/** Another one means that a page that is open has the script and the styles of an older release. */
const release = digest(styles + liveScript).slice(0, 12)

export interface Shell {
  readonly title: string
  /** Shown before the title, for who has many tabs. */
  readonly state: State
  /** How often the page is brought up to date, in seconds. */
  readonly refresh: number
  /** The address that is followed, relative to that of the page. Absent: the page asks for itself again. */
  readonly live?: string
  /** Where the skip link leads: the id of an element in `<main>`. */
  readonly skipTo: { readonly id: string, readonly text: string }
  /** Links beside the heading, as HTML. */
  readonly links: string
  /** Styles after those of every page. They are in `headersOf` too. */
  readonly styles?: string
}

/** A page up to its `<main>`, which is the element that changes: it has the key `main`. */
export function pageStart ({ title, state, refresh, live, skipTo, links, styles: more }: Shell): string {
  const heading = escapeHtml(title)
  // Without JavaScript the browser loads the page again; with it the script changes what is new in <main>.
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${state} · ${heading}</title>
<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>
<style>${styles}</style>
${more === undefined ? '' : `<style>${more}</style>\n`}</head>
<body data-refresh="${refresh}"${live === undefined ? '' : ` data-live="${escapeHtml(live)}"`} data-release="${release}">
<a class="skip" href="#${skipTo.id}">${skipTo.text}</a>
<header>
<h1>${heading}</h1>
<p class="link"></p>
${links}</header>
`
}

/** What follows `</main>`. */
export const pageEnd = `<p class="said" role="status"></p>
<script>${liveScript}</script>
</body>
</html>
`

/** The state in words and in colour. */
export function badge (state: State): string {
  return `<span class="state">${state}</span>`
}

/** `1 RED, 3 OK`: the worst first, and nothing of a state that nobody is in. */
export function countsText (counts: Readonly<Record<State, number>>): string {
  return [...states].reverse().filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`).join(', ')
}

/** A moment, in milliseconds since the epoch; the script says beside it how long ago that is. */
export function time (at: number): string {
  const iso = new Date(at).toISOString()
  return `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`
}
