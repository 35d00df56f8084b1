import type { Dropped, Suspicion } from '../../../types/healthchecker.js'
import { escapeHtml } from '../../formats/escape-html.js'
import { droppedIn, linesOf, suspicionIn, type Line } from './lines.js'
import type { Mail } from './plan.js'

/** What nodemailer is given. */
export interface Message {
  readonly from: { readonly name: string, readonly address: string }
  readonly to: { readonly name: string, readonly address: string }
  readonly envelope: { readonly from: string, readonly to: string }
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  readonly date: Date
  readonly headers: Readonly<Record<string, string>>
}

/** So many apps are shown of one mail; the rest is counted. */
const mostLines = 200

/** So many characters of names are in a subject. */
const longestNames = 100

/** A mail in its form, which says the same whenever it is made of the same.
 *
 * @param failing the receiver's apps that do not do well, to be told after a suspicion
 */
export function messageOf (mail: Mail, from: string, date: Date, failing: readonly Line[]): Message {
  const sections = sectionsOf(mail, failing)
  return {
    from: { name: 'healthchecker', address: from },
    to: { name: '', address: mail.receiver },
    envelope: { from, to: mail.receiver },
    // What looks like an encoded word would be decoded by whoever reads it, line ends and all: https://www.rfc-editor.org/rfc/rfc2047#section-2
    subject: subjectOf(mail, failing).replaceAll('=?', '= ?'),
    text: textOf(sections),
    html: htmlOf(sections),
    messageId: messageIdOf(mail, from),
    date,
    // https://www.rfc-editor.org/rfc/rfc3834#section-5.1: nobody on holiday answers it.
    headers: { 'Auto-Submitted': 'auto-generated' }
  }
}

/** The same each time that the mail is sent: who gets it twice, after a crash, can tell. */
export function messageIdOf ({ id }: Mail, from: string): string {
  return `<healthchecker.${id}@${from.slice(from.lastIndexOf('@') + 1)}>`
}

function subjectOf ({ entries }: Mail, failing: readonly Line[]): string {
  const suspicion = suspicionIn(entries)
  if (suspicion === undefined) {
    const lines = linesOf(entries)
    return `[healthchecker] ${lines.length > 0 ? summaryOf(lines) : `${droppedIn(entries)?.count} older notices were not told`}`
  }
  if (suspicion.suspected) return `[healthchecker] suspects itself: ${suspicion.failing} of ${suspicion.of} apps fail together`
  return `[healthchecker] suspects itself no longer${failing.length === 0 ? '' : `: ${summaryOf(failing)}`}`
}

function summaryOf (lines: readonly Line[]): string {
  const words = new Map<string, number>()
  for (const { now } of lines) words.set(now, (words.get(now) ?? 0) + 1)
  const counts = [...words].map(([word, count]) => lines.length === 1 ? word : `${count} ${word}`).join(', ')
  return `${counts}: ${namesOf(lines)}`
}

function namesOf (lines: readonly Line[]): string {
  const names: string[] = []
  let left = longestNames
  for (const { app } of lines) {
    left -= app.length + 2
    if (left < 0 && names.length > 0) return `${names.join(', ')}, …`
    names.push(app)
  }
  return names.join(', ')
}

interface Section {
  /** Paragraphs above the lines. */
  readonly says: readonly string[]
  readonly lines: readonly Line[]
  /** How many lines were left out. */
  readonly more: number
}

function sectionsOf (mail: Mail, failing: readonly Line[]): Section[] {
  const dropped = droppedIn(mail.entries)
  return [...toldSections(mail, failing), ...dropped === undefined ? [] : [section([saysOfDropped(dropped)], [])]]
}

function toldSections ({ entries }: Mail, failing: readonly Line[]): Section[] {
  const suspicion = suspicionIn(entries)
  if (suspicion === undefined) {
    const lines = linesOf(entries)
    return lines.length === 0 ? [] : [section([], lines)]
  }
  // How apps are at the end says all that is to be said of how they came to be so.
  const lines = linesOf(entries).filter(({ now }) => suspicion.suspected || now === 'paused')
  return [
    section(saysOf(suspicion, failing), suspicion.suspected ? [] : failing),
    ...lines.length === 0 ? [] : [section(['Before, and apart from that:'], lines)]
  ]
}

function section (says: readonly string[], lines: readonly Line[]): Section {
  return { says, lines: lines.slice(0, mostLines), more: Math.max(0, lines.length - mostLines) }
}

function saysOfDropped ({ count, since, at }: Pick<Dropped, 'count' | 'since' | 'at'>): string {
  return `${count} older notices, of what happened from ${new Date(since).toISOString()} to ${new Date(at).toISOString()}, are not told: no mail could be sent for so long that there was no room for them. The status page shows how your apps are.`
}

function saysOf ({ suspected, failing, of, at }: Suspicion, lines: readonly Line[]): string[] {
  const when = new Date(at).toISOString()
  if (suspected) {
    return [
      `Since ${when} ${failing} of ${of} apps fail together.`,
      'When more than half of them do, it is rather this machine or its network than all of them. You get no mail on the states of single apps until that is over, and then one that says how they are.'
    ]
  }
  return [
    `Since ${when} no more than half of the apps fail together.`,
    lines.length === 0 ? 'None of your apps is DEGRADING or UNHEALTHY.' : 'These of your apps are DEGRADING or UNHEALTHY; no others are:'
  ]
}

function textOf (sections: readonly Section[]): string {
  return `${sections.map(({ says, lines, more }) => [
    ...says,
    ...lines.map(({ app, now, path, at, reason }) => [
      `${now}: ${app}`,
      `  since ${new Date(at).toISOString()}`,
      ...path === '' ? [] : [`  ${path}`],
      ...reason === undefined ? [] : [`  ${reason}`]
    ].join('\n')),
    ...more === 0 ? [] : [`and ${more} more`]
  ].join('\n\n')).join('\n\n')}\n\n-- \nhealthchecker of fastify-svc-status\n`
}

const colours: Readonly<Record<string, string>> = { UNHEALTHY: '#b00020', DEGRADING: '#8a5a00' }

function htmlOf (sections: readonly Section[]): string {
  const body = sections.map(({ says, lines, more }) => [
    ...says.map((text) => `<p>${escapeHtml(text)}</p>`),
    ...lines.length === 0 ? [] : [`<table cellpadding="6" style="border-collapse:collapse;text-align:left">${lines.map(rowOf).join('')}</table>`],
    ...more === 0 ? [] : [`<p>and ${more} more</p>`]
  ].join('\n')).join('\n')
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>healthchecker</title></head><body style="font-family:sans-serif">\n${body}\n</body></html>\n`
}

function rowOf ({ app, now, path, at, reason }: Line): string {
  const about = [`since ${new Date(at).toISOString()}`, path, reason ?? ''].filter((text) => text !== '')
  return `<tr style="vertical-align:top;border-bottom:1px solid #ccc"><td style="color:${colours[now] ?? '#1b5e20'}"><strong>${escapeHtml(now)}</strong></td>` +
    `<td><strong>${escapeHtml(app)}</strong><br>${about.map(escapeHtml).join('<br>')}</td></tr>\n`
}
