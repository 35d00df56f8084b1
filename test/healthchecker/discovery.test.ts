import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Announcement } from '../../lib/healthchecker/announcement.js'
import { findHealthchecker } from '../../lib/healthchecker/finding.js'
import { interfacesOf, loadBonjour, multicastOn } from '../../lib/healthchecker/multicast.js'
import type { Logger } from '../../types/logger.js'
import { until } from '../support/app.js'
import { freePort } from './support/free-port.js'

const never = new AbortController().signal

interface Line { readonly level: string, readonly message: string }

function recorder (): { log: Logger, lines: Line[] } {
  const lines: Line[] = []
  const keep = (level: string) => (_about: object | string, message = '') => { lines.push({ level, message }) }
  return { log: { info: keep('info'), warn: keep('warn'), error: keep('error') }, lines }
}

/** Everything that is said on loopback. */
async function overheard (t: Test, port: number): Promise<{ answers: () => Array<{ name: string, type: string, ttl: number, data: unknown }>, services: (type: string) => string[] }> {
  const listener = await multicastOn(await loadBonjour(), '127.0.0.1', () => {}, port)
  t.teardown(() => listener.destroy())
  const browsers = new Map(['healthchecker', 'http'].map((type) => [type, listener.find({ type })]))
  const answers: Array<{ name: string, type: string, ttl: number, data: unknown }> = []
  const { mdns } = (listener as unknown as { server: { mdns: { on (event: string, listener: (packet: { answers: typeof answers, additionals: typeof answers }) => void): void } } }).server
  mdns.on('response', (packet) => { answers.push(...packet.answers, ...packet.additionals) })
  return { answers: () => answers, services: (type) => browsers.get(type)?.services.map(({ name }) => name) ?? [] }
}

t.test('what is announced is found, and is not any more once it is withdrawn', async (t) => {
  const port = await freePort()
  const { log, lines } = recorder()
  const heard = await overheard(t, port)
  const announcement = await Announcement.begin(['127.0.0.1'], 8080, log, port)
  t.teardown(() => announcement.close())
  t.equal(await findHealthchecker(10_000, never, port), 'http://127.0.0.1:8080')
  await until(() => heard.services('http').length > 0, 'the name of the origin is announced')
  t.same(heard.services('http'), ['_healthchecker'])
  t.match(heard.services('healthchecker'), [/^healthchecker on .+ 8080$/])

  const addresses = heard.answers().filter(({ type }) => type === 'A' || type === 'AAAA')
  t.ok(addresses.length > 0)
  t.same([...new Set(addresses.map(({ data }) => data))], ['127.0.0.1'], 'no other address of this machine is told')
  t.ok(addresses.every(({ name }) => /^healthchecker-8080-.+\.local$/.test(name)), 'under a name of its own')

  await announcement.close()
  await until(() => heard.services('http').length === 0 && heard.services('healthchecker').length === 0, 'it is withdrawn')
  t.equal(await findHealthchecker(300, never, port), undefined)
  t.same(lines, [])
})

t.test('a second healthchecker leaves the name of the origin to the first', async (t) => {
  const port = await freePort()
  const { log, lines } = recorder()
  const heard = await overheard(t, port)
  const first = await Announcement.begin(['127.0.0.1'], 8080, log, port)
  t.teardown(() => first.close())
  await until(() => heard.services('http').length > 0, 'the first has the name')
  const second = await Announcement.begin(['127.0.0.1'], 8081, log, port)
  t.teardown(() => second.close())
  await until(() => lines.length > 0, 'the second says so')
  t.match(lines, [{ level: 'info', message: /another healthchecker is announced as _healthchecker\._http\._tcp already/ }])
  await until(() => heard.services('healthchecker').length === 2, 'both are found by their own names')
  t.same(new Set(heard.answers().filter(({ name, type }) => type === 'SRV' && name.startsWith('_healthchecker.')).map(({ data }) => (data as { port: number }).port)), new Set([8080]))
})

t.test('what is announced on two interfaces is taken back on neither, though each is heard on the other', async (t) => {
  const port = await freePort()
  const { log, lines } = recorder()
  const heard = await overheard(t, port)
  const announcement = await Announcement.begin(['127.0.0.1', '127.0.0.2'], 8080, log, port)
  t.teardown(() => announcement.close())
  const hosts = (name: RegExp): Set<unknown> => new Set(heard.answers().filter((one) => one.type === 'SRV' && name.test(one.name)).map(({ data }) => (data as { target: string }).target))
  await until(() => hosts(/^_healthchecker\._http/).size === 2 && hosts(/^healthchecker on /).size === 2, 'both names are announced on both')
  t.equal(new Set(heard.services('healthchecker')).size, 2)
  const addresses = heard.answers().filter(({ type }) => type === 'A')
  t.same(new Set(addresses.map(({ name, data }) => `${name.replace(/-[^-]+$/, '')} ${String(data)}`)), new Set(['healthchecker-8080-127-0-0-1 127.0.0.1', 'healthchecker-8080-127-0-0-2 127.0.0.2']))
  t.notOk(heard.answers().some(({ ttl }) => ttl === 0))
  t.same(lines, [])
})

t.test('one that is withdrawn at once announces nothing later', async (t) => {
  const port = await freePort()
  const { log } = recorder()
  const heard = await overheard(t, port)
  const announcement = await Announcement.begin(['127.0.0.1'], 8080, log, port)
  await announcement.close()
  await announcement.close()
  t.equal(await findHealthchecker(1_200, never, port), undefined)
  t.same(heard.services('healthchecker'), [])
})

t.test('one that listens on IPv6 alone says that it is not announced', async (t) => {
  const { log, lines } = recorder()
  const announcement = await Announcement.begin(['::1'], 8080, log, await freePort())
  await announcement.close()
  t.match(lines, [{ level: 'warn', message: /takes an IPv4 address/ }])
})

t.test('where the port of mDNS cannot be had, it is not announced, and nothing is found', async (t) => {
  // One that shares it with nobody.
  const socket: Socket = createSocket({ type: 'udp4', reuseAddr: false }).bind(0)
  t.teardown(() => { socket.close() })
  await once(socket, 'listening')
  const { port } = socket.address()
  const { log, lines } = recorder()
  const announcement = await Announcement.begin(['127.0.0.1'], 8080, log, port)
  await announcement.close()
  t.match(lines, [{ level: 'warn', message: 'not announced over mDNS' }])
  t.equal(await findHealthchecker(10_000, never, port), undefined)
})

t.test('one that does not say its address is not found', async (t) => {
  const port = await freePort()
  const responder = await multicastOn(await loadBonjour(), '127.0.0.1', () => {}, port)
  t.teardown(() => responder.destroy())
  const service = responder.publish({ name: 'x', type: 'healthchecker', port: 1, host: 'x.local' })
  const records = service.records.bind(service)
  service.records = () => records().filter(({ type }) => type !== 'A' && type !== 'AAAA')
  await once(service, 'up')
  t.equal(await findHealthchecker(300, never, port), undefined)
})

t.test('a search ends with its signal', async (t) => {
  const port = await freePort()
  const ending = new AbortController()
  const search = findHealthchecker(60_000, ending.signal, port)
  setImmediate(() => ending.abort())
  t.equal(await search, undefined)
  t.equal(await findHealthchecker(60_000, ending.signal, port), undefined)
})

t.test('who listens everywhere is announced on every interface, by one address each', async (t) => {
  const address = (address: string, family: 'IPv4' | 'IPv6') => ({ address, family, netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 })
  const all = { lo: [address('127.0.0.1', 'IPv4'), address('::1', 'IPv6')], eth0: [address('fe80::1', 'IPv6'), address('192.0.2.2', 'IPv4'), address('192.0.2.3', 'IPv4')], tun0: [address('fe80::2', 'IPv6')], gone: undefined } as Parameters<typeof interfacesOf>[1]
  t.same(interfacesOf(['0.0.0.0'], all), ['127.0.0.1', '192.0.2.2'])
  t.same(interfacesOf(['::'], all), ['127.0.0.1', '192.0.2.2'])
  t.same(interfacesOf(['192.0.2.3', '192.0.2.3', '::1'], all), ['192.0.2.3'])
  t.same(interfacesOf(['::1'], all), [])
})
