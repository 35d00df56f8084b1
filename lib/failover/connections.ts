import { codedError, show } from '../core/errors.js'
import { ofKind } from '../core/options.js'

/**
 * The connection pools of an app by alias. Ask for a pool with `get` each time one is needed: during an outage the alias leads to
 * another one. The pools stay what they are, and yours to close.
 *
 * @example
 * const connections = new Connections({ default: new Pool({ host: 'db-1' }), replica: new Pool({ host: 'db-2' }) })
 * const { rows } = await connections.get('replica').query('SELECT 1')
 */
export class Connections<T extends Record<string, object>> {
  readonly #pools: ReadonlyMap<string, object>
  readonly #pointed = new Map<string, string>()

  /**
   * @throws ERR_INVALID_OPTION
   */
  constructor (pools: T) {
    ofKind(pools ?? null, 'object', 'the argument of Connections')
    for (const [alias, pool] of Object.entries(pools)) ofKind(pool ?? null, 'object', `the pool ${JSON.stringify(alias)}`)
    this.#pools = new Map(Object.entries(pools))
  }

  /** The aliases, as they were given. */
  get aliases (): ReadonlyArray<keyof T & string> {
    return [...this.#pools.keys()]
  }

  /**
   * The pool that an alias leads to at this moment.
   *
   * @throws ERR_UNKNOWN_ALIAS
   */
  get<A extends keyof T & string> (alias: A): T[A] {
    const passed: string[] = [alias]
    for (let next = this.#pointed.get(alias); next !== undefined; next = this.#pointed.get(next)) {
      // Two that were pointed at each other lead nowhere: each is itself again.
      if (passed.includes(next)) return this.pool(alias)
      passed.push(next)
    }
    return this.pool(passed.at(-1) as string) as T[A]
  }

  /**
   * The pool that was given under an alias, wherever it leads.
   *
   * @throws ERR_UNKNOWN_ALIAS
   */
  pool<A extends keyof T & string> (alias: A): T[A] {
    const pool = this.#pools.get(alias)
    if (pool === undefined) throw codedError('ERR_UNKNOWN_ALIAS', `there is no connection ${show(alias)}; there is ${[...this.#pools.keys()].join(', ')}`)
    return pool as T[A]
  }

  /**
   * Makes an alias lead to the pool of another one.
   *
   * @throws ERR_UNKNOWN_ALIAS
   */
  point (alias: keyof T & string, to: keyof T & string): void {
    this.pool(alias)
    this.pool(to)
    this.#pointed.set(alias, to)
  }

  /** Makes an alias lead to its own pool again. */
  restore (alias: keyof T & string): void {
    this.#pointed.delete(alias)
  }
}
