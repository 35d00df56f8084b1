import { DatabaseService } from './database-service.js'
import type { Taken } from './pool-ping.js'

/**
 * A `DatabaseService` for pools of mysql2: it is pinged by the protocol's own ping, which costs the server no query, and a
 * connection is waited for no longer than `connectTimeout`, where the driver would wait ten seconds.
 *
 * @example
 * monitor.register(new MySQLService({ connections }))
 */
export class MySQLService<T extends Record<string, object> = Record<string, object>> extends DatabaseService<T> {
  protected override question (connection: Taken): Promise<unknown> {
    return connection.ping === undefined ? super.question(connection) : connection.ping()
  }
}
