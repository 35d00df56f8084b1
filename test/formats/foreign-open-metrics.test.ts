import t from 'tap'
import { prometheusFormat } from '../../lib/formats/prometheus.js'
import { parseExposition } from '../support/exposition.js'
import { snapshotOf, textOf } from '../support/snapshots.js'

// Prometheus 2.42 drops the whole scrape at each of these in the text format: "invalid metric type", "expected next entry after timestamp".
const families: Array<[string, string]> = [
  ['an info', '# HELP a x\n# TYPE a info\na_info{version="1"} 1\n'],
  ['an unknown', '# HELP a x\n# TYPE a unknown\na 1\n'],
  ['a stateset', '# HELP a x\n# TYPE a stateset\na{a="on"} 1\n'],
  ['a timestamp in seconds', '# HELP a x\n# TYPE a gauge\na 1 1700000000.5\n']
]

for (const [what, text] of families) {
  t.test(`${what} of an OpenMetrics registry does not spoil the text format`, async (t) => {
    const format = prometheusFormat({ registries: [{ contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8', metrics: () => `${text}# EOF\n` }] })
    const served = await textOf(format, await snapshotOf([['db', 'OK']]))
    t.notMatch(served, /^# TYPE a (info|unknown|stateset)$/m)
    t.notMatch(served, /^a\S* \S+ \S*\.\S*$/m)
    t.ok(parseExposition(served.slice(0, served.indexOf('# HELP a '))))
  })
}
