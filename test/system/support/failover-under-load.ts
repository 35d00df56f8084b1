import type { Test } from 'tap'
import type { Connections } from '../../../lib/failover/connections.js'
import type { DatabaseService } from '../../../lib/failover/services/database-service.js'
import { ServiceMonitor } from '../../../lib/failover/service-monitor.js'
import type { Server } from './databases.js'
import { until } from './until.js'

type Pools = Record<string, object>

/**
 * Four readers ask without a pause, while the replica is killed and started again. Its service recovers after two good pings.
 *
 * @param read the port of the server that answered
 */
export async function failoverUnderLoad<T extends Pools> (t: Test, servers: { primary: Server, replica: Server }, service: DatabaseService<T>, read: (connections: Connections<T>) => Promise<number>): Promise<void> {
  const { primary, replica } = servers
  const monitor = new ServiceMonitor()
  t.teardown(() => monitor.close())
  let goodPings = 0
  const ping = service.ping.bind(service)
  service.ping = async (context) => {
    const answer = await ping(context)
    goodPings++
    return answer
  }
  monitor.register(service)
  const counts = new Map<number, number>()
  let failed = 0
  /** Requests that began after the first error was dealt with, and failed all the same. */
  let failedLater = 0
  let dealtWith = false
  let last = 0
  const enough = new AbortController()

  async function reader (): Promise<void> {
    while (!enough.signal.aborted) {
      const after = dealtWith
      try {
        last = await read(service.connections)
        counts.set(last, (counts.get(last) ?? 0) + 1)
      } catch (error) {
        failed++
        if (after) failedLater++
        await monitor.monitor({ error })
        dealtWith = true
      }
    }
  }
  const readers = Promise.all([reader(), reader(), reader(), reader()])
  try {
    await until('reads from the replica', () => (counts.get(replica.port) ?? 0) > 100)
    t.equal(counts.get(primary.port), undefined)
    await replica.kill()
    await until('reads from the primary', () => (counts.get(primary.port) ?? 0) > 200)
    t.ok(failed > 0, `${failed} reads failed with the replica`)
    t.equal(failedLater, 0, 'no read that began after the first error was dealt with has failed')
    t.match(monitor.outages, [{ name: service.name, failedOver: true }])
    goodPings = 0
    await replica.start()
    await until('reads from the replica again', () => last === replica.port, { within: 60_000 })
    t.equal(goodPings, 2, 'as many as recoverAfter says')
    const back = counts.get(replica.port) ?? 0
    await until('more of them', () => (counts.get(replica.port) ?? 0) > back + 100)
    t.equal(failedLater, 0)
    t.strictSame(monitor.outages, [])
  } finally {
    enough.abort()
    await readers
  }
}
