import t from 'tap'
import { MemcachedService, ServiceMonitor } from '../../lib/failover/index.js'
import { StatusRegistry } from '../../lib/index.js'
import { memcached } from './support/databases.js'
import { until } from './support/until.js'

t.test('one of two nodes that is killed is reported, and reported back', async (t) => {
  const [one, other] = await Promise.all([memcached(t), memcached(t)])
  const registry = new StatusRegistry()
  const monitor = new ServiceMonitor({ registry, monitoringPingFrequency: 0, outagePingFrequency: 0 })
  t.teardown(() => monitor.close())
  monitor.register(new MemcachedService({ servers: [`127.0.0.1:${one.port}`, `127.0.0.1:${other.port}`] }))
  await monitor.monitor()
  t.match(await registry.getStatus('memcached'), { state: 'OK', nodes: { [`127.0.0.1:${one.port}`]: 'up' } })
  await other.kill()
  await monitor.monitor()
  t.match(await registry.getStatus('memcached'), { state: 'YELLOW', nodes: { [`127.0.0.1:${one.port}`]: 'up', [`127.0.0.1:${other.port}`]: /ECONNREFUSED/ } })
  await one.kill()
  await monitor.monitor()
  t.match(await registry.getStatus('memcached'), { state: 'RED' })
  await Promise.all([one.start(), other.start()])
  await until('both are up', async () => await registry.isInState('memcached', 'OK'))
})
