import type { AppHistory, Trouble, WatchedApp } from '../../../types/healthchecker.js'
import type { State } from '../../../types/status.js'
import { escapeHtml } from '../../formats/escape-html.js'
import { pageEnd, pageStart } from '../../formats/html-parts.js'
import { urlOf } from '../registration-target.js'
import { addressOf, lookOf, refresh, taken, troubleCard, when, wordOf } from './page-parts.js'
import { pageStyles } from './page-styles.js'
import { hourlyTimes, milliseconds, plot, strip, timesOf } from './plot.js'

export interface AppPage {
  readonly app: WatchedApp
  readonly history: AppHistory
  readonly trouble: readonly Trouble[]
  /** Whether whoever pauses needs a token. */
  readonly token: boolean
  /** What became of a form, for people. */
  readonly said?: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** One app: how it is, what its last checks said, how long it took, and a form that pauses it. */
export function appPage (page: AppPage): string {
  const { app, history, trouble, at } = page
  const look = lookOf(app)
  const state: State = look === 'paused' ? 'YELLOW' : app.status.state
  const start = pageStart({ title: app.registration.name, state, refresh, skipTo: { id: 'checks', text: 'Skip to the checks' }, links: '<nav aria-label="All apps"><a href="/">All apps</a></nav>\n', styles: pageStyles })
  return start + `<main data-k="main">\n${troubleCard(trouble)}<section class="now" data-k="now" aria-label="Now">\n${overall(app, look, state)}${facts(app)}</section>\n` +
    checks(history) + uptime(history) + times(history) + form(page) + taken(at) + '</main>\n' + pageEnd
}

function overall (app: WatchedApp, look: string, state: State): string {
  const { since, paused, lastCheck, status, nextCheck } = app
  const label = look === 'paused' ? '<h2 class="label">Paused</h2>' : '<h2 class="label">Measured</h2>'
  const card = look === 'paused' ? 'service out overall-paused' : `${state}`
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

function form ({ app, token, said }: AppPage): string {
  const { name } = app.registration
  const does = app.paused === undefined ? 'pause' : 'resume'
  const field = token
    ? '<input name="user" value="operator" autocomplete="username" hidden>\n<div><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required></div>\n'
    : ''
  return `<form data-k="form" method="post" action="${escapeHtml(`${addressOf(name)}/${does}`)}">
${said === undefined ? '' : `<p class="said-here" role="alert">${escapeHtml(said)}</p>\n`}${field}<div><button>${does === 'pause' ? 'Pause' : 'Resume'} the checks</button></div>
</form>
`
}
