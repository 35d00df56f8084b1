import { sqliteFleetStore, WatchedFleet } from '../../../dist/lib/healthchecker.js'

// A healthchecker to be killed: registers apps and checks them as fast as it can, and says what is stored, a line each:
// `started SIZE`, `registered NAME`, `moved ID NAME STATE`.
const [path, port, round] = process.argv.slice(2)
let due
const schedule = { set () {}, delete () {}, next () {}, start (listener) { due = listener }, stop () {} }
const fleet = new WatchedFleet({ store: sqliteFleetStore(path), schedule, owe: ({ id }) => [`${id}@example.org`] })
const say = (line) => process.stdout.write(`${line}\n`)

fleet.on('transition', ({ id, app, to }) => say(`moved ${id} ${app} ${to}`))
fleet.on('check', (name) => setImmediate(() => due(name, performance.now())))
await fleet.start()
say(`started ${fleet.size}`)
for (const { registration: { name } } of fleet) due(name, performance.now())
for (let index = 0; ; index++) {
  const name = `${round}-${index}`
  await fleet.register({
    name,
    protocol: 'HTTP',
    host: '127.0.0.1',
    port: Number(port),
    path: `/${index % 3}`,
    timeout: 2,
    interval: 5,
    unhealthyThreshold: 2,
    healthyThreshold: 2,
    expectStatus: [200],
    email: [],
    tags: [],
    critical: true
  })
  say(`registered ${name}`)
  if (index < 5) due(name, performance.now())
}
