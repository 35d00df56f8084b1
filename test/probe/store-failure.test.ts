import t from 'tap'
import type { DecommissionStore } from '../../types/decommission.js'
import { memoryStore } from '../../lib/index.js'
import { Decommissioning } from '../../lib/probe/decommissioning.js'

t.test('a store that fails for another reason is logged once more, and after its end not at all', async (t) => {
  let fail: (error: unknown) => void = () => {}
  const store: DecommissionStore = { ...memoryStore(), async open (_onChange, onFailure) { fail = onFailure ?? fail; return undefined } }
  const log: Array<unknown[]> = []
  const subject = new Decommissioning(store, { info () {}, warn () {}, error: (...line: unknown[]) => log.push(line) }, () => {})
  await subject.open()
  const refused = (): Error => Object.assign(new Error('to redis://me:s3cret@host'), { code: 'ECONNREFUSED' })
  fail(refused())
  fail(refused())
  t.match(subject.getStatus(), { state: 'RED', detail: 'memory cannot be read; what was last known stands (Error ECONNREFUSED)' })
  fail('late')
  t.match(subject.getStatus(), { detail: /\(a string, not an Error\)/ })
  t.equal(log.length, 2)
  await subject.decommission('OFF')
  t.match(subject.getStatus(), { state: 'OK' })
  await subject.close()
  fail(refused())
  t.equal(log.length, 2)
})

t.test('a store is told when nobody waits for a write any more', async (t) => {
  let given: AbortSignal | undefined
  const store: DecommissionStore = { ...memoryStore(), async write (_decommission, signal) { given = signal; await new Promise(() => {}) } }
  const subject = new Decommissioning(store, { info () {}, warn () {}, error () {} }, () => {}, 10)
  const written = subject.decommission('OFF')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(given?.aborted, false)
  await t.rejects(written, { code: 'ERR_STORE_FAILED' })
  t.equal(given?.aborted, true)
})
