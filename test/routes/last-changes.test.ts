import t from 'tap'
import { StateHandler } from '../../lib/core/state-handler.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { LastChanges } from '../../lib/routes/last-changes.js'
import { statusApp } from '../support/app.js'

function watched (): { registry: StatusRegistry, handler: StateHandler } {
  const registry = new StatusRegistry()
  const handler = new StateHandler()
  handler.setState('OK')
  registry.addStatusHandler('db', handler)
  return { registry, handler }
}

t.test('the last ten changes are kept, the newest first', async (t) => {
  const { registry, handler } = watched()
  const changes = new LastChanges(registry)
  t.strictSame(changes.list, [])
  for (let change = 0; change < 12; change++) handler.setState(change % 2 === 0 ? 'RED' : 'OK', { detail: `change ${change}` })
  t.equal(changes.list.length, 10)
  t.match(changes.list[0], { name: 'db', from: 'RED', to: 'OK', status: { detail: 'change 11' } })
  t.match(changes.list[9], { from: 'OK', to: 'RED', status: { detail: 'change 2' } })
})

t.test('a list that was given does not change any more, and nothing is heard after the end', async (t) => {
  const { registry, handler } = watched()
  const changes = new LastChanges(registry)
  handler.setState('RED')
  const { list } = changes
  handler.setState('OK')
  t.equal(list.length, 1)
  changes.stop()
  handler.setState('RED')
  t.equal(changes.list.length, 2)
})

t.test('an app that is closed leaves no listener on its registry', async (t) => {
  const { registry } = watched()
  const listeners = new Set<unknown>()
  const { on, off } = registry
  registry.on = function (...args) { listeners.add(args[1]); return on.apply(this, args) }
  registry.off = function (...args) { listeners.delete(args[1]); return off.apply(this, args) }
  const { app } = await statusApp(t, { registry, liveStatus: false })
  await app.ready()
  t.ok(listeners.size > 0)
  await app.close()
  t.equal(listeners.size, 0)
})
