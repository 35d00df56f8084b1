import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { HTTPCheck } from '../../lib/checks/http-check.js'
import { Names } from '../../lib/checks/names.js'
import { TCPCheck } from '../../lib/checks/tcp-check.js'
import { TLSCheck } from '../../lib/checks/tls-check.js'
import { Checker } from '../../lib/healthchecker/checker.js'
import { literalOf } from '../../lib/healthchecker/ip-address.js'
import { readRegistration } from '../../lib/healthchecker/registration.js'
import { TargetGuard } from '../../lib/healthchecker/target-guard.js'
import type { Registration } from '../../types/healthchecker.js'

const guard = new TargetGuard()

/** A resolver that gives these addresses, one list after the other. */
function resolver (...answers: string[][]): Names & { readonly asked: string[] } {
  const asked: string[] = []
  const names = new Names((hostname, _options, callback) => {
    asked.push(hostname)
    const answer = answers[Math.min(asked.length, answers.length) - 1]
    callback(null, answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
  })
  return Object.assign(names, { asked })
}

async function looked (lookup: LookupFunction): Promise<LookupAddress[]> {
  return await new Promise((resolve, reject) => {
    lookup('app.example', { all: true }, (error, found) => error === null ? resolve(found as LookupAddress[]) : reject(error))
  })
}

t.test('refuses addresses that no app has, from whoever', async (t) => {
  const addresses = [
    '169.254.0.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fd00:ec2::254', 'fd00:ec2::23', '100.100.100.200', 'fd20:ce::254', '192.0.0.192', '168.63.129.16',
    // IPv4 in IPv6
    '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '::169.254.169.254', '::ffff:0:169.254.169.254',
    '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe', '64:ff9b::6464:64c8',
    '64:ff9b:1::a9fe:a9fe', '64:ff9b:1:a9fe:a9:fe00::', '64:ff9b:1:a9:fe:a9fe::', '64:ff9b:1:2:a9:fea9:fe00::',
    '2002:a9fe:a9fe::1', '2001:0:4136:e378:8000:63bf:5601:5601',
    // another way to say this machine, and nobody's address
    '0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0', '224.0.0.1', '255.255.255.255', 'ff02::1'
  ]
  for (const address of addresses) {
    t.ok(guard.refusal(address, false), `${address} is refused`)
    t.throws(() => guard.check(address, false), { code: 'ERR_TARGET_REFUSED', statusCode: 400 })
  }
  t.match(guard.refusal('169.254.169.254', false), 'link-local')
  t.match(guard.refusal('64:ff9b::6464:64c8', false), 'metadata')
  t.match(guard.refusal('app.example', false), 'no IP address')
})

t.test('refuses them in every notation that a resolver or a browser takes', async (t) => {
  const notations: Array<[string, string]> = [
    ['2852039166', '169.254.169.254'],
    ['0xa9fea9fe', '169.254.169.254'],
    ['0xA9.0xFE.0xA9.0xFE', '169.254.169.254'],
    ['0251.0376.0251.0376', '169.254.169.254'],
    ['169.16689662', '169.254.169.254'],
    ['169.254.43518', '169.254.169.254'],
    ['169.254.169.254.', '169.254.169.254'],
    ['[::ffff:169.254.169.254]', '::ffff:a9fe:a9fe'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', '::ffff:a9fe:a9fe'],
    ['１６９.254.169.254', '169.254.169.254']
  ]
  for (const [host, canonical] of notations) {
    t.equal(literalOf(host), canonical)
    t.throws(() => guard.check(host, false), { code: 'ERR_TARGET_REFUSED' }, host)
  }
  t.throws(() => guard.check('2130706433', true), { code: 'ERR_TARGET_REFUSED' })
  for (const host of ['app.example', 'a b', '', 'x'.repeat(300), '1.2.3.4.5', '999.1.1.1']) t.equal(literalOf(host), undefined, JSON.stringify(host))
})

t.test('asks its own machine only where itself wants it', async (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'localhost', 'LocalHost.', 'a.localhost']) {
    t.doesNotThrow(() => guard.check(host, false), host)
    t.throws(() => guard.check(host, true), { code: 'ERR_TARGET_REFUSED' }, host)
  }
  t.doesNotThrow(() => guard.check('localhost.example', true))
})

t.test('takes addresses of apps, and host names until they are resolved', async (t) => {
  for (const host of ['10.0.0.1', '192.168.1.5', '8.8.8.8', '100.64.0.1', 'fd00::1', '2001:db8::1', 'app.example', 'app_1', '169.253.255.255', '169.255.0.0', 'fec0::1', '100.100.100.201']) {
    t.doesNotThrow(() => guard.check(host, true), host)
  }
})

t.test('allowed networks narrow, and allow nothing that is refused', async (t) => {
  const narrow = new TargetGuard(['10.0.0.0/8', 'fd00::/16', '169.254.0.0/16', '127.0.0.0/8'])
  for (const address of ['10.1.2.3', 'fd00::5', '::ffff:10.1.2.3']) t.equal(narrow.refusal(address, true), undefined, address)
  for (const address of ['11.0.0.1', 'fd01::5', '169.254.169.254', 'fd00:ec2::254', '::ffff:11.0.0.1']) t.ok(narrow.refusal(address, false), address)
  t.ok(narrow.refusal('127.0.0.1', true))
  t.equal(narrow.refusal('127.0.0.1', false), undefined)
  t.match(narrow.refusal('11.0.0.1', false), 'in no network that is allowed')
  t.ok(new TargetGuard([]).refusal('10.0.0.1', false), 'no network at all')
})

t.test('networks that are none are refused by name', async (t) => {
  for (const entry of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'example.org/8', '/8', 'fd00::/129', '10.0.0.0/-1', '10.0.0.0/8 ']) {
    t.throws(() => new TargetGuard([entry]), { code: 'ERR_INVALID_OPTION', message: /allowTargets/ }, entry)
  }
  t.throws(() => new TargetGuard('10.0.0.0/8' as never), { code: 'ERR_INVALID_OPTION' })
})

t.test('resolves a host name to those of its addresses that may be asked', async (t) => {
  const both = new TargetGuard(undefined, resolver(['169.254.169.254', '10.0.0.1', '127.0.0.1']))
  t.same(await looked(both.lookup(true)), [{ address: '10.0.0.1', family: 4 }])
  t.same(await looked(both.lookup(false)), [{ address: '10.0.0.1', family: 4 }, { address: '127.0.0.1', family: 4 }])
  const none = new TargetGuard(undefined, resolver(['169.254.169.254']))
  await t.rejects(looked(none.lookup(false)), { code: 'ERR_TARGET_REFUSED', message: /link-local/ })
  const fails = new TargetGuard(undefined, new Names((_hostname, _options, callback) => callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), '')))
  await t.rejects(looked(fails.lookup(false)), { code: 'ENOTFOUND' })
})

t.test('connects to the address that it judged: a name server that changes its mind wins nothing', async (t) => {
  let connections = 0
  const server = createServer((_request, response) => response.end()).on('connection', () => connections++).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo

  for (const make of [
    (lookup: LookupFunction) => new HTTPCheck({ url: `http://app.example:${port}/`, lookup }),
    (lookup: LookupFunction) => new TCPCheck({ host: 'app.example', port, lookup }),
    (lookup: LookupFunction) => new TLSCheck({ host: 'app.example', port, lookup })
  ]) {
    connections = 0
    const names = resolver(['10.0.0.1'], ['127.0.0.1'])
    const remote = new TargetGuard(undefined, names)
    t.same(await looked(remote.lookup(true)), [{ address: '10.0.0.1', family: 4 }])
    const status = await make(remote.lookup(true)).getStatus()
    t.match(status, { state: 'RED', detail: /ERR_TARGET_REFUSED$/ })
    t.equal(connections, 0)
    t.equal(names.asked.length, 2)
    await make(new TargetGuard(undefined, resolver(['127.0.0.1'])).lookup(false)).getStatus()
    t.equal(connections, 1, 'the same check connects where it may')
  }
})

t.test('a connection that is kept for an app of this machine is none for an app of another', async (t) => {
  const paths: unknown[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const checker = new Checker(new TargetGuard(undefined, resolver(['127.0.0.1'])), undefined)
  t.teardown(() => checker.close())
  const app = (path: string): Registration => readRegistration({ name: path, url: `http://app.example:${port}${path}`, interval: 5, timeout: 4 })

  t.match(await checker.ask(app('/own'), false), { state: 'OK' })
  // It is free for the next request a moment later.
  await new Promise((resolve) => setImmediate(resolve))
  t.match(await checker.ask(app('/remote'), true), { state: 'RED', detail: /ERR_TARGET_REFUSED$/ })
  t.match(await checker.ask(app('/own'), false), { state: 'OK' })
  t.same(paths, ['/own', '/own'])
})

t.test('a redirect is an answer, and nobody is asked where it leads: an address in it would be resolved by nobody', async (t) => {
  const paths: unknown[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    response.writeHead(request.url === '/from' ? 302 : 200, { location: `http://127.0.0.1:${port}/to` }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const checker = new Checker(new TargetGuard(), undefined)
  t.teardown(() => checker.close())
  t.match(await checker.ask(readRegistration({ name: 'app', url: `http://127.0.0.1:${port}/from` }), false), { state: 'RED', detail: /answered 302$/ })
  t.same(paths, ['/from'])
})

t.test('no IPv4 address that is refused gets through as IPv6', async () => {
  const byte = fc.integer({ min: 0, max: 255 })
  const forms = fc.constantFrom('::ffff:', '64:ff9b::', '::', '::ffff:0:')
  fc.assert(fc.property(byte, byte, byte, byte, forms, (a, b, c, d, form) => {
    const address = `${a}.${b}.${c}.${d}`
    const refused = guard.refusal(address, true) !== undefined
    return !refused || guard.refusal(`${form}${address}`, true) !== undefined
  }), { numRuns: 2_000 })
  fc.assert(fc.property(byte, byte, forms, (c, d, form) => guard.refusal(`${form}169.254.${c}.${d}`, false) !== undefined))
})
