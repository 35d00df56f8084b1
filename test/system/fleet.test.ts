import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.js'
import { HAProxy } from './support/haproxy.js'
import { Instance } from './support/instances.js'
import { Load } from './support/load.js'
import { startNginx } from './support/nginx.js'
import { RedisServer } from './support/redis.js'
import { until } from './support/until.js'

const names = ['one', 'two', 'three']
const clients = 64
const least = 100_000

interface Fleet {
  readonly instances: Instance[]
  readonly ports: number[]
  readonly redis: RedisServer
}

async function startFleet (t: Test): Promise<Fleet> {
  const redis = await RedisServer.start(t)
  const ports = await Promise.all(names.map(async () => await freePort()))
  const instances = names.map((name, index) => new Instance(t, name, ports[index], 1_000, { REDIS: redis.url }))
  await Promise.all(instances.map(async (instance) => await instance.start()))
  return { instances, ports, redis }
}

interface Roll {
  readonly shows: (name: string, status: 'UP' | 'DOWN') => Promise<void>
  readonly load: Load
}

/** Restarts all three, one after the other: the second while Redis is away, since it was killed under load. */
async function roll (t: Test, { instances, redis }: Fleet, { shows, load }: Roll): Promise<void> {
  const servedByAll = async (): Promise<void> => {
    const before = names.map((name) => load.byInstance[name] ?? 0)
    await until('each instance has served some hundred requests more', () => names.every((name, index) => load.byInstance[name] > before[index] + 300), { within: 60_000 })
  }
  await servedByAll()
  for (const [index, instance] of instances.entries()) {
    const away = index === 1
    if (away) await redis.kill()
    t.equal(await instance.post('?body=OFF&for=10m&reason=new%20release'), away ? 503 : 200, `${names[index]} is decommissioned${away ? ', but for Redis' : ''}`)
    if (!away) await shows(names[index], 'DOWN')
    // Where it could not be decommissioned, the drain does it.
    await instance.stop()
    await shows(names[index], 'DOWN')
    await instance.start()
    if (away) await redis.start()
    else t.equal(await instance.post('?body=OK'), 200, `${names[index]} is back`)
    await shows(names[index], 'UP')
    await servedByAll()
  }
}

async function enough (t: Test, load: Load): Promise<void> {
  await until(`${least} requests`, () => load.total >= least, { within: 240_000 })
  await load.stop()
  t.same(load.failures, [])
  t.ok(load.total >= least, `${load.total} requests`)
  t.comment(`${load.total} requests of ${clients} clients, ${load.failures.length} failed, ${JSON.stringify(load.byInstance)}`)
}

t.test('no request fails behind HAProxy while three instances are restarted one after the other and Redis is killed', async (t) => {
  const fleet = await startFleet(t)
  const haproxy = await HAProxy.start(t, Object.fromEntries(names.map((name, index) => [name, fleet.ports[index]])), 'safe')
  for (const name of names) await haproxy.shows(name, 'UP')
  const load = new Load(haproxy.origin, clients)
  t.teardown(async () => await load.stop())
  await roll(t, fleet, { load, shows: async (name, status) => await haproxy.shows(name, status) })
  await enough(t, load)
  t.equal(await haproxy.sum('wretr'), 0, 'nothing was tried twice')
  t.equal(load.connections, clients, 'every client kept its one connection')
})

t.test('no request fails behind nginx while three instances are restarted one after the other and Redis is killed', async (t) => {
  const fleet = await startFleet(t)
  const load = new Load(await startNginx(t, fleet.ports), clients)
  t.teardown(async () => await load.stop())
  // It asks no probe: there is nothing to wait for.
  await roll(t, fleet, { load, shows: async () => {} })
  await enough(t, load)
  t.equal(load.connections, clients, 'every client kept its one connection')
})
