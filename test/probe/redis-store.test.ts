import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { redisStore, type RedisStoreOptions } from '../../lib/index.js'
import { Decommissioning } from '../../lib/probe/decommissioning.js'
import { redisStoreWith } from '../../lib/probe/redis-store.js'
import { FakeTime, settled } from '../policies/support/fake-time.js'
import { everybody, statusApp, until } from '../support/app.js'
import { FakeConnection, FakeRedis } from './support/fake-redis.js'

const key = 'decommission:shop'
const off: Decommission = { body: 'OFF', since: 1_000, reason: 'new disk' }
const silent = { info () {}, warn () {}, error () {} }

interface Follower {
  readonly store: DecommissionStore
  readonly client: FakeConnection
  readonly heard: Array<Decommission | undefined>
  readonly failures: unknown[]
  readonly open: () => Promise<Decommission | undefined>
}

/** An instance with a client of its own. */
function follower (t: Test, redis: FakeRedis): Follower {
  const client = new FakeConnection(redis)
  const store = redisStore({ client, key })
  const heard: Follower['heard'] = []
  const failures: unknown[] = []
  t.teardown(async () => await store.close())
  return { store, client, heard, failures, open: async () => await store.open((one) => heard.push(one), (error) => failures.push(error)) }
}

t.test('what was written is there for who comes later, and a recommission too', async (t) => {
  const redis = new FakeRedis()
  const first = follower(t, redis)
  t.equal(await first.open(), undefined)
  await first.store.write(off)
  t.strictSame(await follower(t, redis).open(), off)
  t.strictSame(JSON.parse((redis.values.get(key) as string).split('\n')[0]), off)
  await first.store.write(undefined)
  t.equal(await follower(t, redis).open(), undefined)
})

t.test('a change is pushed to all', async (t) => {
  const redis = new FakeRedis()
  const all = Array.from({ length: 4 }, () => follower(t, redis))
  for (const { open } of all) await open()
  const [writer, ...others] = all
  await writer.store.write(off)
  await until(() => others.every(({ heard }) => heard.length === 1), 'all have heard')
  await writer.store.write(undefined)
  await until(() => others.every(({ heard }) => heard.length === 2), 'all have heard of the second')
  for (const { heard } of others) t.strictSame(heard, [off, undefined])
  await settled()
  t.strictSame(writer.heard, [], 'whoever wrote knows')
})

t.test('what was not pushed is found by looking, and at once when the connection is back', async (t) => {
  const time = new FakeTime()
  t.teardown(time.install())
  const redis = new FakeRedis()
  const { heard, open } = follower(t, redis)
  await open()
  await settled()
  redis.values.set(key, JSON.stringify(off))
  await time.advance(5_000)
  t.strictSame(heard, [off])
  redis.values.set(key, 'null')
  redis.reconnect()
  await settled()
  t.strictSame(heard, [off, undefined])
})

t.test('without a subscription it still looks', async (t) => {
  const time = new FakeTime()
  t.teardown(time.install())
  const redis = new FakeRedis()
  redis.failures.subscribe = new Error('NOPERM')
  const { heard, open } = follower(t, redis)
  await open()
  redis.values.set(key, JSON.stringify(off))
  await time.advance(5_000)
  t.strictSame(heard, [off])
})

t.test('a push during a look leads to one more look, which the first may have missed', async (t) => {
  const redis = new FakeRedis()
  const { heard, open, store } = follower(t, redis)
  await open()
  redis.hang()
  redis.publish(`fastify-svc-status:${key}`)
  redis.publish(`fastify-svc-status:${key}`)
  redis.goOn()
  await until(() => redis.commands.filter((name) => name === 'get').length >= 3, 'it has looked twice more')
  t.strictSame(heard, [])
  await store.close()
  redis.publish(`fastify-svc-status:${key}`)
})

t.test('what was read while something was written is not told, for it may be older', async (t) => {
  const redis = new FakeRedis()
  const { heard, open, store } = follower(t, redis)
  await open()
  await store.write(off)
  await settled()
  redis.hang()
  redis.publish(`fastify-svc-status:${key}`)
  const written = store.write({ ...off, body: 'NEWER' })
  redis.goOn()
  await written
  await settled()
  t.strictSame(heard, [])
  t.match(redis.values.get(key), /NEWER/)
})

t.test('while Redis is away what was last known stands, a POST is 503, and all is well afterwards', async (t) => {
  const redis = new FakeRedis()
  const { app, registry } = await statusApp(t, { probeStatus: { auth: everybody, store: redisStore({ client: new FakeConnection(redis), key }) } })
  const post = async (query: string) => (await app.inject({ method: 'POST', url: `/probe_status${query}` })).statusCode
  t.equal(await post('?body=OFF'), 200)
  redis.failures['*'] = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })
  redis.reconnect()
  await until(async () => (await registry.getStatus('decommission_store')).state === 'RED', 'it is RED')
  t.match(await registry.getStatus('decommission_store'), { detail: `the key "${key}" in Redis cannot be read; what was last known stands (Error ECONNREFUSED)` })
  t.equal(await post(''), 503)
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  delete redis.failures['*']
  redis.reconnect()
  await until(async () => (await registry.getStatus('decommission_store')).state === 'OK', 'it is OK')
  t.equal((await app.inject('/probe_status')).body, 'OFF')
  t.equal(await post(''), 200)
})

t.test('an instance that starts while Redis is away is in service, and finds out later', async (t) => {
  const redis = new FakeRedis()
  redis.values.set(key, JSON.stringify(off))
  redis.failures['*'] = new Error('away')
  const { app, registry } = await statusApp(t, { probeStatus: { store: redisStore({ client: new FakeConnection(redis), key }) } })
  t.equal((await app.inject('/probe_status')).body, 'OK')
  t.match(await registry.getStatus('decommission_store'), { state: 'RED' })
  delete redis.failures['*']
  await until(async () => (await app.inject('/probe_status')).body === 'OFF', 'it has found out')
})

t.test('a Redis that hangs and goes on does not carry out what was said to have failed', async (t) => {
  const redis = new FakeRedis()
  const decommissioning = new Decommissioning(redisStore({ client: new FakeConnection(redis), key }), silent, () => {}, 50)
  t.teardown(async () => await decommissioning.close())
  await decommissioning.open()
  redis.hang()
  await t.rejects(decommissioning.decommission('OFF'), { code: 'ERR_STORE_FAILED' })
  redis.goOn()
  await settled()
  t.equal(redis.values.get(key), undefined, 'it hung before the write')
  redis.skew = 86_400_000
  const write = FakeConnection.prototype.eval
  t.teardown(() => { FakeConnection.prototype.eval = write })
  FakeConnection.prototype.eval = async function (...args) {
    redis.skew += 4_001
    return await write.apply(this, args)
  }
  await t.rejects(decommissioning.decommission('OFF'), { code: 'ERR_STORE_FAILED', cause: { message: 'Redis came to it too late' } }, 'it hung in the write, by a clock that is a day ahead')
  t.equal(redis.values.get(key), undefined)
  FakeConnection.prototype.eval = write
  await decommissioning.decommission('OFF')
  t.match(redis.values.get(key), /OFF/)
})

t.test('a write that was carried out, but answered too late, is found by whoever refused it', async (t) => {
  const redis = new FakeRedis()
  redis.failures.subscribe = new Error('NOPERM')
  const client = new FakeConnection(redis)
  const decommissioning = new Decommissioning(redisStore({ client, key }), silent, () => {}, 50)
  t.teardown(async () => await decommissioning.close())
  await decommissioning.open()
  let answer: () => void = () => {}
  const late = new Promise<void>((resolve) => { answer = resolve })
  client.eval = async (...args) => {
    const done = await FakeConnection.prototype.eval.apply(client, args)
    // Nobody looks before.
    redis.failures.get = new Error('hangs')
    await late
    return done
  }
  await t.rejects(decommissioning.decommission('OFF'), { code: 'ERR_STORE_FAILED' })
  delete redis.failures.get
  answer()
  await until(() => decommissioning.body === 'OFF', 'it has found out')
})

t.test('a Redis that hangs is reported, and is looked at again', async (t) => {
  const time = new FakeTime()
  t.teardown(time.install())
  const redis = new FakeRedis()
  const { heard, failures, open } = follower(t, redis)
  await open()
  await settled()
  redis.hang()
  await time.advance(7_000)
  t.match(failures, [{ message: 'timed out after 2000 ms' }])
  redis.goOn()
  await time.advance(5_000)
  t.strictSame(heard, [undefined], 'it is well again')
})

t.test('the time that Redis took to tell its time counts', async (t) => {
  const redis = new FakeRedis()
  const client = new FakeConnection(redis)
  const store = redisStore({ client, key })
  t.teardown(async () => await store.close())
  let passed = 0
  const { now } = performance
  t.teardown(() => { performance.now = now })
  performance.now = () => now.call(performance) + passed
  client.time = async () => {
    const answer = await FakeConnection.prototype.time.call(client)
    passed += 3_900
    return answer
  }
  client.eval = async (...args) => {
    redis.skew += 200
    return await FakeConnection.prototype.eval.apply(client, args)
  }
  await t.rejects(store.write(off), { message: 'Redis came to it too late' })
  t.equal(redis.values.get(key), undefined)
})

t.test('a Redis that lost the key is given it back, unless somebody else has written', async (t) => {
  const redis = new FakeRedis()
  const [one, two] = [follower(t, redis), follower(t, redis)]
  await one.open()
  await two.open()
  await one.store.write(off)
  await until(() => two.heard.length === 1, 'both know')
  redis.values.clear()
  redis.reconnect()
  await until(() => redis.values.has(key), 'it is back')
  await settled()
  t.strictSame([one.heard, two.heard], [[], [off]], 'nobody was put in service meanwhile')
  redis.values.clear()
  redis.commands.length = 0
  const get = FakeConnection.prototype.get
  t.teardown(() => { FakeConnection.prototype.get = get })
  FakeConnection.prototype.get = async function (key) {
    const text = await get.call(this, key)
    if (text === null) redis.values.set(key, '{"body":"OTHER","since":5}')
    return text
  }
  redis.reconnect()
  await until(() => two.heard.length === 2 && one.heard.length === 1, 'both have heard')
  t.match([one.heard[0], two.heard[1]], [{ body: 'OTHER' }, { body: 'OTHER' }])
})

t.test('a Redis that comes back with what it held before is given back the newest that anybody knows', async (t) => {
  const redis = new FakeRedis()
  const [one, two] = [follower(t, redis), follower(t, redis)]
  await one.open()
  await two.open()
  await one.store.write(undefined)
  await until(() => two.heard.length === 1, 'both know')
  const copy = redis.values.get(key) as string
  redis.failures.get = new Error('away')
  await one.store.write(off)
  redis.skew = -86_400_000
  redis.values.set(key, copy)
  await settled()
  delete redis.failures.get
  redis.reconnect()
  await until(() => two.heard.at(-1)?.body === off.body, 'it is back')
  t.notOk(one.heard.includes(undefined), 'from the one that knew it')
  await two.store.write(undefined)
  await until(() => one.heard.includes(undefined), 'and what is written then is newer, also by a clock that is a day behind')
  t.match(redis.values.get(key), /^null\n/)
})

t.test('what somebody sets by hand is newer than what was known', async (t) => {
  const redis = new FakeRedis()
  const { heard, open, store } = follower(t, redis)
  await open()
  await store.write(off)
  redis.values.set(key, 'null')
  redis.reconnect()
  await until(() => heard.length === 1, 'it has heard')
  t.strictSame(heard, [undefined])
  redis.values.clear()
  redis.reconnect()
  await until(() => redis.values.has(key), 'it is given back too')
  t.match(redis.values.get(key), /^null\n\d+$/)
})

t.test('a client that was given is not closed, the connection beside it is', async (t) => {
  const redis = new FakeRedis()
  const { client, open, store } = follower(t, redis)
  await open()
  await until(() => redis.followers === 1, 'it follows')
  await store.close()
  await store.close()
  t.equal(redis.followers, 0)
  t.equal(client.disconnected, 0)
  await redisStore({ client, key }).close()
  t.pass('also one that was never opened')
})

const secret = 's3cret'

/** What ioredis exports, with connections to a fake. */
function fakeIoredis (redis: FakeRedis, made: FakeConnection[], given: Array<{ retryStrategy: (times: number) => number }> = []): unknown {
  return {
    Redis: class extends FakeConnection {
      constructor (_url: string, options: { retryStrategy: (times: number) => number }) {
        super(redis)
        given.push(options)
        made.push(this)
      }
    }
  }
}

t.test('a client of its own goes on trying every second, and is closed', async (t) => {
  const made: FakeConnection[] = []
  const given: Array<{ retryStrategy: (times: number) => number }> = []
  const store = redisStoreWith(() => fakeIoredis(new FakeRedis(), made, given), { url: `rediss://me:${secret}@localhost:6380`, key })
  await store.open(() => {})
  made[0].emit('error')
  t.strictSame([1, 5, 10_000].map((times) => given[0].retryStrategy(times)), [100, 500, 1_000])
  await store.close()
  t.equal(made[0].disconnected, 1)
})

t.test('no error, name or detail holds the password', async (t) => {
  const redis = new FakeRedis()
  redis.failures['*'] = Object.assign(new Error(`ERR unknown command 'auth', with args beginning with: '${secret}'`), { name: 'ReplyError', command: { name: 'auth', args: [secret] } })
  const store = redisStoreWith(() => fakeIoredis(redis, []), { url: `redis://:${secret}@localhost`, key })
  t.teardown(async () => await store.close())
  const failures = [await store.open(() => {}).catch((error: unknown) => error), await store.write(off).catch((error: unknown) => error)]
  for (const failure of failures) {
    t.match(failure, { name: 'ReplyError', message: 'Redis answered ERR' })
    t.notMatch(inspect(failure, { depth: 9, showHidden: true }), secret)
  }
  redis.failures['*'] = Object.assign(new Error('wrong'), { name: 'ReplyError' })
  await t.rejects(store.write(off), { message: 'Redis answered an error' })
  t.notMatch(store.name, secret)
  for (const url of [`http://me:${secret}@localhost`, `redis://me:${secret}@[`, `me:${secret}`]) {
    t.throws(() => redisStore({ url, key }), { code: 'ERR_INVALID_OPTION', message: /^(?!.*s3cret)/ })
  }
})

t.test('without ioredis a url is an error that names what to install', async (t) => {
  const missing = (): never => { throw Object.assign(new Error("Cannot find module 'ioredis'"), { code: 'MODULE_NOT_FOUND' }) }
  t.throws(() => redisStoreWith(missing, { url: 'redis://localhost', key }), { code: 'ERR_PACKAGE_MISSING', message: /npm install ioredis/ })
  t.throws(() => redisStoreWith(() => { throw new Error('broken') }, { url: 'redis://localhost', key }), { message: 'broken' })
  const store = redisStore({ url: 'redis://localhost:1', key })
  t.match(store.name, key, 'with it there is a store, which connects when it is opened')
  await store.close()
})

const wrong: Array<[string, unknown, RegExp]> = [
  ['neither a client nor a url', { key }, /either "client" or "url"/],
  ['both', { key, client: new FakeConnection(new FakeRedis()), url: 'redis://localhost' }, /either "client" or "url"/],
  ['no key', { url: 'redis://localhost' }, /"key" of redisStore\(\) must be a non-empty string/],
  ['an empty key', { url: 'redis://localhost', key: '' }, /"key"/],
  ['a url of another kind', { url: 6379, key }, /must be an address such as redis:/],
  ['a client that is none', { client: {}, key }, /get\(\) of the option "client"/],
  ['a client that is no object', { client: 'redis', key }, /"client" of redisStore\(\) must be an object/]
]

for (const [what, options, message] of wrong) {
  t.test(`redisStore with ${what} is refused`, async (t) => {
    t.throws(() => redisStore(options as RedisStoreOptions), { code: 'ERR_INVALID_OPTION', message })
  })
}

t.test('an unknown option is refused', async (t) => {
  t.throws(() => redisStore({ url: 'redis://localhost', key, ttl: 5 } as RedisStoreOptions), { code: 'ERR_UNKNOWN_OPTION', message: /"ttl"/ })
})
