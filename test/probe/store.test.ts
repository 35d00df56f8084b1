import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { everybody, logLines, statusApp, until, type LogLine, type StatusApp } from '../support/app.js'

interface FakeStore extends DecommissionStore {
  stored: Decommission | undefined
  closed: number
  change: (decommission: Decommission | undefined) => void
}

/** A store that can fail on demand and push changes, as one does that other processes write to. */
function fakeStore (failing: { open?: Error, write?: Error, close?: Error } = {}, stored?: Decommission): FakeStore {
  return {
    name: 'fake',
    stored,
    closed: 0,
    change: () => {},
    async open (onChange) {
      this.change = onChange
      if (failing.open !== undefined) throw failing.open
      return this.stored
    },
    async write (decommission) {
      if (failing.write !== undefined) throw failing.write
      this.stored = decommission
    },
    async close () {
      this.closed++
      if (failing.close !== undefined) throw failing.close
    }
  }
}

async function appWith (t: Test, store: DecommissionStore): Promise<StatusApp & { lines: LogLine[] }> {
  const { lines, stream } = logLines()
  const made = await statusApp(t, { probeStatus: { auth: everybody, store } }, { logger: { level: 'info', stream } })
  return { ...made, lines }
}

const off: Decommission = { body: 'OFF', since: 1_000 }

t.test('what is stored stands from the start', async (t) => {
  const { app, registry } = await appWith(t, fakeStore({}, off))
  const reply = await app.inject('/probe_status')
  t.equal(reply.statusCode, 503)
  t.equal(reply.body, 'OFF')
  t.strictSame(app.svcStatus.decommissioned, off)
  t.match(await registry.getStatus('decommission_store'), { state: 'OK', detail: 'fake' })
})

t.test('a decommission is stored before it is acknowledged', async (t) => {
  const store = fakeStore()
  let stored: () => void = () => {}
  const written = new Promise<void>((resolve) => { stored = resolve })
  store.write = async (decommission) => { await written; store.stored = decommission }
  const { app } = await appWith(t, store)
  const reply = app.inject({ method: 'POST', url: '/probe_status?body=OFF' })
  t.equal((await app.inject('/probe_status')).statusCode, 200)
  stored()
  t.equal((await reply).statusCode, 200)
  t.equal(store.stored?.body, 'OFF')
  t.equal((await app.inject('/probe_status')).statusCode, 503)
})

t.test('of two changes at once, the one that is stored last is the one that holds', async (t) => {
  const store = fakeStore()
  const begun: string[] = []
  const writes: Array<{ resolve: () => void, reject: (error: Error) => void }> = []
  store.write = async (decommission) => {
    begun.push(decommission?.body ?? 'OK')
    await new Promise<void>((resolve, reject) => writes.push({ resolve, reject }))
    store.stored = decommission
  }
  const { app } = await appWith(t, store)
  const first = app.svcStatus.decommission('A')
  const second = app.svcStatus.recommission()
  const third = app.svcStatus.decommission('B')
  await until(() => begun.length === 1, 'the first is written')
  writes[0].resolve()
  await first
  t.equal((await app.inject('/probe_status')).body, 'A')
  await until(() => begun.length === 2, 'the second is written')
  t.strictSame(begun, ['A', 'OK'], 'and the third waits for it')
  writes[1].reject(new Error('disk full'))
  await t.rejects(second, { code: 'ERR_STORE_FAILED' })
  t.equal((await app.inject('/probe_status')).body, 'A')
  await until(() => begun.length === 3, 'the third is written all the same')
  writes[2].resolve()
  await third
  t.equal((await app.inject('/probe_status')).body, 'B')
  t.equal(store.stored?.body, 'B')
})

t.test('while the store cannot be read the instance is in service, and a RED handler says so', async (t) => {
  const { app, registry, lines } = await appWith(t, fakeStore({ open: new Error('connection refused by redis://user:secret@host') }, off))
  t.equal((await app.inject('/probe_status')).statusCode, 200)
  const status = await registry.getStatus('decommission_store')
  t.match(status, { state: 'RED', detail: /^fake cannot be read/ })
  t.notMatch(status.detail, /secret/)
  const snapshot = await registry.snapshot()
  t.equal(snapshot.state, 'YELLOW', 'the rest of the service works')
  t.match(lines.filter(({ level }) => level >= 50), [{ store: 'fake', msg: /cannot be read/, err: { message: /connection refused/ } }])
})

t.test('what cannot be stored is answered with 503, and nothing was changed', async (t) => {
  const failing: { write?: Error } = { write: new Error('disk full') }
  const store = fakeStore(failing)
  const { app, lines } = await appWith(t, store)
  const refused = await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })
  t.equal(refused.statusCode, 503)
  t.match(refused.json(), { code: 'ERR_STORE_FAILED', message: /fake failed; nothing was changed/ })
  t.equal(refused.headers['cache-control'], 'no-store')
  t.equal((await app.inject('/probe_status')).statusCode, 200)
  t.ok(lines.some(({ err, msg }) => /could not be stored/.test(msg) && /disk full/.test((err as Error).message)))
  await t.rejects(app.svcStatus.decommission(), { code: 'ERR_STORE_FAILED', cause: { message: 'disk full' } })
  t.equal(app.svcStatus.decommissioned, undefined)

  delete failing.write
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 200)
  failing.write = new Error('disk full')
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OK' })).statusCode, 503)
  t.equal((await app.inject('/probe_status')).body, 'OFF', 'a recommission that is not stored is none')
})

t.test('a store that throws instead of rejecting is treated alike', async (t) => {
  const store: DecommissionStore = {
    name: 'rude',
    open () { throw new Error('open') },
    write () { throw new Error('write') },
    close () { throw new Error('close') }
  }
  const { app, registry, lines } = await appWith(t, store)
  t.match(await registry.getStatus('decommission_store'), { state: 'RED' })
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 503)
  await app.close()
  t.ok(lines.some(({ msg }) => /did not close/.test(msg)))
})

t.test('a change that another process made is answered at once', async (t) => {
  const store = fakeStore()
  const { app } = await appWith(t, store)
  store.change(off)
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  t.strictSame(app.svcStatus.decommissioned, off)
  t.match((await app.inject('/svc_status.prometheus')).body, '\nsvc_status_decommissioned 1\n')
  store.change({ body: 'OTHER', since: 2_000 })
  t.equal((await app.inject('/probe_status')).body, 'OTHER')
  store.change(undefined)
  t.equal((await app.inject('/probe_status')).statusCode, 200)
})

t.test('a store is closed once with its app, and a failure then is logged', async (t) => {
  const store = fakeStore({ close: new Error('already gone') })
  const { app, lines, registry } = await appWith(t, store)
  await app.close()
  t.equal(store.closed, 1)
  t.ok(lines.some(({ level, err, msg }) => level === 40 && /did not close/.test(msg) && /already gone/.test((err as Error).message)))
  t.equal(registry.has('decommission_store'), false)
})

t.test('without a store option there is no handler for it', async (t) => {
  const { registry } = await statusApp(t)
  t.equal(registry.has('decommission_store'), false)
})

t.test('a decommission in memory ends with the process, and not with another app of it', async (t) => {
  const { app } = await statusApp(t)
  const { app: other } = await statusApp(t)
  await app.svcStatus.decommission()
  t.equal((await app.inject('/probe_status')).statusCode, 503)
  t.equal((await other.inject('/probe_status')).statusCode, 200)
})

t.test('two apps share a store that tells both', async (t) => {
  const listeners = new Set<(decommission: Decommission | undefined) => void>()
  const shared = (): DecommissionStore => ({
    name: 'shared',
    async open (onChange) { listeners.add(onChange); return undefined },
    async write (decommission) { for (const listener of listeners) listener(decommission) },
    async close () {}
  })
  const apps = [Fastify(), Fastify()]
  t.teardown(async () => await Promise.all(apps.map(async (app) => await app.close())))
  for (const app of apps) await app.register(statusPlugin, { registry: new StatusRegistry(), probeStatus: { store: shared() } })
  await apps[0].svcStatus.decommission('FLEET')
  for (const app of apps) t.equal((await app.inject('/probe_status')).body, 'FLEET')
})

t.test('decommissioning is logged, at info', async (t) => {
  const { app, lines } = await appWith(t, fakeStore())
  await app.svcStatus.decommission('OFF')
  await app.svcStatus.recommission()
  t.strictSame(lines.map(({ level, msg }) => [level, msg]), [[30, 'decommissioned: OFF'], [30, 'recommissioned']])
})
