import t from 'tap'
import { bearerToken, localOnly, statusPlugin } from '../../lib/index.js'
import { everybody, statusApp } from '../support/app.js'

t.test('in service the probe answers 200 OK, as plain text that nobody stores', async (t) => {
  const { app } = await statusApp(t)
  const reply = await app.inject('/probe_status')
  t.equal(reply.statusCode, 200)
  t.equal(reply.body, 'OK')
  t.match(reply.headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
})

t.test('out of service it answers 503 with the body that was set', async (t) => {
  const { app } = await statusApp(t)
  for (const body of ['OFF', 'außer Betrieb 🚧', '<script>alert(1)</script>', 'x'.repeat(256)]) {
    await app.svcStatus.decommission(body)
    const reply = await app.inject('/probe_status')
    t.equal(reply.statusCode, 503)
    t.equal(reply.body, body)
    t.match(reply.headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    t.equal(app.svcStatus.decommissioned?.body, body)
  }
  await app.svcStatus.recommission()
  t.equal((await app.inject('/probe_status')).body, 'OK')
  await app.svcStatus.decommission()
  t.equal((await app.inject('/probe_status')).body, 'OFF', 'which is the default')
})

t.test('the probe runs no handler', async (t) => {
  let ran = 0
  const { app } = await statusApp(t, { handlers: { db: () => ++ran > 0 } })
  await app.inject('/probe_status')
  await app.svcStatus.decommission()
  await app.inject('/probe_status')
  await app.inject('/live_status')
  t.equal(ran, 0)
})

t.test('live_status depends on nothing', async (t) => {
  const { app } = await statusApp(t, { handlers: { db: () => 'RED', hangs: async () => await new Promise(() => {}) } })
  await app.svcStatus.decommission()
  const drained = app.svcStatus.drain({ delay: 60_000 })
  const reply = await app.inject('/live_status')
  t.equal(reply.statusCode, 200)
  t.equal(reply.body, 'OK')
  t.match(reply.headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  await app.close()
  await drained
})

const accepted: Array<[string, string, string | undefined]> = [
  ['?body=OFF', 'OFF', 'OFF'],
  ['?body=off', 'off', 'off'],
  ['?body=maintenance+until%2012%3A00', 'maintenance until 12:00', 'maintenance until 12:00'],
  ['?body=au%C3%9Fer%20Betrieb%20%F0%9F%9A%A7', 'außer Betrieb 🚧', 'außer Betrieb 🚧'],
  ['?%62ody=OFF', 'OFF', 'OFF'],
  [`?body=${'x'.repeat(256)}`, 'x'.repeat(256), 'x'.repeat(256)],
  ['?body=a%26b%3Dc%23', 'a&b=c#', 'a&b=c#'],
  ['?body=OK', 'OK', undefined],
  ['?body=ok', 'ok', undefined],
  ['?body=Ok', 'Ok', undefined],
  ['?body=%4FK', 'OK', undefined],
  ['', 'OK', undefined],
  ['?', 'OK', undefined]
]

for (const [query, body, stands] of accepted) {
  t.test(`POST ${query.slice(0, 40)} ${stands === undefined ? 'recommissions' : 'decommissions'} and replies with the body`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
    for (const before of [undefined, 'BEFORE']) {
      if (before === undefined) await app.svcStatus.recommission()
      else await app.svcStatus.decommission(before)
      const reply = await app.inject({ method: 'POST', url: `/probe_status${query}` })
      t.equal(reply.statusCode, 200)
      t.equal(reply.body, body)
      t.match(reply.headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
      t.equal(app.svcStatus.decommissioned?.body, stands)
      t.equal((await app.inject('/probe_status')).body, stands ?? 'OK')
    }
  })
}

const refused: Array<[string, string, RegExp]> = [
  ['a carriage return', '?body=a%0Db', /control characters/],
  ['a line feed', '?body=a%0Ab', /control characters/],
  ['a header that was smuggled in', '?body=OFF%0D%0ASet-Cookie:%20a=b', /control characters/],
  ['NUL', '?body=%00', /control characters/],
  ['ESC', '?body=%1B%5B2J', /control characters/],
  ['257 characters', `?body=${'x'.repeat(257)}`, /1 to 256 characters/],
  ['8,000 characters', `?body=${'x'.repeat(8_000)}`, /1 to 256 characters/],
  ['an empty body', '?body=', /1 to 256 characters/],
  ['a body without a value', '?body', /1 to 256 characters/],
  ['a mistyped key', '?boddy=OFF', /"boddy"; it takes body, for and reason/],
  ['a key in other case', '?BODY=OFF', /"BODY"/],
  ['a nested key', '?body[]=OFF', /"body\[\]"/],
  ['an empty key', '?=OFF', /""; it takes body, for and reason/],
  ['a value without a key', '?OFF', /"OFF"/],
  ['a key beside it', '?body=OFF&force=1', /"force"/],
  ['a key before it', '?a&body=OFF', /"a"/],
  ['__proto__', '?__proto__=OFF', /"__proto__"/],
  ['the key twice', '?body=A&body=B', /more than once/],
  ['the key twice with the same value', '?body=OFF&body=OFF', /more than once/],
  ['the key twice, once encoded', '?body=A&bod%79=B', /more than once/],
  ['OK beside something else', '?body=OK&body=OFF', /more than once/]
]

for (const [what, query, message] of refused) {
  t.test(`POST with ${what} is 400 that says why, and the state stays`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
    for (const before of [undefined, 'BEFORE']) {
      if (before !== undefined) await app.svcStatus.decommission(before)
      const reply = await app.inject({ method: 'POST', url: `/probe_status${query}` })
      t.equal(reply.statusCode, 400)
      t.match(reply.json(), { statusCode: 400, code: 'ERR_INVALID_DECOMMISSION', message })
      t.match(reply.json().message, /nothing was changed/)
      t.equal(reply.headers['cache-control'], 'no-store')
      t.equal(reply.headers['set-cookie'], undefined)
      t.equal(app.svcStatus.decommissioned?.body, before)
    }
  })
}

t.test('the address of the probe is an option, and so is that there is none', async (t) => {
  const { app } = await statusApp(t, { prefix: '/x', probeStatus: { path: '/probe', auth: everybody }, liveStatus: { path: '/live' } })
  t.equal((await app.inject({ method: 'POST', url: '/x/probe?body=OFF' })).statusCode, 200)
  t.equal((await app.inject('/x/probe')).body, 'OFF')
  t.equal((await app.inject('/x/live')).body, 'OK')
  const { app: none } = await statusApp(t, { probeStatus: false, liveStatus: false })
  for (const url of ['/probe_status', '/live_status']) t.equal((await none.inject(url)).statusCode, 404)
  t.equal((await none.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 404)
})

t.test('in a scope with a prefix of its own the probe can be posted to as well', async (t) => {
  const { app } = await statusApp(t, { svcStatus: false, probeStatus: false, liveStatus: false })
  await app.register(async (scope) => {
    await scope.register(statusPlugin, { probeStatus: { auth: everybody } })
  }, { prefix: '/scope' })
  t.equal((await app.inject({ method: 'POST', url: '/scope/probe_status?body=OFF' })).statusCode, 200)
  t.equal((await app.inject('/scope/probe_status')).body, 'OFF')
})

t.test('what was decommissioned with a token or from the host is back with the same', async (t) => {
  const token = 's3cret'
  const { app } = await statusApp(t, { probeStatus: { auth: bearerToken(token) } })
  const post = async (query: string) => (await app.inject({ method: 'POST', url: `/probe_status${query}`, headers: { authorization: `Bearer ${token}` } })).statusCode
  t.equal(await post('?body=OFF'), 200)
  t.equal((await app.inject('/probe_status')).statusCode, 503)
  t.equal(await post(''), 200)
  t.equal((await app.inject('/probe_status')).statusCode, 200)
  const { app: local } = await statusApp(t, { probeStatus: { auth: localOnly() } })
  t.equal((await local.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 200)
})
