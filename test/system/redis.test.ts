import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import type { DecommissionStore } from '../../types/decommission.js'
import { redisStore, statusPlugin, StatusRegistry } from '../../lib/index.js'
import { RedisServer } from './support/redis.js'
import { until } from './support/until.js'

type Tap = Parameters<typeof RedisServer.start>[0]

const key = 'decommission:shop'

interface Instance {
  readonly app: FastifyInstance
  readonly log: string[]
  readonly probe: () => Promise<string>
  readonly post: (query: string) => Promise<number>
  readonly storeState: () => Promise<string>
}

async function instance (t: Tap, store: DecommissionStore): Promise<Instance> {
  const log: string[] = []
  const registry = new StatusRegistry()
  const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => { log.push(line) } } } })
  t.teardown(async () => await app.close())
  await app.register(statusPlugin, { registry, probeStatus: { auth: () => true, store } })
  return {
    app,
    log,
    probe: async () => (await app.inject('/probe_status')).body,
    post: async (query) => (await app.inject({ method: 'POST', url: `/probe_status${query}` })).statusCode,
    storeState: async () => (await registry.getStatus('decommission_store')).state
  }
}

const everywhere = async (instances: Instance[], body: string): Promise<number> => {
  const begun = performance.now()
  await until(`all answer ${body}`, async () => (await Promise.all(instances.map(async ({ probe }) => await probe()))).every((one) => one === body), { every: 5 })
  return performance.now() - begun
}

t.test('three instances share a decommission within a second, by clients of their own and by a client of the app', async (t) => {
  const redis = await RedisServer.start(t)
  const client = new Redis(redis.url, { keyPrefix: 'ours:' })
  t.teardown(async () => { client.disconnect() })
  const instances = [await instance(t, redisStore({ client, key })), await instance(t, redisStore({ client, key })), await instance(t, redisStore({ url: redis.url, key: `ours:${key}` }))]
  const took: number[] = []
  for (const [index, query] of ['?body=OFF&for=1h&reason=test', '', '?body=OTHER'].entries()) {
    t.equal(await instances[index % 2].post(query), 200)
    took.push(await everywhere(instances.slice(0, 2), ['OFF', 'OK', 'OTHER'][index]))
  }
  for (const one of took) t.ok(one < 1_000, `${one.toFixed(1)} ms`)
  await everywhere(instances, 'OTHER')
  t.pass('the one that cannot be pushed to, for its key is another, finds out by looking')
  const late = await instance(t, redisStore({ url: redis.url, key: `ours:${key}` }))
  t.equal(await late.probe(), 'OTHER')
  await Promise.all(instances.map(async ({ app }) => await app.close()))
  t.equal(await client.ping(), 'PONG', 'the client of the app is the app\'s')
  t.comment(`pushed to all after ${took.map((one) => one.toFixed(1)).join(', ')} ms`)
})

t.test('changes are pushed also where the client of the app waits for no connection and does not subscribe again', async (t) => {
  const redis = await RedisServer.start(t)
  const client = new Redis(redis.url, { enableOfflineQueue: false, autoResubscribe: false })
  t.teardown(async () => { client.disconnect() })
  client.on('error', () => {})
  await until('the client is connected', () => client.status === 'ready')
  const instances = [await instance(t, redisStore({ client, key })), await instance(t, redisStore({ url: redis.url, key }))]
  const took: number[] = []
  const post = async (body: string): Promise<void> => {
    // The connection that hears of it may not be back as soon as the one that asks.
    await until('all follow', async () => (await admin.pubsub('NUMSUB', `fastify-svc-status:${key}`))[1] === 2)
    t.equal(await instances[1].post(`?body=${body}`), 200)
    took.push(await everywhere(instances, body))
  }
  const admin = new Redis(redis.url)
  t.teardown(async () => { admin.disconnect() })
  admin.on('error', () => {})
  await post('OFF')
  await redis.kill()
  await redis.start()
  await until('both can write', async () => (await Promise.all(instances.map(async ({ post }) => await post('?body=BACK')))).every((status) => status === 200))
  await post('OTHER')
  for (const one of took) t.ok(one < 1_000, `${one.toFixed(1)} ms`)
})

for (const keeps of [true, false]) {
  t.test(`a Redis that is killed and comes back ${keeps ? 'with' : 'without'} what it held changes nothing`, async (t) => {
    const redis = await RedisServer.start(t, { keeps })
    const instances = [await instance(t, redisStore({ url: redis.url, key })), await instance(t, redisStore({ url: redis.url, key }))]
    t.equal(await instances[0].post('?body=OFF'), 200)
    await everywhere(instances, 'OFF')
    await redis.kill()
    t.equal(await instances[0].post(''), 503)
    await until('both show it', async () => (await Promise.all(instances.map(async ({ storeState }) => await storeState()))).every((state) => state === 'RED'))
    for (const { probe } of instances) t.equal(await probe(), 'OFF')
    const late = await instance(t, redisStore({ url: redis.url, key }))
    t.equal(await late.probe(), 'OK', 'who starts now is in service')
    t.equal(await late.storeState(), 'RED')
    await redis.start()
    instances.push(late)
    await everywhere(instances, 'OFF')
    await until('all are well', async () => (await Promise.all(instances.map(async ({ storeState }) => await storeState()))).every((state) => state === 'OK'))
    t.equal(await late.post(''), 200)
    t.ok(await everywhere(instances, 'OK') < 1_000)
    for (const { log } of instances) t.notMatch(log.join(''), /system-test/, 'the password is in no log')
  })
}

t.test('a Redis that is killed and started from an older copy is told what it was last told', async (t) => {
  const redis = await RedisServer.start(t, { keeps: false })
  const instances = [await instance(t, redisStore({ url: redis.url, key })), await instance(t, redisStore({ url: redis.url, key }))]
  const admin = new Redis(redis.url)
  t.teardown(async () => { admin.disconnect() })
  admin.on('error', () => {})
  t.equal(await instances[0].post(''), 200)
  await admin.save()
  t.equal(await instances[0].post('?body=OFF'), 200)
  await everywhere(instances, 'OFF')
  await redis.kill()
  await redis.start()
  await until('it has it', async () => (await admin.get(key))?.startsWith('{"body":"OFF"'))
  await until('all are well', async () => (await Promise.all(instances.map(async ({ storeState }) => await storeState()))).every((state) => state === 'OK'))
  for (const { probe, log } of instances) {
    t.equal(await probe(), 'OFF')
    t.notMatch(log.join(''), /recommissioned.*recommissioned/s)
  }
  t.equal(await (await instance(t, redisStore({ url: redis.url, key }))).probe(), 'OFF')
})

t.test('a Redis that hangs refuses in time, and does not carry it out when it goes on', async (t) => {
  const redis = await RedisServer.start(t)
  const instances = [await instance(t, redisStore({ url: redis.url, key })), await instance(t, redisStore({ url: redis.url, key }))]
  redis.signal('SIGSTOP')
  t.teardown(async () => redis.signal('SIGCONT'))
  const begun = performance.now()
  t.equal(await instances[0].post('?body=OFF'), 503)
  t.ok(performance.now() - begun < 6_000)
  redis.signal('SIGCONT')
  await until('all are well', async () => (await Promise.all(instances.map(async ({ storeState }) => await storeState()))).every((state) => state === 'OK'))
  for (const { probe } of instances) t.equal(await probe(), 'OK')
  const client = new Redis(redis.url)
  t.teardown(async () => { client.disconnect() })
  t.equal(await client.get(key), null)
})

t.test('a wrong password is reported, and shown nowhere', async (t) => {
  const redis = await RedisServer.start(t)
  const { log, storeState, post } = await instance(t, redisStore({ url: redis.url.replace('system-test', 's3cret'), key }))
  t.equal(await storeState(), 'RED')
  t.equal(await post('?body=OFF'), 503)
  t.notMatch(log.join(''), /s3cret/)
})

t.test('a user of Redis who may set the key and not tell of it is refused, and nothing is changed', async (t) => {
  const redis = await RedisServer.start(t)
  const admin = new Redis(redis.url)
  t.teardown(async () => { admin.disconnect() })
  // Without a word about channels: a user may use none.
  await admin.call('ACL', 'SETUSER', 'shop', 'on', '>shop', `~${key}`, '+get', '+time', '+eval', '+set', '+publish', '+subscribe', '+info')
  const { post, probe } = await instance(t, redisStore({ url: redis.url.replace(':system-test', 'shop:shop'), key }))
  t.equal(await post('?body=OFF'), 503)
  t.equal(await admin.get(key), null)
  t.equal(await probe(), 'OK')
  await admin.call('ACL', 'SETUSER', 'shop', `&fastify-svc-status:${key}`)
  t.equal(await post('?body=OFF'), 200)
})
