import pg from 'pg'
import t from 'tap'
import { Connections, DatabaseService } from '../../lib/failover/index.js'
import { postgres } from './support/databases.js'
import { failoverUnderLoad } from './support/failover-under-load.js'

t.test('reads go on from the primary while the replica is down, and return to it', async (t) => {
  const [primary, replica] = await Promise.all([postgres(t), postgres(t)])
  const pool = ({ port }: { port: number }): pg.Pool => {
    const made = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 5 })
    // pg wants somebody to hear of idle connections that break.
    made.on('error', () => {})
    t.teardown(async () => await made.end())
    return made
  }
  const connections = new Connections({ default: pool(primary), replica: pool(replica) })
  const service = new DatabaseService({ connections, outagePingFrequency: 500, errorPingFrequency: 0, recoverAfter: 2 })
  await failoverUnderLoad(t, { primary, replica }, service, async (connections) => {
    const { rows } = await connections.get('replica').query("SELECT current_setting('port')::int AS port")
    return rows[0].port
  })
})
