import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { at, blocksOf } from '../docs/markdown.js'
import { Alertmanager, Webhook, type Alert, type Message } from './support/alertmanager.js'
import type { Order } from './support/alerting-instance.js'
import { checkout } from './support/example.js'
import { temporaryFolder } from './support/folder.js'
import { freePort } from '../support/free-port.js'
import { peer } from './support/peers.js'
import { Program, run } from './support/programs.js'
import { Prometheus } from './support/prometheus.js'
import { copyShipped, shipped } from './support/shipped.js'
import { until } from './support/until.js'

type Tap = Parameters<typeof Program.start>[0]

interface Dashboard {
  readonly templating: { readonly list: ReadonlyArray<{ readonly type: string, readonly name: string, readonly query: { readonly query: string } }> }
  readonly panels: ReadonlyArray<{ readonly title: string, readonly targets: ReadonlyArray<{ readonly expr: string }> }>
}

const file = fileURLToPath(new URL('./support/alerting-instance.ts', import.meta.url))
const loader = process.execArgv.filter((option) => option.includes('support/typescript.js'))

/** An instance of a service in a process of its own, which can be killed and started again on its port. */
class Instance {
  readonly host: string
  readonly #t: Tap
  #program: Program | undefined

  constructor (t: Tap, port: number) {
    this.#t = t
    this.host = `127.0.0.1:${port}`
  }

  async start (): Promise<void> {
    this.#program = await Program.start(this.#t, process.execPath, [...loader, file], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PORT: this.host.split(':')[1] }
    })
    await this.#program.says('its address', ({ stdout }) => stdout === '' ? undefined : stdout)
  }

  async is (order: Order): Promise<void> {
    await (this.#program as Program).ask(order)
  }

  async kill (): Promise<void> {
    this.#program?.signal('SIGKILL')
    await this.#program?.end
  }
}

/** What tells one alert from another. */
function key ({ labels: { alertname, instance, name = '' } }: Pick<Alert, 'labels'>): string {
  return [alertname, instance, name].join(' ').trimEnd()
}

const keysOf = (messages: readonly Message[]): string[] => [...new Set(messages.flatMap(({ alerts }) => alerts.map(key)))].sort()

t.test('the shipped files are valid to the tools of their programs, and the rules pass their unit tests', async (t) => {
  for (const [command, ...args] of [
    ['promtool', 'check', 'config', 'prometheus.yml'],
    ['promtool', 'check', 'rules', 'rules.yml'],
    ['promtool', 'test', 'rules', 'rules.test.yml'],
    ['amtool', 'check-config', 'alertmanager.yml']
  ]) {
    const { code, stdout, stderr } = await run(t, peer(command), args, { cwd: shipped })
    t.equal(code, 0, `${command} ${args.join(' ')}\n${code === 0 ? '' : stdout + stderr}`)
  }
})

t.test('what the page shows beside them is valid too', async (t) => {
  const page = 'docs/operating-with-prometheus.md'
  const blocks = blocksOf(page, await readFile(join(checkout, page), 'utf8')).filter(({ language, name }) => language === 'yaml' && name === undefined)
  t.equal(blocks.length, 2)
  const folder = await temporaryFolder(t)
  for (const block of blocks) {
    const file = join(folder, 'shown.yml')
    // Debian's Prometheus is built without the discovery of Kubernetes; what is made of its labels can be checked.
    await writeFile(file, block.text.replace(/kubernetes_sd_configs:\n +- role: pod\n/, 'static_configs: []\n'))
    const { code, stdout, stderr } = await run(t, peer('promtool'), ['check', block.text.startsWith('groups:') ? 'rules' : 'config', file])
    t.equal(code, 0, `${at(block)}\n${code === 0 ? '' : stdout + stderr}`)
  }
})

t.test('an outage of the scrape mutes what else is said of that instance, and RED what else is said of that handler', async (t) => {
  const folder = await temporaryFolder(t)
  const alertmanager = await Alertmanager.start(t, folder, join(shipped, 'alertmanager.yml'))
  const alert = (alertname: string, instance: string, name?: string) => ({ alertname, job: 'svc-status', instance, ...name !== undefined && { name }, severity: 'warning' })
  await alertmanager.post([
    alert('SvcStatusNotScraped', 'a'), alert('SvcStatusRed', 'a', 'db'), alert('SvcStatusDecommissionedTooLong', 'a'),
    alert('SvcStatusRed', 'b', 'db'), alert('SvcStatusFlapping', 'b', 'db'), alert('SvcStatusCheckNearTimeout', 'b', 'db'), alert('SvcStatusFlapping', 'b', 'queue'),
    alert('SvcStatusRedNotCritical', 'b', 'mail'), alert('SvcStatusFlapping', 'b', 'mail'),
    alert('NodeDown', 'a')
  ])
  const active = await until('Alertmanager has judged all of them', async () => {
    const states = await alertmanager.states()
    return states.length === 10 && states.every(({ state }) => state !== 'unprocessed') && states.filter(({ state }) => state === 'active')
  })
  t.strictSame(active.map(key).sort(), ['NodeDown a', 'SvcStatusFlapping b queue', 'SvcStatusNotScraped a', 'SvcStatusRed b db', 'SvcStatusRedNotCritical b mail'])
})

t.test('with the shipped rules and routes', async (t) => {
  const [a, b] = [new Instance(t, await freePort()), new Instance(t, await freePort())]
  await Promise.all([a.start(), b.start()])
  const folder = await temporaryFolder(t)
  const webhook = await Webhook.start(t)
  const alertmanagerFolder = await temporaryFolder(t)
  const { host } = webhook
  // Prometheus tries again until its Alertmanager is there, whose address it has to know first.
  const port = await freePort()
  await copyShipped(folder, { targets: [a.host, b.host], alertmanager: `127.0.0.1:${port}`, webhook: host })
  await Alertmanager.start(t, alertmanagerFolder, join(folder, 'alertmanager.yml'), port)
  const prometheus = await Prometheus.startIn(t, folder)
  await prometheus.shows('count(svc_status)', 6)

  /** What is sent from the moment at which something happens until all of it is over. */
  async function sentAfter (happens: () => Promise<void>, alertname: string, over: () => Promise<void>): Promise<{ firing: Message, all: readonly Message[] }> {
    const seen = webhook.messages.length
    await happens()
    const firing = await webhook.gets(`${alertname}, firing`, seen, ({ status, groupLabels }) => status === 'firing' && groupLabels.alertname === alertname)
    await over()
    await webhook.gets(`${alertname}, resolved`, seen, ({ status, groupLabels }) => status === 'resolved' && groupLabels.alertname === alertname)
    return { firing, all: webhook.messages.slice(seen) }
  }

  await t.test('a handler that is RED fires one alert, which is resolved when it is OK again', async (t) => {
    const { firing, all } = await sentAfter(
      async () => await a.is({ set: 'db', to: 'RED' }), 'SvcStatusRed', async () => await a.is({ set: 'db', to: 'OK' }))
    t.match(firing, { to: '/page', groupLabels: { alertname: 'SvcStatusRed', service: 'shop' } })
    t.match(firing.alerts, [{ labels: { name: 'db', instance: a.host, job: 'svc-status', service: 'shop', severity: 'critical' }, annotations: { summary: `db is RED on ${a.host}` } }])
    t.strictSame(keysOf(all), [`SvcStatusRed ${a.host} db`], 'and nothing else')
    t.strictSame(all.map(({ status }) => status), ['firing', 'resolved'], 'one message each')
  })

  await t.test('a handler that is not critical goes to the tickets', async (t) => {
    const { firing, all } = await sentAfter(
      async () => await a.is({ set: 'mail', to: 'RED' }), 'SvcStatusRedNotCritical', async () => await a.is({ set: 'mail', to: 'OK' }))
    t.equal(firing.to, '/ticket')
    t.strictSame(keysOf(all), [`SvcStatusRedNotCritical ${a.host} mail`])
  })

  await t.test('what is RED on all instances at once is one group', async (t) => {
    const seen = webhook.messages.length
    const all = async (to: 'OK' | 'RED') => { await Promise.all([a, b].map(async (instance) => await instance.is({ set: 'queue', to }))) }
    await all('RED')
    const both = await webhook.gets('both in a message', seen, ({ status, alerts }) => status === 'firing' && alerts.length === 2)
    t.strictSame(keysOf([both]), [`SvcStatusRed ${a.host} queue`, `SvcStatusRed ${b.host} queue`].sort())
    await all('OK')
    await webhook.gets('the end of it', seen, ({ status }) => status === 'resolved')
  })

  await t.test('a process that is gone is not RED, but cannot be scraped', async (t) => {
    const { firing, all } = await sentAfter(async () => await a.kill(), 'SvcStatusNotScraped', async () => await a.start())
    t.match(firing, { to: '/page', groupLabels: { alertname: 'SvcStatusNotScraped', service: 'shop' } })
    t.match(firing.alerts, [{ labels: { instance: a.host, severity: 'critical' }, annotations: { summary: `Prometheus cannot scrape ${a.host}` } }])
    t.strictSame(keysOf(all), [`SvcStatusNotScraped ${a.host}`], 'nothing is said of its handlers')
  })

  await t.test('a handler that was removed is missed until it is back', async (t) => {
    const { firing, all } = await sentAfter(
      async () => await b.is({ remove: 'queue' }), 'SvcStatusHandlerMissing', async () => await b.is({ add: 'queue' }))
    t.equal(firing.to, '/ticket')
    t.match(firing.alerts, [{ labels: { name: 'queue', instance: b.host } }])
    t.strictSame(keysOf(all), [`SvcStatusHandlerMissing ${b.host} queue`])
  })

  await t.test('every query of the dashboard gives something', async (t) => {
    const { templating, panels } = JSON.parse(await readFile(join(shipped, 'grafana-dashboard.json'), 'utf8')) as Dashboard
    await b.is({ decommission: true })
    await a.is({ set: 'db', to: 'RED' })
    await prometheus.shows('count(ALERTS{alertname="SvcStatusRed", alertstate="firing"})', 1)
    await prometheus.shows('svc_status_decommissioned == 1', 1)

    const chosen: Record<string, string> = {}
    const substituted = (text: string, values: Readonly<Record<string, string>>): string => {
      const result = text.replace(/\$\{?(\w+)\}?/g, (variable, name: string) => values[name] ?? variable)
      if (result.includes('$')) throw new Error(`${result}: a variable that nobody knows`)
      return result
    }
    for (const { type, name, query } of templating.list) {
      if (type !== 'query') continue
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query.query) as RegExpExecArray
      const values = await prometheus.labelValues(substituted(selector, chosen), label)
      t.ok(values.length > 0, `${name} can be chosen: ${values.join(', ')}`)
      chosen[name] = `(${values.map((value) => value.replaceAll('.', '\\\\.')).join('|')})`
    }
    t.strictSame(Object.keys(chosen), ['service', 'instance', 'name'])

    let queries = 0
    const everything = Object.fromEntries(Object.keys(chosen).map((name) => [name, '.*']))
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        for (const values of [everything, chosen]) {
          const query = substituted(expr, values)
          const found = await until(`"${title}" shows something: ${query}`, async () => {
            const samples = await prometheus.query(query)
            return samples.length > 0 && samples
          })
          t.ok(found.length > 0, `${title}: ${found.length}`)
          queries++
        }
      }
    }
    t.ok(queries >= 22, `${queries} queries`)
    for (const name of ['service', 'instance']) {
      for (const { title, targets } of panels) {
        for (const { expr } of targets) {
          const query = substituted(expr, { ...everything, [name]: 'nobody' })
          t.strictSame(await prometheus.query(query), [], `${title} follows the choice of ${name}`)
        }
      }
    }
  })
})
