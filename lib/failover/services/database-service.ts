import type { ServiceContext, ServiceOptions } from '../../../types/failover.js'
import type { Time } from '../../../types/time.js'
import { invalid, knownOptions, ofKind } from '../../core/options.js'
import { milliseconds, second } from '../../core/units.js'
import { Connections } from '../connections.js'
import { Service } from '../service.js'
import { PoolPing, type Taken } from './pool-ping.js'

export interface DatabaseServiceOptions<T extends Record<string, object> = Record<string, object>> extends Omit<ServiceOptions, 'host' | 'port' | 'failoverSettings' | 'standby' | 'failover' | 'recover' | 'ping'> {
  /** The pools. Both aliases must be among them. */
  connections: Connections<T>
  /** The connection that is watched. Default `'replica'`. */
  alias?: keyof T & string
  /** Where its alias leads while it is down. Default `'default'`. */
  failoverAlias?: keyof T & string
  /** How long to wait for a connection of the pool. Default `second(2)`; at least 1 ms. */
  connectTimeout?: Time
  /** How to ask a database of another driver; called with the pool that is asked. Default: `SELECT 1` on a connection of it. */
  ping?: (pool: T[keyof T], context: ServiceContext) => unknown
}

/**
 * A connection that fails over to another one: `connections.get(alias)` gives the other pool while this one's database is down.
 * It is pinged by `SELECT 1` on a connection of its own pool, and so is the other one before the switch.
 *
 * @example
 * monitor.register(new DatabaseService({ connections, alias: 'replica', failoverAlias: 'default' }))
 */
export class DatabaseService<T extends Record<string, object> = Record<string, object>> extends Service {
  readonly connections: Connections<T>
  readonly alias: keyof T & string
  readonly failoverAlias: keyof T & string
  readonly #ask: (context: ServiceContext) => unknown

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE, ERR_UNKNOWN_ALIAS
   */
  constructor (options: DatabaseServiceOptions<T>) {
    const { connections, alias = 'replica', failoverAlias = 'default', connectTimeout = second(2), ping, ...service } = knownOptions(options, databaseOptions, 'DatabaseService')
    if (!(connections instanceof Connections)) throw invalid('the option "connections"', 'a Connections', connections)
    if (alias === failoverAlias) throw invalid('the option "failoverAlias"', 'another one than "alias"', failoverAlias)
    const within = milliseconds(connectTimeout, 'the option "connectTimeout"', 1)
    const [own, standby] = [connections.pool(alias), connections.pool(failoverAlias)]
    ofKind(ping, 'function', 'the option "ping"')
    super({ name: `database_${alias}`, ...service })
    this.connections = connections
    this.alias = alias
    this.failoverAlias = failoverAlias
    const asker = (of: string, pool: T[keyof T]): (context: ServiceContext) => unknown => {
      if (ping !== undefined) return (context) => ping(pool, context)
      const asked = new PoolPing(pool, within, `the pool "${of}"`)
      return ({ signal }) => asked.ask(signal, (connection) => this.question(connection))
    }
    this.#ask = asker(alias, own)
    this.standby = asker(failoverAlias, standby)
  }

  override ping (context: ServiceContext): unknown {
    return this.#ask(context)
  }

  override failover (_context: ServiceContext): void {
    this.connections.point(this.alias, this.failoverAlias)
  }

  override recover (_context: ServiceContext): void {
    this.connections.restore(this.alias)
  }

  /** What a database is asked. */
  protected question (connection: Taken): Promise<unknown> {
    return connection.query('SELECT 1')
  }
}

const databaseOptions = [
  'connections', 'alias', 'failoverAlias', 'connectTimeout', 'name', 'timeout', 'monitoringPingFrequency', 'outagePingFrequency',
  'errorPingFrequency', 'recoverAfter', 'ping'
] as const
