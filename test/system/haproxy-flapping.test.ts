import { count, HealthCheckServer, Hysteresis, minute, ok, second, TCPCheck } from 'fastify-svc-status'
import t from 'tap'
import { Backend } from '../support/backend.js'
import { HAProxy } from './support/haproxy.js'
import { until } from './support/until.js'

// So many that failures that were not in a row would come to `failAfter` as well.
const flaps = 10
const failAfter = 12
const names = ['mail', 'database'] as const

t.test('HAProxy sees a backend that flaps come and go by a bare check, and no flap at all through a Hysteresis', async (t) => {
  const backends = { mail: await Backend.start(t), database: await Backend.start(t) }
  const server = new HealthCheckServer({ port: 0, host: '127.0.0.1' })
  t.teardown(async () => await server.close())
  const check = (name: typeof names[number]): TCPCheck => new TCPCheck({ host: '127.0.0.1', port: backends[name].port, timeout: second(5) })
  server.addComponent('mail', new Hysteresis({ task: check('mail'), initialState: ok, okAfter: count(5), failAfter: count(failAfter) }))
  server.addComponent('database', new Hysteresis({ task: check('database'), initialState: ok, okAfter: count(5), failAfter: minute(10) }))
  for (const name of names) server.addComponent(`${name}-bare`, check(name))
  const components = names.flatMap((name) => [name, `${name}-bare`])
  const port = Number(new URL(await server.listen()).port)

  const haproxy = await HAProxy.watch(t, Object.fromEntries(components.map((name) => [name, { port, path: `/${name}` }])))
  for (const name of components) await haproxy.shows(name, 'UP')

  const detailOf = (name: string): string | undefined => server.registry.latest().entries.find((entry) => entry.name === name)?.status?.detail
  for (let flap = 0; flap < flaps; flap++) {
    for (const name of names) {
      await backends[name].goAway()
      await haproxy.shows(`${name}-bare`, 'DOWN')
      await until('the Hysteresis has seen failures as well', () => /ECONNREFUSED/.test(detailOf(name) ?? ''))
      await backends[name].comeBack()
      await haproxy.shows(`${name}-bare`, 'UP')
    }
  }
  for (const name of names) {
    await haproxy.logged(`${name}-bare`, 'UP', flaps)
    t.same(haproxy.transitions(`${name}-bare`), { DOWN: flaps, UP: flaps }, `${name}-bare`)
    t.same(haproxy.transitions(name), { DOWN: 0, UP: 0 }, name)
  }
  t.equal(await haproxy.sum('chkdown'), 2 * flaps, 'its statistics agree with its log')

  for (const name of names) await backends[name].goAway()
  await haproxy.shows('mail', 'DOWN')
  for (const name of names) await backends[name].comeBack()
  await haproxy.shows('mail', 'UP')
  await haproxy.logged('mail', 'UP', 1)
  t.same(haproxy.transitions('mail'), { DOWN: 1, UP: 1 }, 'a backend that stays away is away through a Hysteresis too')
  t.same(haproxy.transitions('database'), { DOWN: 0, UP: 0 }, 'unless it may be away for longer')
})
