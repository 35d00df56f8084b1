import t from 'tap'
import { Decommissioning } from '../../lib/probe/decommissioning.js'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'

const silent = { info () {}, warn () {}, error () {} }

function hangingStore (): { store: DecommissionStore, answer: (decommission: Decommission) => void, refuse: (error: Error) => void } {
  let answer: (decommission: Decommission) => void = () => {}
  let refuse: (error: Error) => void = () => {}
  const opened = new Promise<Decommission>((resolve, reject) => { answer = resolve; refuse = reject })
  const hang = async (): Promise<void> => await new Promise(() => {})
  return { store: { name: 'hangs', open: async () => await opened, write: hang, close: hang }, answer, refuse }
}

t.test('a store that does not answer in time leaves the instance in service, and RED until it answers', async (t) => {
  const { store, answer } = hangingStore()
  const changes: boolean[] = []
  const decommissioning = new Decommissioning(store, silent, (outOfService) => changes.push(outOfService), 10)
  await decommissioning.open()
  t.equal(decommissioning.body, undefined)
  t.match(decommissioning.getStatus(), { state: 'RED', detail: /hangs cannot be read; this instance is in service/ })
  answer({ body: 'OFF', since: 1_000 })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(decommissioning.body, 'OFF', 'what it says late holds from then on')
  t.match(decommissioning.getStatus(), { state: 'OK' })
  t.strictSame(changes, [true])
})

t.test('a store that fails late is no unhandled rejection', async (t) => {
  const { store, refuse } = hangingStore()
  const decommissioning = new Decommissioning(store, silent, () => {}, 10)
  await decommissioning.open()
  refuse(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
  t.match(decommissioning.getStatus(), { state: 'RED' })
})

t.test('a write that hangs is refused in time, and so is each one after it; a close that hangs holds up nobody', async (t) => {
  const { store } = hangingStore()
  const decommissioning = new Decommissioning(store, silent, () => {}, 10)
  const writes = [decommissioning.decommission('OFF'), decommissioning.recommission()]
  for (const write of writes) await t.rejects(write, { code: 'ERR_STORE_FAILED', statusCode: 503 })
  t.equal(decommissioning.body, undefined)
  await decommissioning.close()
})
