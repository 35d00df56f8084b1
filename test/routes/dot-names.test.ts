import { parse } from 'csv-parse/sync'
import t from 'tap'
import { StatusRegistry } from '../../lib/index.js'
import { csvFormat } from '../../lib/formats/csv.js'
import { textOf } from '../support/snapshots.js'

for (const name of ['.', '..', '\uff1dcmd()', '\uff0b1', '\uff0d1', '\uff20SUM']) {
  t.test(`the name ${encodeURIComponent(name)} is refused, or has an address and is shown as it is`, async (t) => {
    const registry = new StatusRegistry()
    try {
      registry.addStatusHandler(name, () => true)
    } catch (error) {
      t.match(error, { code: 'ERR_INVALID_NAME' })
      return
    }
    t.equal(new URL(`http://localhost/svc_status/${encodeURIComponent(name)}`).pathname, `/svc_status/${encodeURIComponent(name)}`)
    t.strictSame(parse(await textOf(csvFormat(), await registry.snapshot()), { delimiter: '\t' }), [[name, 'OK']])
  })
}
