import { mkdirSync } from 'node:fs'
import t from 'tap'
import { HealthcheckerClient } from 'fastify-svc-status/healthchecker'
import { checkout } from './support/example.js'
import { peer } from './support/peers.js'
import { Program, run } from './support/programs.js'
import { until } from './support/until.js'

const cli = `${checkout}/dist/lib/cli/main.js`

t.before(async () => {
  mkdirSync('/run/dbus', { recursive: true })
  const bus = await Program.start(t, peer('dbus-daemon'), ['--system', '--nofork', '--nopidfile'])
  const avahi = await Program.start(t, peer('avahi-daemon'), ['--no-drop-root', '--no-chroot', '--no-rlimits'])
  await avahi.says('that it runs', ({ stdout, stderr }) => /Server startup complete/.exec(stdout + stderr)?.[0])
  t.notOk(bus.ended)
})

/** Services of a type as Avahi has resolved them: name, host, address and port. */
async function browse (t: Tap, type: string): Promise<string[][]> {
  const { stdout } = await run(t, peer('avahi-browse'), ['--parsable', '--resolve', '--terminate', '--no-db-lookup', type])
  return stdout.split('\n').filter((line) => line.startsWith('=') && line.includes(';IPv4;')).map((line) => line.split(';')).map(([, iface, , name, , , host, address, port]) => [iface, name.replaceAll('\\032', ' '), host, address, port])
}

async function serve (t: Tap, ...args: string[]): Promise<{ server: Program, port: string }> {
  const folder = (t as unknown as { testdir (): string }).testdir()
  const server = await Program.start(t, process.execPath, [cli, 'serve', '-p', '0', '--store', ':memory:', ...args], { cwd: folder })
  const address = await server.says('where it listens', ({ stdout }) => /^http:\S+$/m.exec(stdout)?.[0])
  return { server, port: new URL(address).port }
}

t.test('Avahi finds a healthchecker by its own name and by that of the origin, and not any more once it has ended', async (t) => {
  const { server, port } = await serve(t)
  const own = await until('its own name is found', async () => (await browse(t, '_healthchecker._tcp')).find((service) => service[4] === port))
  t.match(own, [/^lo$/, new RegExp(`^healthchecker on .+ ${port}$`), new RegExp(`^healthchecker-${port}-.+\\.local$`), '127.0.0.1', port])
  const origins = await until("the origin's name is found", async () => (await browse(t, '_http._tcp')).find(([, name]) => name === '_healthchecker'))
  t.same(origins.slice(3), ['127.0.0.1', port])
  server.signal('SIGTERM')
  t.same(await server.end, { code: 0, signal: null })
  t.equal(server.stderr, '')
  await until('it is found no more', async () => (await browse(t, '_healthchecker._tcp')).every((service) => service[4] !== port))
  t.same((await browse(t, '_http._tcp')).filter(([, name]) => name === '_healthchecker'), [])
})

t.test('one on loopback is announced on loopback alone', async (t) => {
  const { port } = await serve(t)
  await until('it is found', async () => (await browse(t, '_healthchecker._tcp')).some((service) => service[4] === port))
  const all = (await browse(t, '_healthchecker._tcp')).filter((service) => service[4] === port)
  t.same([...new Set(all.map(([iface, , , address]) => `${iface} ${address}`))], ['lo 127.0.0.1'])
})

t.test('an app finds it where it is announced, registers, and is in its svc_status', async (t) => {
  const { port } = await serve(t)
  const client = new HealthcheckerClient({ app: 'found', url: `http://127.0.0.1:${port}` })
  const result = await until('it is found', async () => {
    const result = await client.monitor({ path: '/live_status', interval: 10, unhealthyThreshold: 2, healthyThreshold: 4 })
    return result.ok && result
  })
  t.match(result, { server: `http://127.0.0.1:${port}`, registered: 'created' })
  t.match(await (await fetch(`http://127.0.0.1:${port}/svc_status.csv`)).text(), /^found\tYELLOW$/m)
})

t.test('--no-announce announces nothing', async (t) => {
  const { server, port } = await serve(t, '--no-announce')
  const { port: other } = await serve(t)
  await until('the other is found', async () => (await browse(t, '_healthchecker._tcp')).some((service) => service[4] === other))
  t.notOk((await browse(t, '_healthchecker._tcp')).some((service) => service[4] === port))
  server.signal('SIGINT')
  t.same(await server.end, { code: 0, signal: null })
})

type Tap = Parameters<typeof Program.start>[0]
