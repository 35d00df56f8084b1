import { codedError } from '../../core/errors.js'
import { invalid } from '../../core/options.js'
import { Call, tooLong } from '../call.js'

/** A connection that was taken out of a pool, of any driver. */
export interface Taken {
  query (sql: string): Promise<unknown>
  /** The driver's own ping, where it has one. */
  readonly ping: (() => Promise<unknown>) | undefined
  /** @param broken whether it is closed instead of going back */
  giveBack (broken: boolean): void
}

/** Asks over a connection of a pool: a `pg` pool, or one of `mysql2` in either of its forms. */
export class PoolPing {
  readonly #take: () => Promise<Taken>
  readonly #connectTimeout: number
  #taking: Call | undefined

  /** @throws ERR_INVALID_OPTION where it is no such pool */
  constructor (pool: object, connectTimeout: number, what: string) {
    this.#take = takerOf(pool, what)
    this.#connectTimeout = connectTimeout
  }

  /** @throws ERR_SERVICE_TIMEOUT where the pool has no connection to give in time, and what the driver throws */
  async ask (signal: AbortSignal, question: (connection: Taken) => Promise<unknown>): Promise<void> {
    const connection = await this.#connect()
    let gone = signal.aborted
    const giveBack = (broken: boolean): void => {
      if (!gone) connection.giveBack(broken)
      gone = true
    }
    if (gone) return connection.giveBack(false)
    let drop!: () => void
    // mysql2 never ends a command whose connection is destroyed.
    const calledOff = new Promise<never>((_resolve, reject) => {
      drop = () => {
        giveBack(true)
        reject(codedError('ERR_SERVICE_DOWN', 'called off'))
      }
    })
    signal.addEventListener('abort', drop)
    try {
      await Promise.race([question(connection), calledOff])
      giveBack(false)
    } finally {
      signal.removeEventListener('abort', drop)
      giveBack(true)
    }
  }

  async #connect (): Promise<Taken> {
    if (this.#taking !== undefined) throw tooLong('a connection that was asked for before', this.#connectTimeout)
    const taking = new Call(() => this.#take())
    const ended = await taking.within(this.#connectTimeout)
    if (ended === undefined) {
      // Only one question waits in the queue of a pool that has nothing to give.
      this.#taking = taking
      taking.end.then(({ result }) => {
        this.#taking = undefined
        ;(result as Taken | undefined)?.giveBack(false)
      })
      throw tooLong('a connection', this.#connectTimeout)
    }
    if (ended.failure !== undefined) throw ended.failure.error
    return ended.result as Taken
  }
}

interface PgClient {
  query (sql: string): Promise<unknown>
  release (broken: boolean): void
  on (event: 'error', listener: () => void): unknown
  off (event: 'error', listener: () => void): unknown
}
interface PgPool { connect (): Promise<PgClient> }
interface MySQLConnection { query (sql: string): Promise<unknown>, ping (): Promise<unknown>, release (): void, destroy (): void }
interface MySQLPool { getConnection (): Promise<MySQLConnection> }

function takerOf (pool: object, what: string): () => Promise<Taken> {
  const { connect, promise, getConnection } = pool as { connect?: unknown, promise?: unknown, getConnection?: unknown }
  if (typeof getConnection === 'function') {
    // mysql2's pool with callbacks makes one with promises of itself.
    const promising = typeof promise === 'function' ? promise.call(pool) : pool
    return async () => takenOfMySQL(await (promising as MySQLPool).getConnection())
  }
  if (typeof connect === 'function') return async () => takenOfPg(await (pool as PgPool).connect())
  throw invalid(what, 'a pool of pg or mysql2, or the service must have a ping() of its own', pool)
}

function takenOfPg (client: PgClient): Taken {
  // The pool does not listen while somebody has the client, and an error that nobody hears ends the process; the query fails with it.
  const heard = (): void => {}
  client.on('error', heard)
  return {
    query: (sql) => client.query(sql),
    ping: undefined,
    giveBack (broken) {
      if (!broken) client.off('error', heard)
      client.release(broken)
    }
  }
}

function takenOfMySQL (connection: MySQLConnection): Taken {
  return {
    query: (sql) => connection.query(sql),
    ping: () => connection.ping(),
    giveBack: (broken) => broken ? connection.destroy() : connection.release()
  }
}
