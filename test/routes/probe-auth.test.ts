import t, { type Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { bearerToken, localOnly, statusPlugin, type Auth, type StatusPluginOptions } from '../../lib/index.js'
import { everybody, statusApp } from '../support/app.js'

/** Asks in service and out of it, to go out and to come back, and finds nothing changed. */
async function changesNothing (t: Test, options: StatusPluginOptions, request: InjectOptions, statusCode: number, message: RegExp): Promise<void> {
  const { app } = await statusApp(t, options, { trustProxy: true })
  for (const before of [undefined, 'BEFORE']) {
    if (before !== undefined) await app.svcStatus.decommission(before)
    for (const query of ['?body=OFF', '?body=OK', '', '?boddy=OFF', '?body=%00']) {
      const reply = await app.inject({ ...request, method: 'POST', url: `/probe_status${query}` })
      t.equal(reply.statusCode, statusCode, query)
      t.match(reply.json().message, message)
      t.equal(reply.headers['cache-control'], 'no-store')
      t.equal(app.svcStatus.decommissioned?.body, before)
    }
    t.equal((await app.inject('/probe_status')).body, before ?? 'OK', 'whoever may not post may read')
  }
}

const strangers: Array<[string, InjectOptions]> = [
  ['another host', { remoteAddress: '192.0.2.7' }],
  ['another host over IPv6', { remoteAddress: '2001:db8::1' }],
  ['another host, mapped', { remoteAddress: '::ffff:192.0.2.7' }],
  ['another host that says it is this one', { remoteAddress: '192.0.2.7', headers: { 'x-forwarded-for': '127.0.0.1' } }],
  ['a proxy on this host', { headers: { 'x-forwarded-for': '192.0.2.7' } }],
  ['a proxy with Forwarded', { headers: { forwarded: 'for=192.0.2.7' } }],
  ['a proxy with X-Forwarded-Proto alone', { headers: { 'x-forwarded-proto': 'https' } }],
  ['a proxy with X-Real-IP', { headers: { 'x-real-ip': '192.0.2.7' } }],
  ['a proxy with Via', { headers: { via: '1.1 varnish' } }],
  ['a page in a browser', { headers: { origin: 'https://example.com' } }],
  ['a form in a browser', { headers: { origin: 'null', 'content-type': 'application/x-www-form-urlencoded' } }],
  ['an image in a browser', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }],
  ['a name that was rebound to this host', { headers: { host: 'evil.example.com' } }]
]

for (const [what, request] of strangers) {
  t.test(`with localOnly, a request from ${what} is 403 and changes nothing`, async (t) => {
    await changesNothing(t, { probeStatus: { auth: localOnly() } }, request, 403, /needs a request from a program on the same host/)
  })
}

const credentials: Array<[string, InjectOptions]> = [
  ['no credentials', {}],
  ['wrong credentials', { headers: { authorization: 'Bearer wrong' } }],
  ['the right token in the query', { query: { token: 's3cret' } }],
  ['basic credentials', { headers: { authorization: `Basic ${Buffer.from('a:s3cret').toString('base64')}` } }]
]

for (const [what, request] of credentials) {
  t.test(`with a bearer token, a request with ${what} is 401 and changes nothing`, async (t) => {
    await changesNothing(t, { probeStatus: { auth: bearerToken('s3cret') } }, request, 401, /needs the header "Authorization: Bearer"/)
  })
}

t.test('401 carries the challenge', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: bearerToken('s3cret') } })
  t.equal((await app.inject({ method: 'POST', url: '/probe_status' })).headers['www-authenticate'], 'Bearer realm="svc_status"')
})

t.test('where nothing is configured nobody is let in, and the reply says what to configure', async (t) => {
  const token = process.env.SVC_STATUS_TOKEN
  delete process.env.SVC_STATUS_TOKEN
  t.teardown(() => { if (token !== undefined) process.env.SVC_STATUS_TOKEN = token })
  for (const options of [{}, { probeStatus: {} }]) {
    await changesNothing(t, options, {}, 403, /set probeStatus\.auth.*bearerToken.*localOnly\(\).*SVC_STATUS_TOKEN/)
  }
  process.env.SVC_STATUS_TOKEN = ''
  await changesNothing(t, {}, { headers: { authorization: 'Bearer ' } }, 403, /SVC_STATUS_TOKEN/)
})

t.test('where nothing is configured but SVC_STATUS_TOKEN is set, that is the token', async (t) => {
  const before = process.env.SVC_STATUS_TOKEN
  t.teardown(() => {
    if (before === undefined) delete process.env.SVC_STATUS_TOKEN
    else process.env.SVC_STATUS_TOKEN = before
  })
  process.env.SVC_STATUS_TOKEN = 'from the environment'
  await changesNothing(t, {}, { headers: { authorization: 'Bearer other' } }, 401, /Authorization: Bearer/)
  const { app } = await statusApp(t)
  const request: InjectOptions = { method: 'POST', url: '/probe_status?body=OFF', headers: { authorization: 'Bearer from the environment' } }
  t.equal((await app.inject(request)).statusCode, 200)
  t.equal(app.svcStatus.decommissioned?.body, 'OFF')
  const { app: own } = await statusApp(t, { probeStatus: { auth: bearerToken('own') } })
  t.equal((await own.inject(request)).statusCode, 401, 'an auth in the options comes first')
  process.env.SVC_STATUS_TOKEN = 'from a file\n'
  await t.rejects(statusApp(t), { code: 'ERR_INVALID_OPTION', message: /SVC_STATUS_TOKEN must be a token of ASCII characters without/ })
})

const answers: Array<[string, Auth, number]> = [
  ['true', () => true, 200],
  ['a promise of true', async () => true, 200],
  ['false', () => false, 403],
  ['a promise of false', async () => false, 403],
  ['something that is not quite true', (() => 'yes') as unknown as Auth, 403],
  ['nothing', (() => undefined) as unknown as Auth, 403],
  ['an error', () => { throw new Error('ldap is away') }, 500],
  ['a rejection', async () => { throw new Error('ldap is away') }, 500]
]

for (const [what, auth, statusCode] of answers) {
  t.test(`an auth of the app that answers ${what} gives ${statusCode}`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth } })
    const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })
    t.equal(reply.statusCode, statusCode)
    t.equal(app.svcStatus.decommissioned?.body, statusCode === 200 ? 'OFF' : undefined)
  })
}

t.test('the auth is asked before the body is read, and with the request', async (t) => {
  const asked: unknown[] = []
  const auth: Auth = ({ method, url, body }) => {
    asked.push([method, url, body])
    return true
  }
  const { app } = await statusApp(t, { probeStatus: { auth } })
  await app.inject({ method: 'POST', url: '/probe_status?body=OFF', payload: { a: 1 } })
  t.strictSame(asked, [['POST', '/probe_status?body=OFF', undefined]])
  await app.inject('/probe_status')
  t.equal(asked.length, 1, 'and not for reading')
})

t.test('decommissioning in code needs no auth', async (t) => {
  const { app } = await statusApp(t)
  await app.svcStatus.decommission()
  t.equal((await app.inject('/probe_status')).statusCode, 503)
  await app.svcStatus.recommission()
  t.equal((await app.inject('/probe_status')).statusCode, 200)
})

t.test('a second registration under another prefix has an auth of its own and the same decommission', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: bearerToken('s3cret') } })
  await app.register(statusPlugin, { prefix: '/inner', probeStatus: { auth: everybody } })
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 401)
  t.equal((await app.inject({ method: 'POST', url: '/inner/probe_status?body=OFF' })).statusCode, 200)
  t.equal((await app.inject('/probe_status')).body, 'OFF')
})
