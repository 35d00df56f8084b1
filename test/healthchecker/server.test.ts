import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { findHealthchecker } from '../../lib/healthchecker/finding.js'
import { Healthchecker } from '../../lib/healthchecker/server.js'
import type { HealthcheckerOptions } from '../../types/healthchecker-server.js'
import { logLines, until } from '../support/app.js'
import { FakeFleet } from './support/fake-fleet.js'
import { freePort } from './support/free-port.js'

async function running (t: Test, options: Partial<HealthcheckerOptions> = {}, mdnsPort?: number): Promise<{ checker: Healthchecker, fleet: FakeFleet, address: string }> {
  const fleet = new FakeFleet()
  const checker = new Healthchecker({ fleet, port: 0, announce: false, fastify: {}, ...options }, mdnsPort)
  t.teardown(() => checker.close())
  return { checker, fleet, address: await checker.listen() }
}

const token = 'sixteen-letters!'

const json = { 'content-type': 'application/json' }
const shop = JSON.stringify({ name: 'shop', url: 'http://10.0.0.5:8080/health' })

t.test('what is registered is in svc_status, in every format', async (t) => {
  const { address, fleet } = await running(t)
  t.equal((await fetch(`${address}/apps`, { method: 'POST', headers: json, body: shop })).status, 201)
  t.match(await (await fetch(`${address}/svc_status.csv`)).text(), /^shop\tYELLOW$/m)
  fleet.set('shop', { state: 'UNHEALTHY' })
  t.match(await (await fetch(`${address}/svc_status.json`)).json(), { shop: { state: 'RED', detail: 'UNHEALTHY' } })
  t.match(await (await fetch(`${address}/svc_status.prometheus`)).text(), /^svc_status\{name="shop"\} 2$/m)
  t.equal((await fetch(`${address}/svc_status.health`)).status, 503)
  t.match(await (await fetch(`${address}/svc_status.html`)).text(), /shop/)
  t.equal((await fetch(`${address}/svc_status/shop`)).status, 503)
  t.equal(fleet.started, 1)
})

t.test('a second listen joins the first, and so does a second close', async (t) => {
  const { checker, address, fleet } = await running(t)
  t.equal(await checker.listen(), address)
  await Promise.all([checker.close(), checker.close()])
  t.equal(fleet.started, 1)
  t.equal(fleet.closed, 1)
  await t.rejects(fetch(address))
})

t.test('beyond this machine it needs a token, or to be open on purpose', async (t) => {
  const fleet = new FakeFleet()
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'checker.lan', '::ffff:192.0.2.1']) {
    t.throws(() => new Healthchecker({ fleet, host }), { code: 'ERR_INVALID_OPTION', message: /set the option "token", or "open"/ }, host)
    t.doesNotThrow(() => new Healthchecker({ fleet, host, token }), host)
    t.doesNotThrow(() => new Healthchecker({ fleet, host, open: true }), host)
  }
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'LOCALHOST']) t.doesNotThrow(() => new Healthchecker({ fleet, host }), host)
})

t.test('wrong options are refused by name', async (t) => {
  const fleet = new FakeFleet()
  for (const [options, code, message] of [
    [{}, 'ERR_INVALID_OPTION', /"fleet" must be a fleet, not undefined/],
    [{ fleet: {} }, 'ERR_INVALID_OPTION', /register\(\) of the option "fleet"/],
    [{ fleet, prot: 1 }, 'ERR_UNKNOWN_OPTION', /no option "prot"/],
    [{ fleet, port: 65_536 }, 'ERR_OPTION_OUT_OF_RANGE', /"port" must be from 0 to 65535/],
    [{ fleet, host: '' }, 'ERR_INVALID_OPTION', /"host"/],
    [{ fleet, open: 'yes' }, 'ERR_INVALID_OPTION', /"open"/],
    [{ fleet, announce: 1 }, 'ERR_INVALID_OPTION', /"announce"/],
    [{ fleet, mailAllow: ['x'] }, 'ERR_INVALID_OPTION', /"mailAllow"/],
    [{ fleet, mailer: {} }, 'ERR_INVALID_OPTION', /start\(\) of the option "mailer"/],
    [{ fleet, fastify: 1 }, 'ERR_INVALID_OPTION', /"fastify"/],
    [{ fleet, token: ' hunter2-hunter2-hunter2' }, 'ERR_INVALID_OPTION', /^(?!.*hunter2)/],
    [{ fleet, token: 'hunter2-hunter2' }, 'ERR_INVALID_OPTION', /^(?!.*hunter2)the option "token" must have 16 characters at least/]
  ] as const) t.throws(() => new Healthchecker(options as never), { code, message }, String(message))
})

t.test('the token guards the apps, and the probe too', async (t) => {
  const { address, fleet } = await running(t, { token })
  const asked = async (path: string, authorization: string): Promise<number> =>
    (await fetch(`${address}${path}`, { method: 'POST', headers: { ...json, authorization }, body: shop })).status
  t.equal(await asked('/apps', ''), 401)
  t.equal(await asked('/apps', `Bearer ${token}r`), 401)
  t.equal(fleet.size, 0)
  t.equal(await asked('/apps', `Bearer ${token}`), 201)
  t.equal(await asked('/probe_status?body=OFF', `Bearer ${token}r`), 401)
  t.equal(await asked('/probe_status?body=OFF', `Bearer ${token}`), 200)
})

t.test('where it cannot start or listen, it lets go of everything', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const fleet = new FakeFleet()
  const { port } = taken.address() as AddressInfo
  const checker = new Healthchecker({ fleet, port, announce: false, fastify: {} })
  await t.rejects(checker.listen(), { code: 'EADDRINUSE' })
  t.equal(fleet.closed, 1)
  await checker.close()

  const locked = new FakeFleet()
  locked.failure = new Error('locked')
  await t.rejects(new Healthchecker({ fleet: locked, port: 0, fastify: {} }).listen(), { message: 'locked' })
  t.equal(locked.closed, 1)
})

t.test('the mailer starts with a fleet that is started, and is closed before it', async (t) => {
  const steps: string[] = []
  const { checker, fleet } = await running(t, {
    mailer: {
      start: async (fleet) => { steps.push(`start ${(fleet as FakeFleet).started}`) },
      close: async () => { steps.push(`close ${fleet.closed}`) }
    }
  })
  await checker.close()
  t.same(steps, ['start 1', 'close 0'])
  t.equal(fleet.closed, 1)
})

t.test('a mailer that says how it does is a status handler while it runs', async (t) => {
  const mailer = { start: async () => {}, close: async () => {}, getStatus: () => ({ state: 'RED', detail: 'no mail goes out' } as const) }
  const { checker, fleet, address } = await running(t, { mailer })
  t.match(await (await fetch(`${address}/svc_status.prometheus`)).text(), /^svc_status\{name="healthchecker mail"\} 2$/m)
  t.match(await (await fetch(`${address}/svc_status.json`)).json(), { 'healthchecker mail': { detail: 'no mail goes out' } })
  const put = await fetch(`${address}/apps/healthchecker%20mail`, { method: 'PUT', headers: json, body: JSON.stringify({ url: 'http://10.0.0.5' }) })
  t.match([put.status, await put.json()], [400, { code: 'ERR_INVALID_REGISTRATION', message: /must not be "healthchecker mail"/ }])
  await checker.close()
  t.same((await fleet.registry.snapshot()).entries, [])
})

t.test('one that never listened closes its fleet', async (t) => {
  const fleet = new FakeFleet()
  await new Healthchecker({ fleet }).close()
  t.equal(fleet.closed, 1)
})

t.test('it closes while a request never comes whole, one is never answered, and its fleet hangs', async (t) => {
  const { lines, stream } = logLines()
  const { checker, fleet, address } = await running(t, { fastify: { logger: { level: 'error', stream } } })
  let asked = false
  fleet.close = () => new Promise(() => {})
  fleet.register = () => { asked = true; return new Promise(() => {}) }
  const head = 'POST /apps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  for (const request of [`${head}Content-Length: 100\r\n\r\n{`, `${head}Content-Length: ${shop.length}\r\n\r\n${shop}`]) {
    const socket = connect(Number(new URL(address).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(request)
  }
  await until(() => asked, 'the second request is under way')
  t.intercept(globalThis, 'setTimeout', { value: ((run: () => void, delay: number) => hurried(run, delay)) as typeof setTimeout })
  await checker.close()
  t.match(lines, [{ err: { message: 'timed out after 5000 ms' }, msg: 'the fleet did not close in time' }])
})

const realSetTimeout = setTimeout
/** Five seconds take a fiftieth of the time. */
function hurried (run: () => void, delay: number): NodeJS.Timeout {
  return realSetTimeout(run, delay === 5_000 ? 100 : delay)
}

t.test('it is announced while it listens', async (t) => {
  const mdnsPort = await freePort()
  const { checker, address } = await running(t, { announce: true }, mdnsPort)
  t.equal(await findHealthchecker(10_000, new AbortController().signal, mdnsPort), address)
  await checker.close()
  t.equal(await findHealthchecker(300, new AbortController().signal, mdnsPort), undefined)
})
