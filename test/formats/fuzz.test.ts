import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import t from 'tap'
import type { Snapshot } from '../../types/snapshot.js'
import { csvFormat } from '../../lib/formats/csv.js'
import { healthFormat } from '../../lib/formats/health.js'
import { htmlFormat } from '../../lib/formats/html.js'
import { jsonFormat } from '../../lib/formats/json.js'
import { prometheusFormat } from '../../lib/formats/prometheus.js'
import { anyAnswers } from '../support/arbitraries.js'
import { parseExposition } from '../support/exposition.js'
import { parsePage } from '../support/page.js'
import { snapshotOf, textOf } from '../support/snapshots.js'

const runs = { numRuns: 500, interruptAfterTimeLimit: 2_500, markInterruptAsFailure: false }

/** Holds whatever the handlers answer, for readers with details and for those without. */
async function always (check: (snapshot: Snapshot, details: boolean) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(anyAnswers, fc.boolean(), async (answers, details) => {
    await check(await snapshotOf(answers), details)
  }), runs)
}

function same (actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${a} is not ${b}`)
}

const statesOf = ({ entries }: Snapshot): string[][] => entries.map(({ name, status }) => [name, status?.state as string])

t.test('CSV is read back to the same names and states', async (t) => {
  const formats = [csvFormat(), csvFormat({ header: true, delimiter: ',', detail: true }), csvFormat({ delimiter: ';', detail: true })]
  const delimiters = ['\t', ',', ';']
  await always(async (snapshot, details) => {
    for (const [index, format] of formats.entries()) {
      const rows: string[][] = parse(await textOf(format, snapshot, { details }), { delimiter: delimiters[index], from: index === 1 ? 2 : 1, recordDelimiter: '\n' })
      same(rows.map(([name, state]) => [name, state]), statesOf(snapshot))
    }
  })
  t.pass()
})

t.test('JSON is read back to the same own keys and states', async (t) => {
  const format = jsonFormat()
  await always(async (snapshot, details) => {
    const body: Record<string, { state: string }> = JSON.parse(await textOf(format, snapshot, { details }))
    same(Object.entries(body).map(([name, { state }]) => [name, state]).sort(), statesOf(snapshot).sort())
    for (const { name, status } of snapshot.entries) {
      const properties = Object.getOwnPropertyDescriptor(body, name)?.value
      same(Object.keys(properties), details ? Object.keys(status as object) : ['state'])
    }
  })
  t.pass()
})

t.test('every line of the exposition text keeps to the grammar, and OpenMetrics ends with one end mark', async (t) => {
  const format = prometheusFormat({ registries: [], states: true })
  await always(async (snapshot, details) => {
    const text = await textOf(format, snapshot, { details })
    const { samples } = parseExposition(text)
    same(samples.filter(({ name }) => name === 'svc_status').map(({ labels, value }) => [labels.name, ['OK', 'YELLOW', 'RED'][value]]), statesOf(snapshot))
    same(samples.filter(({ name }) => name === 'svc_status_metric').length,
      snapshot.entries.reduce((sum, { status }) => sum + Object.keys(status?.metrics ?? {}).length, 0))
    const open = await textOf(format, snapshot, { details, contentType: format.contentTypes[1] })
    same(open, `${text}# EOF\n`)
  })
  t.pass()
})

t.test('health+json is read back to the same names and words', async (t) => {
  const format = healthFormat()
  const words: Record<string, string> = { OK: 'pass', YELLOW: 'warn', RED: 'fail' }
  await always(async (snapshot, details) => {
    const body = JSON.parse(await textOf(format, snapshot, { details }))
    same(body.status, words[snapshot.state])
    same('output' in body, body.status !== 'pass')
    const checks = Object.entries(body.checks as Record<string, [{ status: string }]>)
    same(checks.map(([name, [{ status }]]) => [name, status]).sort(), statesOf(snapshot).map(([name, state]) => [name, words[state]]).sort())
  })
  t.pass()
})

t.test('the page has no text that is not escaped, and shows every name', async (t) => {
  const format = htmlFormat()
  await always(async (snapshot, details) => {
    const { texts } = parsePage(await textOf(format, snapshot, { details }))
    for (const { name } of snapshot.entries) {
      if (name.trim() !== '' && !texts.includes(name)) throw new Error(`${JSON.stringify(name)} is not shown`)
    }
  })
  t.pass()
})
