import Fastify from 'fastify'
import t from 'tap'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { Decommissioning } from '../../lib/probe/decommissioning.js'
import { everybody, statusApp } from '../support/app.js'

function away (): DecommissionStore & { change: (decommission: Decommission | undefined) => void } {
  return {
    name: 'fake',
    change: () => {},
    async open (onChange) { this.change = onChange; throw new Error('away') },
    async write () {},
    async close () {}
  }
}

t.test('a store that answers again is not said to be away', async (t) => {
  for (const answers of ['writes', 'tells'] as const) {
    const store = away()
    const { app, registry } = await statusApp(t, { probeStatus: { auth: everybody, store } })
    t.equal((await registry.getStatus('decommission_store')).state, 'RED')
    if (answers === 'writes') await app.svcStatus.decommission('OFF')
    else store.change({ body: 'OFF', since: 1 })
    t.equal((await app.inject('/probe_status')).statusCode, 503)
    const { state, detail } = await registry.getStatus('decommission_store')
    t.equal(state, 'OK', answers)
    t.notMatch(detail, /in service/)
  }
})

t.test('a store that never answers does not keep the app from its start', async (t) => {
  const registry = new StatusRegistry()
  const app = Fastify({ pluginTimeout: 8_000 })
  t.teardown(async () => await app.close())
  app.register(statusPlugin, { registry, probeStatus: { store: { ...away(), open: async () => await new Promise<undefined>(() => {}) } } })
  await app.ready()
  t.equal((await app.inject('/probe_status')).statusCode, 200)
  t.equal((await registry.getStatus('decommission_store')).state, 'RED')
})

t.test('a change that a store tells after the close attaches no listener', async (t) => {
  const store: ReturnType<typeof away> = { ...away(), async open (onChange) { this.change = onChange; return undefined } }
  const { app } = await statusApp(t, { probeStatus: { auth: everybody, store } })
  await app.ready()
  const before = app.server.listenerCount('request')
  await app.close()
  store.change({ body: 'OFF', since: 1 })
  t.equal(app.server.listenerCount('request'), before)
})

t.test('what a slow store answers at last does not undo what was stored since', async (t) => {
  let answer: (decommission: Decommission | undefined) => void = () => {}
  const store = { ...away(), open: async () => await new Promise<Decommission | undefined>((resolve) => { answer = resolve }) }
  const subject = new Decommissioning(store, { info () {}, warn () {}, error () {} }, () => {}, 10)
  await subject.open()
  await subject.decommission('OFF')
  answer(undefined)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(subject.body, 'OFF')
})
