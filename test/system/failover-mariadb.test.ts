import mysql, { type Pool, type RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import { Connections, MySQLService } from '../../lib/failover/index.js'
import { mariadb } from './support/databases.js'
import { failoverUnderLoad } from './support/failover-under-load.js'

t.test('reads go on from the primary while the replica is down, and return to it', async (t) => {
  const [primary, replica] = await Promise.all([mariadb(t), mariadb(t)])
  const pool = ({ port }: { port: number }): Pool => {
    const made = mysql.createPool({ host: '127.0.0.1', port, user: 'root', connectionLimit: 5 })
    t.teardown(async () => await made.end())
    return made
  }
  const connections = new Connections({ default: pool(primary), replica: pool(replica) })
  const service = new MySQLService({ connections, outagePingFrequency: 500, errorPingFrequency: 0, recoverAfter: 2 })
  await failoverUnderLoad(t, { primary, replica }, service, async (connections) => {
    const [rows] = await connections.get('replica').query<RowDataPacket[]>('SELECT @@port AS port')
    return rows[0].port
  })
})
