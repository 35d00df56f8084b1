import type { RedisClient, RedisSubscriber } from '../../../types/decommission.js'

type Listener = () => void

/**
 * As much of a Redis as `redisStore` speaks to, by what its script is meant to do. Real ones are in test/system.
 *
 * Hanging, it takes commands and carries them out when it goes on, as a process does that was stopped for a while.
 */
export class FakeRedis {
  readonly values = new Map<string, string>()
  readonly commands: string[] = []
  /** What it says instead of an answer, by command; `*` for all. */
  readonly failures: Record<string, Error> = {}
  /** How far its clock is off. */
  skew = 0
  readonly #subscribers = new Map<FakeConnection, string>()
  #going: Promise<void> = Promise.resolve()
  #goOn: () => void = () => {}

  get followers (): number {
    return this.#subscribers.size
  }

  hang (): void {
    this.#going = new Promise((resolve) => { this.#goOn = resolve })
  }

  goOn (): void {
    this.#goOn()
  }

  async command<T> (name: string, carryOut: () => T): Promise<T> {
    this.commands.push(name)
    const failure = this.failures[name] ?? this.failures['*']
    if (failure !== undefined) throw failure
    await this.#going
    return carryOut()
  }

  subscribe (connection: FakeConnection, channel: string): void {
    this.#subscribers.set(connection, channel)
  }

  unsubscribe (connection: FakeConnection): void {
    this.#subscribers.delete(connection)
  }

  publish (channel: string): void {
    for (const [connection, one] of this.#subscribers) if (one === channel) connection.emit('message')
  }

  /** What subscribers hear when the connection was away and is back. */
  reconnect (): void {
    for (const connection of this.#subscribers.keys()) connection.emit('ready')
  }
}

/** A connection of ioredis to it. */
export class FakeConnection implements RedisClient, RedisSubscriber {
  readonly #redis: FakeRedis
  readonly #listeners = new Map<string, Listener[]>()
  disconnected = 0

  constructor (redis: FakeRedis) {
    this.#redis = redis
  }

  async get (key: string): Promise<string | null> {
    return await this.#redis.command('get', () => this.#redis.values.get(key) ?? null)
  }

  async time (): Promise<string[]> {
    return await this.#redis.command('time', () => this.#time())
  }

  #time (): string[] {
    const now = Date.now() + this.#redis.skew
    return [String(Math.floor(now / 1_000)), String(now % 1_000 * 1_000)]
  }

  async eval (_script: string, _keys: number, key: string, latest: string, text: string, known: string, channel: string, what: string): Promise<string | null> {
    return await this.#redis.command('eval', () => {
      const now = Date.now() + this.#redis.skew
      if (now > Number(latest)) return null
      const there = this.#redis.values.get(key)
      const written = there === undefined ? undefined : /\n(\d+)$/.exec(there)?.[1]
      let at = Number(known)
      if (what === 'back') {
        if (there !== undefined && (written === undefined || Number(written) >= at)) return known
      } else {
        at = Math.max(now * 1_000, at + 1, Number(written ?? 0) + 1)
      }
      this.#redis.values.set(key, `${text}\n${at}`)
      this.#redis.publish(channel)
      return String(at)
    })
  }

  duplicate (): RedisSubscriber {
    return new FakeConnection(this.#redis)
  }

  async subscribe (channel: string): Promise<void> {
    await this.#redis.command('subscribe', () => this.#redis.subscribe(this, channel))
  }

  on (event: string, listener: Listener): void {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener])
  }

  emit (event: string): void {
    for (const listener of this.#listeners.get(event) ?? []) listener()
  }

  disconnect (): void {
    this.disconnected++
    this.#redis.unsubscribe(this)
  }
}
