/* A service whose handlers do what its parent says. */
import Fastify from 'fastify'
import statusPlugin, { OK, StatusRegistry, type State } from 'fastify-svc-status'

export type Order =
  | { readonly set: string, readonly to: State }
  | { readonly remove: string }
  | { readonly add: string }
  | { readonly decommission: true }

const registry = new StatusRegistry()
const app = Fastify()
await app.register(statusPlugin, { registry })

const states: Record<string, State> = {}
function add (name: string): void {
  states[name] = OK
  // Asynchronous, as a check that asks something is: only such a handler has a timeout.
  registry.addStatusHandler(name, async () => ({ state: states[name], metrics: { waiting: 3 } }), { critical: name !== 'mail' })
}
for (const name of ['db', 'queue', 'mail']) add(name)

process.on('message', async (order: Order) => {
  if ('set' in order) states[order.set] = order.to
  else if ('remove' in order) registry.removeStatusHandler(order.remove)
  else if ('add' in order) add(order.add)
  else await app.svcStatus.decommission('OFF', { reason: 'system test' })
  process.send?.('done')
})
console.log(await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) }))
