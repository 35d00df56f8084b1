import t from 'tap'
import { freePort } from '../support/free-port.js'
import { HAProxy } from './support/haproxy.js'
import { Instance } from './support/instances.js'
import { Load } from './support/load.js'
import { until } from './support/until.js'

const names = ['one', 'two']

for (const { how, drainDelay, reuse } of [
  { how: 'decommissioned and then stopped', drainDelay: 200, reuse: 'safe' },
  { how: 'decommissioned and then stopped at once', drainDelay: 0, reuse: 'always' },
  { how: 'only drained', drainDelay: 2_000, reuse: 'always' }
]) {
  t.test(`no request fails while each of two instances is ${how} and started again (http-reuse ${reuse})`, async (t) => {
    const ports = [await freePort(), await freePort()]
    const instances = names.map((name, index) => new Instance(t, name, ports[index], drainDelay))
    await Promise.all(instances.map(async (instance) => await instance.start()))
    const haproxy = await HAProxy.start(t, { one: ports[0], two: ports[1] }, reuse)
    for (const name of names) await haproxy.shows(name, 'UP')

    const load = new Load(haproxy.origin, 16)
    t.teardown(async () => await load.stop())
    const servedByAll = async (): Promise<void> => {
      const before = names.map((name) => load.byInstance[name] ?? 0)
      await until('each instance has served some hundred requests more', () => names.every((name, index) => load.byInstance[name] > before[index] + 300))
    }
    await servedByAll()
    for (const [index, instance] of instances.entries()) {
      if (how !== 'only drained') {
        t.equal(await instance.post('?body=OFF'), 200)
        await haproxy.shows(names[index], 'DOWN')
      }
      await instance.stop()
      await haproxy.shows(names[index], 'DOWN')
      await instance.start()
      await haproxy.shows(names[index], 'UP')
      await servedByAll()
    }
    await load.stop()

    t.same(load.failures, [])
    t.ok(load.total > 2_000, `${load.total} requests`)
    t.equal(load.connections, 16, 'every client kept its one connection')
    t.equal(await haproxy.sum('econ'), 0, 'no connection to an instance failed')
    t.equal(await haproxy.sum('eresp'), 0, 'no reply of an instance failed')
    t.equal(await haproxy.sum('wretr'), 0, 'nothing was tried twice')
    t.comment(`${load.total} requests, ${load.failures.length} failed, ${JSON.stringify(load.byInstance)}; HAProxy opened ${await haproxy.sum('connect')} connections and reused them ${await haproxy.sum('reuse')} times`)
  })
}

t.test('an instance that was decommissioned and recommissioned serves again, and no request fails', async (t) => {
  const ports = [await freePort(), await freePort()]
  const instances = names.map((name, index) => new Instance(t, name, ports[index], 0))
  await Promise.all(instances.map(async (instance) => await instance.start()))
  const haproxy = await HAProxy.start(t, { one: ports[0], two: ports[1] }, 'safe')
  for (const name of names) await haproxy.shows(name, 'UP')
  const load = new Load(haproxy.origin, 16)
  t.teardown(async () => await load.stop())

  await instances[0].post('?body=OFF')
  await haproxy.shows('one', 'DOWN')
  const before = load.byInstance.one
  const total = load.total
  await until('the other has served some hundred requests', () => load.total > total + 500)
  t.ok(load.byInstance.one - before <= 16, 'it served no more than what was under way')
  await instances[0].post('')
  await haproxy.shows('one', 'UP')
  await until('it serves again', () => load.byInstance.one > before + 300)
  await load.stop()
  t.same(load.failures, [])
  t.comment(`${load.total} requests`)
})
