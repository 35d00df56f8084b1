import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { StatusRegistry } from '../../lib/core/registry.js'
import { second } from '../../lib/core/units.js'
import { prometheusFormat } from '../../lib/formats/prometheus.js'
import { parseExposition } from '../support/exposition.js'
import { textOf } from '../support/snapshots.js'
import { anchorsOf, at, blocksOf, tableAfter } from './markdown.js'
import { pages } from './pages.js'
import { root } from './sources.js'

const page = 'docs/operating-with-prometheus.md'
const folder = join(root, 'docs', 'prometheus')
const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
const source = pages().get(page) ?? ''

interface Rule {
  readonly record?: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface AlertingRule extends Rule {
  readonly alert: string
}

interface AlertCase {
  readonly eval_time: string
  readonly alertname: string
  readonly exp_alerts?: readonly unknown[]
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly datasource: { readonly uid: string }
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly targets: ReadonlyArray<{ readonly expr: string, readonly datasource: { readonly uid: string } }>
  readonly fieldConfig: { readonly defaults: { readonly thresholds?: { readonly steps: ReadonlyArray<{ readonly value: number | null }> } } }
}

const rules = (parse(text('rules.yml')) as { groups: Array<{ rules: Rule[] }> }).groups.flatMap(({ rules }) => rules)
const alerts = rules.filter((rule): rule is AlertingRule => 'alert' in rule)
const { panels, templating } = JSON.parse(text('grafana-dashboard.json')) as {
  panels: Panel[], templating: { list: Array<{ name: string, type: string, query: { query: string }, datasource?: { uid: string } }> }
}

const minutes = (time: string): number => Number.parseInt(time) * ({ d: 24 * 60, h: 60, m: 1 }[time.at(-1) as 'd' | 'h' | 'm'])

t.test('each alert says how urgent it is, what is wrong and what to do, and leads to its heading of the page', async (t) => {
  for (const { alert, labels, annotations } of alerts) {
    t.match(labels.severity, /^(critical|warning)$/, alert)
    t.match(annotations.summary, '{{ $labels.instance }}', `${alert} says where`)
    t.match(annotations.description, /\b(curl|see|look|find|try|ask|post|recommission)\b/i, `${alert} says what to do`)
    const [file, anchor] = annotations.runbook.split('#')
    t.equal(file, page)
    t.ok(anchorsOf(source).has(anchor) && anchor === alert.toLowerCase(), `${alert}: ${anchor}`)
  }
})

t.test('the table of alerts of the page is that of the rules', async (t) => {
  const rows = tableAfter(source, '## The alerts').map(([alert, after, severity]) => [/`(\w+)`/.exec(alert)?.[1], after, severity])
  t.strictSame(rows, alerts.map(({ alert, labels, for: after = 'at once' }) => [alert, after, labels.severity]))
})

t.test('each alert has a case in which it fires, one a minute earlier in which it does not, and one in which it is over', async (t) => {
  const { tests } = parse(text('rules.test.yml')) as { tests: Array<{ alert_rule_test?: AlertCase[] }> }
  for (const { alert } of alerts) {
    const tried = tests.map(({ alert_rule_test: cases = [] }) => {
      const own = cases.filter(({ alertname }) => alertname === alert).map(({ eval_time: time, exp_alerts: expected = [] }) => ({ time: minutes(time), fires: expected.length > 0 }))
      const begins = Math.min(...own.filter(({ fires }) => fires).map(({ time }) => time))
      return own.some(({ time, fires }) => !fires && time === begins - 1) && own.some(({ time, fires }) => !fires && time > begins)
    })
    t.ok(tried.includes(true), alert)
  }
})

t.test('rules, their tests and the dashboard speak of series that are there', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('db', async () => ({ state: 'OK', metrics: { a: 1 } }))
  const printed = parseExposition(await textOf(prometheusFormat({ registries: [] }), await registry.snapshot())).samples.map(({ name }) => name)
  const known = new Set([...printed, ...rules.flatMap(({ record = [] }) => record)])
  const used = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...templating.list.filter(({ type }) => type === 'query').map(({ query }) => query.query),
    ...text('rules.test.yml').match(/series: \S+/g) ?? []
  ].flatMap((expression) => expression.match(/[\w:]*\bsvc_status[\w:]*/g) ?? [])
  t.ok(used.length > 60, `${used.length} uses`)
  t.strictSame([...new Set(used)].filter((name) => !known.has(name)), [])
  t.strictSame([...known].filter((name) => !used.includes(name)), [], 'and of all of them')
})

t.test('what the page shows of a file is in the file', async (t) => {
  const shown = blocksOf(page, source).filter(({ language, name }) => language === 'yaml' && name !== undefined)
  for (const block of shown) t.ok(text(block.name as string).includes(block.text), at(block))
  t.ok(shown.length >= 2, `${shown.length} blocks`)
  t.strictSame(tableAfter(source, '# Operating').map(([file]) => /\[(.+)\]/.exec(file)?.[1]).sort(), readdirSync(folder).sort(), 'and every file is in its table')
})

t.test('a handler that hangs is RED before its scrape is given up', async (t) => {
  const { global } = parse(text('prometheus.yml')) as { global: Record<'scrape_timeout' | 'scrape_interval', string> }
  const timeout = Number.parseInt(global.scrape_timeout)
  t.ok(timeout * 1_000 > second(5).milliseconds, global.scrape_timeout)
  t.ok(timeout <= Number.parseInt(global.scrape_interval), 'Prometheus wants it so')
})

t.test('each panel of the dashboard has a place, a row of the page, and the chosen Prometheus', async (t) => {
  const chosen = `\${${templating.list[0].name}}`
  const taken = new Map<string, string>()
  const clashes: string[] = []
  for (const { title, datasource, gridPos: { x, y, w, h }, targets } of panels) {
    t.strictSame([datasource, ...targets.map((target) => target.datasource)].map(({ uid }) => uid), Array(targets.length + 1).fill(chosen), title)
    t.ok(x + w <= 24, `${title} is on the page`)
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        const other = taken.get(`${column},${row}`)
        if (other !== undefined) clashes.push(`${title} lies over ${other}`)
        taken.set(`${column},${row}`, title)
      }
    }
  }
  t.strictSame(clashes, [])
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  t.strictSame(tableAfter(source, '## The dashboard').map(([title]) => title), panels.map(({ title }) => title))
  t.strictSame(templating.list.map(({ datasource }) => datasource?.uid), [undefined, chosen, chosen, chosen])
  t.strictSame(templating.list.map(({ name }) => name), ['datasource', 'service', 'instance', 'name'])
})

t.test('the lines in the dashboard are where the alerts begin', async (t) => {
  for (const [record, alert] of [['instance_name:svc_status:changes30m', 'SvcStatusFlapping'], ['instance_name:svc_status_check_timeout:used10m', 'SvcStatusCheckNearTimeout']]) {
    const threshold = Number(/>=? ([\d.]+)/.exec(alerts.find((rule) => rule.alert === alert)?.expr ?? '')?.[1])
    const panel = panels.find(({ targets }) => targets[0].expr.startsWith(record))
    t.equal(panel?.fieldConfig.defaults.thresholds?.steps.at(-1)?.value, threshold, alert)
  }
})
