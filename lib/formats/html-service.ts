import type { Decommission } from '../../types/decommission.js'
import type { RenderContext } from '../../types/format.js'
import { escapeHtml } from './escape-html.js'
import { time } from './html-parts.js'

/** Whether the instance is in service, which is what its operators decided and not what was measured. */
export function serviceCard (context: RenderContext): string {
  const { kind, text } = service(context)
  return `<div class="service ${kind}" data-k="service"><h2 class="label">Service</h2>${text}</div>\n`
}

function service ({ decommission, draining = false, unready, details }: RenderContext): { kind: 'in' | 'out', text: string } {
  if (decommission !== undefined) return { kind: 'out', text: outOfService(decommission, draining, details) }
  if (draining) return { kind: 'out', text: '<p><strong>Draining</strong> It closes soon: the probe answers <q>DRAINING</q></p>' }
  if (unready === 'STARTING') {
    return { kind: 'out', text: '<p><strong>Starting</strong> The probe answers <q>STARTING</q> until what it needs for its start was OK once</p>' }
  }
  if (unready !== undefined) {
    return { kind: 'out', text: `<p><strong>Not ready</strong> What it requires does not work: the probe answers <q>${escapeHtml(unready)}</q></p>` }
  }
  return { kind: 'in', text: '<p><strong>In service</strong> Nobody took it out</p>' }
}

function outOfService ({ body, since, until, reason, by }: Decommission, draining: boolean, details: boolean): string {
  // Who it was and why is for those who may see details: the probe itself shows no more than the body.
  const facts = [
    ['By', details && by !== undefined ? escapeHtml(by) : undefined],
    ['Reason', details && reason !== undefined ? escapeHtml(reason) : undefined],
    ['Until', until === undefined ? 'somebody puts it back' : time(until)],
    ['Draining', draining ? 'it closes soon' : undefined]
  ].filter(([, fact]) => fact !== undefined)
  return `<p><strong>Out of service</strong> since ${time(since)}: the probe answers <q>${escapeHtml(body)}</q></p>` +
    `<dl>${facts.map(([name, fact]) => `<div><dt>${name}</dt><dd>${fact}</dd></div>`).join('')}</dl>`
}
