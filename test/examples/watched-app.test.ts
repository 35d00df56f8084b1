import t from 'tap'
import { Healthchecker } from '../../lib/healthchecker/server.js'
import { WatchedFleet } from '../../lib/healthchecker/fleet.js'
import { checkout } from '../system/support/example.js'
import { Program } from '../system/support/programs.js'
import { until } from '../system/support/until.js'

t.test('the watched app registers itself, is asked for its health, and withdraws when it ends', async (t) => {
  const fleet = new WatchedFleet()
  const healthchecker = new Healthchecker({ fleet, port: 0, token: 'a secret of some length', announce: false, fastify: {} })
  t.teardown(() => healthchecker.close())
  const server = await healthchecker.listen()
  const program = await Program.start(t, process.execPath, ['dist/docs/examples/watched-app.js'], { cwd: checkout, env: { HEALTHCHECKER: server, SVC_STATUS_TOKEN: 'a secret of some length' } })
  const url = await program.says('its address', ({ stdout }) => /^(http:\S+\/health)$/m.exec(stdout)?.[1])
  const { registration } = await until('it is registered', () => fleet.get('Sample app'))
  t.match(registration, { protocol: 'HTTP', host: '127.0.0.1', port: Number(new URL(url).port), path: '/health', interval: 10, unhealthyThreshold: 2, healthyThreshold: 4 })
  t.match(await (await fetch(url)).json(), { status: 'pass', description: 'Sample app' })
  await fleet.checkOnce()
  t.match(fleet.recent('Sample app').at(-1), { result: 'OK' })
  await fetch(new URL('/break', url), { method: 'POST' })
  await fleet.checkOnce()
  t.match(fleet.get('Sample app'), { lastCheck: { result: 'RED', error: /503/ } })
  program.signal('SIGTERM')
  t.same(await program.end, { code: 0, signal: null })
  t.equal(fleet.size, 0)
})
