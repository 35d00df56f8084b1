import { createRequire } from 'node:module'
import type { DecommissionStore, RedisClient, RedisStoreOptions, RedisSubscriber } from '../../types/decommission.js'
import { codedError } from '../core/errors.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { within } from '../core/within.js'
import { toText } from './decommission.js'
import { StoreWatch } from './store-watch.js'

/** From one look to the next, in milliseconds: for changes that Redis could not tell of. */
const interval = 5_000

/** How long a look may take, in milliseconds. */
const longestRead = 2_000

/** How long after its beginning a write may still be carried out, in milliseconds: before whoever waits is told that nothing was. */
const longestWrite = 4_000

/**
 * Sets the key and tells of it, unless it is too late by the clock of Redis: a command that waited in a queue, of the client
 * or of a Redis that hung, must not take effect when everybody was told that it failed. It tells first: a script that may not
 * publish ends there, and what it has done until then is not undone. Nobody looks before its end.
 *
 * Behind the text, on a line of its own, stands when it was written, in microseconds and always after what was there or was
 * known. By that a Redis is found out that was started from an older copy: what is given back replaces what is older only.
 */
const set = `
local now = redis.call('TIME')
local micros = tonumber(now[1]) * 1000000 + tonumber(now[2])
if micros / 1000 > tonumber(ARGV[1]) then return false end
local there = redis.call('GET', KEYS[1])
local written = there and tonumber(string.match(there, '\\n(%d+)$'))
local known = tonumber(ARGV[3])
if ARGV[5] == 'back' then
  if there and (not written or written >= known) then return ARGV[3] end
else
  known = math.max(micros, known + 1, (written or 0) + 1)
end
local stamp = string.format('%.0f', known)
redis.call('PUBLISH', ARGV[4], '')
redis.call('SET', KEYS[1], ARGV[2] .. '\\n' .. stamp)
return stamp
`

/** What is in Redis, or was. */
interface Kept {
  readonly text: string
  /** When it was written, as the script says it. */
  readonly at: number
}

type OwnClient = RedisClient & RedisSubscriber

/** What loads ioredis; a test may have none. */
export type Load = () => unknown

const require = createRequire(import.meta.url)

/**
 * Keeps a decommission in Redis: all that have the same key share it. A change is pushed to everybody.
 *
 * While Redis is away, what was last known stands. Where Redis comes back without the key or with what it held before, because
 * it keeps nothing on disk, or seldom, or had to evict it, an instance that knows what was there puts it back.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION; ERR_PACKAGE_MISSING where a `url` is given and ioredis is not installed
 * @example
 * await fastify.register(statusPlugin, { probeStatus: { store: redisStore({ url: 'redis://localhost', key: 'decommission:myservice' }) } })
 */
export function redisStore (options: RedisStoreOptions): DecommissionStore {
  return redisStoreWith(() => require('ioredis'), options)
}

/** The same with an ioredis of one's own. */
export function redisStoreWith (load: Load, options: RedisStoreOptions): DecommissionStore {
  const { client, url, key } = knownOptions(options, ['client', 'url', 'key'], 'redisStore()')
  if (typeof key !== 'string' || key === '') throw invalid('the option "key" of redisStore()', 'a non-empty string', key)
  if ((client === undefined) === (url === undefined)) {
    throw codedError('ERR_INVALID_OPTION', 'redisStore() takes either "client" or "url"')
  }
  if (client !== undefined) return storeOf(new RedisKey(client, key), () => {})
  const own = connect(load, url)
  return storeOf(new RedisKey(own, key), () => own.disconnect())
}

function storeOf (redis: RedisKey, disconnect: () => void): DecommissionStore {
  const watch = new StoreWatch(() => redis.read(), interval)
  let closed = false
  return {
    name: redis.name,
    async open (...listeners) {
      redis.follow(() => watch.soon())
      return await watch.open(...listeners)
    },
    async write (decommission, signal) {
      const text = toText(decommission)
      await watch.writing(text, () => redis.write(text, signal))
    },
    async close () {
      if (closed) return
      closed = true
      watch.close()
      redis.unfollow()
      disconnect()
    }
  }
}

class RedisKey {
  readonly name: string
  readonly #client: RedisClient
  readonly #key: string
  #subscriber: RedisSubscriber | undefined
  /** What was last there. */
  #kept: Kept | undefined

  constructor (client: RedisClient, key: string) {
    ofKind(client, 'object', 'the option "client" of redisStore()')
    for (const method of ['get', 'time', 'eval', 'duplicate'] as const) {
      ofKind(client[method] ?? null, 'function', `${method}() of the option "client" of redisStore()`)
    }
    this.name = `the key ${JSON.stringify(key)} in Redis`
    this.#client = client
    this.#key = key
  }

  /** @param onChange hears of each change, and of each moment after which one may have been missed */
  follow (onChange: () => void): void {
    const subscriber = this.#client.duplicate({ ...lasting, ...subscribing })
    this.#subscriber = subscriber
    // ioredis prints what nobody listens to. Whether Redis can be reached is found out by reading.
    subscriber.on('error', () => {})
    subscriber.on('ready', onChange)
    subscriber.on('message', onChange)
    subscriber.subscribe(this.#channel).then(onChange, () => {})
  }

  unfollow (): void {
    this.#subscriber?.disconnect()
  }

  async read (): Promise<string | undefined> {
    return await speaking(within(longestRead, this.#read()))
  }

  async #read (): Promise<string | undefined> {
    let found = this.#keptOf(await this.#client.get(this.#key))
    const kept = this.#kept
    if (kept !== undefined && (found === undefined || found.at < kept.at)) {
      await this.#set(kept, performance.now(), 'back')
      found = this.#keptOf(await this.#client.get(this.#key))
    }
    this.#kept = found
    return found?.text
  }

  /** What has no time behind it was set by hand, and is no older than what is known. */
  #keptOf (value: string | null): Kept | undefined {
    if (value === null) return undefined
    const [, text, at] = /^([^]*)\n(\d+)$/.exec(value) ?? [undefined, value, this.#kept?.at ?? 0]
    return { text, at: Number(at) }
  }

  async write (text: string, signal: AbortSignal | undefined): Promise<void> {
    const at = await speaking(this.#set({ text, at: this.#kept?.at ?? 0 }, performance.now(), 'new', signal))
    this.#kept = { text, at }
    // Carried out in time, but told too late: nobody was told of it here, so the next look has to.
    signal?.throwIfAborted()
  }

  /** @returns when it was written: for what is new, after what is known */
  async #set ({ text, at: known }: Kept, begun: number, what: 'new' | 'back', signal?: AbortSignal): Promise<number> {
    // Where Redis is away or hangs, it is here that one waits in vain.
    const [seconds, microseconds] = (await this.#client.time()).map(Number)
    signal?.throwIfAborted()
    const left = longestWrite - (performance.now() - begun)
    const latest = seconds * 1_000 + microseconds / 1_000 + left
    const at = await this.#client.eval(set, 1, this.#key, String(latest), text, String(known), this.#channel, what)
    if (at === null) throw new Error('Redis came to it too late')
    return Number(at)
  }

  /** Not the key, to which a client may put a prefix of its own. */
  get #channel (): string {
    return `fastify-svc-status:${this.#key}`
  }
}

/** For a client of ours: it goes on trying, and says soon that it could not. */
const lasting = { retryStrategy: (times: number) => Math.min(times * 100, 1_000), connectTimeout: 2_000 }

/** For the connection beside it: it subscribes as soon as it can, and again after each break, whatever the app wants of its client. */
const subscribing = { maxRetriesPerRequest: null, lazyConnect: false, enableOfflineQueue: true, autoResubscribe: true, autoResendUnfulfilledCommands: true, commandTimeout: undefined }

function connect (load: Load, url: unknown): OwnClient {
  // What came is not shown: it holds a password.
  if (typeof url !== 'string' || !URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw codedError('ERR_INVALID_OPTION', 'the option "url" of redisStore() must be an address such as redis://localhost:6379 or rediss://…')
  }
  let ioredis
  try {
    ioredis = load() as { Redis: new (url: string, options: object) => OwnClient }
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause
    throw codedError('ERR_PACKAGE_MISSING', 'redisStore() with "url" needs a package that is not installed: npm install ioredis', { cause })
  }
  const client = new ioredis.Redis(url, { ...lasting, lazyConnect: true, maxRetriesPerRequest: 1, socketTimeout: 10_000 })
  client.on('error', () => {})
  return client
}

/** An error that may be logged: those of ioredis carry the command, and some messages of Redis too, which may be AUTH. */
async function speaking<T> (reply: Promise<T>): Promise<T> {
  try {
    return await reply
  } catch (error) {
    const { name, message, code } = error as NodeJS.ErrnoException
    const shown = new Error(name === 'ReplyError' ? `Redis answered ${/^[A-Z]+/.exec(message)?.[0] ?? 'an error'}` : message)
    throw Object.assign(shown, { name }, code === undefined ? undefined : { code })
  }
}
