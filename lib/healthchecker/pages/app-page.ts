import type { AppHistory, Trouble, WatchedApp } from '../../../types/healthchecker.js'
import type { State } from '../../../types/status.js'
import { escapeHtml } from '../../formats/escape-html.js'
import { pageEnd, pageStart } from '../../formats/html-parts.js'
import type { Part } from '../../formats/live-parts.js'
import { urlOf } from '../registration-target.js'
import { addressOf, refresh, taken, textOf, troubleCard, when, wordOf } from './page-parts.js'
import { pageStyles } from './page-styles.js'
import { hourlyTimes, milliseconds, plot, strip, timesOf } from './plot.js'

export interface AppPage {
  readonly app: WatchedApp
  readonly history: AppHistory
  readonly trouble: readonly Trouble[]
  /** Whether whoever pauses needs a token. */
  readonly token: boolean
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface AppShell {
  readonly name: string
  /** The state that the page begins with. */
  readonly state: State
  /** What became of a form, for people: who follows the page goes on to see it. */
  readonly said?: string
}

/** One app: how it is, what its last checks said, how long it took, and a form that pauses it. */
export function appPage ({ name, state, said }: AppShell, parts: Iterable<Part>): string {
  const start = pageStart({
    title: name,
    state,
    refresh,
    live: `${addressOf(name)}/live`,
    skipTo: { id: 'checks', text: 'Skip to the checks' },
    links: '<nav aria-label="All apps"><a href="/">All apps</a></nav>\n',
    styles: pageStyles
  })
  return start + (said === undefined ? '' : `<p class="said-here" role="alert">${escapeHtml(said)}</p>\n`) + textOf(parts) + pageEnd
}

/** What changes of it. */
export function * appParts (page: AppPage): Generator<Part> {
  const { app, history, trouble, at } = page
  yield { html: '<main data-k="main">\n' }
  yield * troubleCard(trouble)
  yield { html: '<section class="now" data-k="now" aria-label="Now">\n' }
  yield { key: 'overall', html: overall(app) }
  yield { key: 'facts', html: facts(app) }
  yield { html: '</section>\n' }
  yield { key: 'checks', html: checks(history) }
  yield { key: 'uptime', html: uptime(history) }
  yield { key: 'times', html: times(history) }
  yield { key: 'form', html: form(page) }
  yield { key: 'taken', html: taken(at) }
  yield { html: '</main>\n' }
}

/** What is there instead of an app that there is not, or not any more. */
export function * goneParts (name: string, at: number): Generator<Part> {
  yield { html: '<main data-k="main">\n<section class="now" data-k="now" aria-label="Now">\n' }
  yield { key: 'overall', html: `<div class="overall overall-paused" data-k="overall"><h2 class="label">Not watched</h2><p><strong>GONE</strong> there is no app ${escapeHtml(name)}</p></div>\n` }
  yield { html: '</section>\n<div id="checks" data-k="checks" tabindex="-1"></div>\n' }
  yield { key: 'taken', html: taken(at) }
  yield { html: '</main>\n' }
}

function overall (app: WatchedApp): string {
  const { since, paused, lastCheck, status, nextCheck } = app
  const label = `<h2 class="label">${paused === undefined ? 'Measured' : 'Paused'}</h2>`
  const card = paused === undefined ? status.state : 'overall-paused'
  const why = paused === undefined
    ? `<p>${escapeHtml(lastCheck?.error ?? status.detail ?? '')}</p>`
    : `<p>${[paused.by === undefined ? '' : `by ${escapeHtml(paused.by)}`, paused.why === undefined ? '' : escapeHtml(paused.why)].filter((part) => part !== '').join(': ')}</p>`
  const next = nextCheck === undefined ? '' : `<p class="counts">next check ${when(nextCheck)}</p>`
  return `<div class="overall ${card}" data-k="overall">${label}<p><strong>${wordOf(app)}</strong> since ${when(paused?.at ?? since)}</p>${why}${next}</div>\n`
}

function facts ({ registration, failures, successes, state, lastCheck }: WatchedApp): string {
  const { protocol, timeout, interval, unhealthyThreshold, healthyThreshold, tags } = registration
  const rows: Array<[string, string]> = [
    ['Address', escapeHtml(urlOf(registration))],
    ['Checked', `${protocol}, every ${interval} s, ${timeout} s at most`],
    ['In a row', `${failures} of ${unhealthyThreshold} failures, ${successes} of ${healthyThreshold} successes`],
    ...lastCheck === undefined ? [] : [['Last check', `${when(lastCheck.at)}, ${lastCheck.result}, ${milliseconds(lastCheck.duration)}`] as [string, string]],
    ...tags.length === 0 ? [] : [['Tags', tags.map((tag) => `<a class="tag" href="/?tag=${encodeURIComponent(tag)}">${escapeHtml(tag)}</a>`).join('')] as [string, string]]
  ]
  return `<div class="card" data-k="facts"><h2>${state === 'UNKNOWN' ? 'Not known yet' : 'What is checked'}</h2><dl>${rows.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl></div>\n`
}

function checks ({ checks }: AppHistory): string {
  const failed = checks.findLast(({ error }) => error !== undefined)
  const error = failed === undefined ? '' : `<p class="legend">Last error ${when(failed.at)}: ${escapeHtml(failed.error as string)}</p>`
  return `<section class="card" id="checks" data-k="checks" tabindex="-1"><h2>The last checks</h2>${strip(checks)}${error}</section>\n`
}

function uptime ({ uptime }: AppHistory): string {
  const parts = ([['24 hours', uptime.day], ['7 days', uptime.week], ['30 days', uptime.month]] as const)
    .map(([name, part]) => `<div><dt>${name}</dt><dd>${part === undefined ? '–' : percent(part)}</dd></div>`).join('')
  return `<section class="card" data-k="uptime"><h2>Uptime</h2><dl class="uptime">${parts}</dl></section>\n`
}

/** Rounded down: what failed once was not up all the time. */
function percent (part: number): string {
  return `${Math.floor(part * 10_000) / 100} %`
}

function times ({ checks, hours }: AppHistory): string {
  const last = checks.length === 0 ? '' : plot(timesOf(checks), 'Response times of the last checks', when(checks[0].at), when(checks[checks.length - 1].at))
  const month = hours.length < 2 ? '' : `<h2>Hour by hour</h2>${plot(hourlyTimes(hours), 'Mean response times of the hours', when(hours[0].at), when(hours[hours.length - 1].at))}`
  return `<section class="card" data-k="times"><h2>Response times</h2>${last === '' ? '<p class="scale">No check yet.</p>' : last}${month}</section>\n`
}

function form ({ app, token }: AppPage): string {
  const { name } = app.registration
  const does = app.paused === undefined ? 'pause' : 'resume'
  const field = token
    ? '<input name="user" value="operator" autocomplete="username" hidden>\n<div><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required></div>\n'
    : ''
  return `<form data-k="form" method="post" action="${escapeHtml(`${addressOf(name)}/${does}`)}">
${field}<div><button>${does === 'pause' ? 'Pause' : 'Resume'} the checks</button></div>
</form>
`
}
