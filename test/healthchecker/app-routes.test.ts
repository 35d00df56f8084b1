import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyRequest, type InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { appRoutes, type AppRoutesOptions } from '../../lib/healthchecker/app-routes.js'
import { writers } from '../../lib/healthchecker/writers.js'
import { FakeFleet } from './support/fake-fleet.js'

interface Served {
  readonly app: FastifyInstance
  readonly fleet: FakeFleet
  ask (method: InjectOptions['method'], url: string, payload?: object, headers?: Record<string, string>): Promise<{ status: number, body: any, headers: Record<string, unknown> }>
}

const token = 'correct horse battery staple'
const bearer = { authorization: `Bearer ${token}` }

async function serve (t: Test, options: { token?: string, loopback?: boolean } & Partial<AppRoutesOptions> = {}): Promise<Served> {
  const { token, loopback = true, ...others } = options
  const app = Fastify()
  const fleet = new FakeFleet()
  t.teardown(async () => await app.close())
  appRoutes(app, { fleet, writers: writers(token, loopback), mailAllow: () => true, ...others })
  await app.ready()
  return {
    app,
    fleet,
    async ask (method, url, payload, headers = {}) {
      const reply = await app.inject({ method, url, payload, headers: { host: 'localhost:8080', ...headers } })
      return { status: reply.statusCode, body: reply.body === '' ? '' : reply.json(), headers: reply.headers }
    }
  }
}

const shop = { name: 'shop', url: 'http://10.0.0.5:8080/health' }

t.test('an app is registered, changed, read and deregistered', async (t) => {
  const { ask, fleet } = await serve(t)
  const created = await ask('POST', '/apps', { ...shop, interval: 10, tags: ['web'] })
  t.match(created, { status: 201, headers: { location: '/apps/shop', 'cache-control': 'no-store' }, body: { registered: 'created', name: 'shop', url: 'http://10.0.0.5:8080/health', state: 'UNKNOWN', status: 'YELLOW' } })
  t.match(created.body.registration, { interval: 10, timeout: 5, unhealthyThreshold: 2, healthyThreshold: 10, tags: ['web'], email: [] })
  t.match(await ask('POST', '/apps', { ...shop, interval: 10, tags: ['web'] }), { status: 200, body: { registered: 'unchanged' } })
  t.match(await ask('PUT', '/apps/shop', { url: shop.url, interval: 20 }), { status: 200, body: { registered: 'changed', registration: { interval: 20, tags: [] } } })
  t.match(await ask('PUT', '/apps/a%2Fb%20%C3%BC', { url: shop.url }), { status: 201, headers: { location: '/apps/a%2Fb%20%C3%BC' }, body: { name: 'a/b ü' } })
  t.match(await ask('GET', '/apps/a%2Fb%20%C3%BC'), { status: 200, body: { name: 'a/b ü' } })
  t.match(await ask('GET', '/apps/shop'), { status: 200, body: { name: 'shop', since: '2026-01-02T03:04:05.000Z', nextCheck: '2026-01-02T03:04:06.000Z', detail: 'not checked yet' } })
  t.match(await ask('DELETE', '/apps/shop'), { status: 204, body: '' })
  t.match(await ask('GET', '/apps/shop'), { status: 404, body: { code: 'ERR_UNKNOWN_APP', message: 'there is no app "shop"' } })
  t.equal(fleet.size, 1)
})

t.test('what is shown of a registration can be registered again as it is, and is as OpenAPI says', async (t) => {
  const { ask } = await serve(t)
  for (const url of ['http://a', 'http://[::1]:8080/x?y=z', 'https://b.example/', 'tcp://db:5432', 'tcp://[::1]:1', 'ssl://mail']) {
    const { body: { registration } } = await ask('POST', '/apps', { ...shop, url, email: ['me@example.org'], tags: ['web'], critical: false, interval: 300 })
    t.match(await ask('POST', '/apps', registration), { status: 200, body: { registered: 'unchanged', registration } }, url)
    t.equal('path' in registration, url.startsWith('http'), 'its path begins with /, or it has none')
  }
})

t.test('of a thousand that register at once, none is lost, and others have their turn in between', async (t) => {
  const { ask, fleet } = await serve(t)
  const register = fleet.register.bind(fleet)
  let inThisTurn = 0
  let mostInOneTurn = 0
  const order: string[] = []
  fleet.register = async (registration, registrant) => {
    if (++inThisTurn === 1) setImmediate(() => { inThisTurn = 0 })
    mostInOneTurn = Math.max(mostInOneTurn, inThisTurn)
    order.push(registration.name)
    return await register(registration, registrant)
  }
  const names = Array.from({ length: 1_000 }, (_item, index) => `app ${index}`)
  const replies = await Promise.all(names.map(async (name) => await ask('POST', '/apps', { ...shop, name })))
  t.ok(replies.every(({ status }) => status === 201))
  t.same(order, names)
  // What passes at the end of one turn and at the begin of the next may be counted together.
  t.ok(mostInOneTurn <= 100, `${mostInOneTurn} in one turn`)
  t.equal((await ask('DELETE', '/apps/app%201')).status, 204)
})

t.test('a name of 100 characters has an address, whatever they are', async (t) => {
  const { ask } = await serve(t)
  for (const name of ['x'.repeat(100), 'ü'.repeat(100), '💚'.repeat(50), '/'.repeat(100)]) {
    const { headers, status } = await ask('POST', '/apps', { ...shop, name })
    t.equal(status, 201)
    t.match(await ask('GET', String(headers.location)), { status: 200, body: { name } }, name)
  }
})

t.test('what is out of range is refused with the range, and nothing is registered', async (t) => {
  const { ask, fleet } = await serve(t)
  t.match(await ask('POST', '/apps', { ...shop, interval: 4 }), { status: 400, body: { code: 'ERR_INVALID_REGISTRATION', message: 'the parameter "interval" must be a whole number from 5 to 300 seconds, not 4' } })
  t.match(await ask('PUT', '/apps/shop', { ...shop, timeout: 30 }), { status: 400, body: { message: 'the parameter "timeout" must be below the interval of 30 seconds, not 30' } })
  t.match(await ask('PUT', '/apps/shop', { ...shop, name: 'other' }), { status: 400 })
  t.match(await ask('POST', '/apps', { ...shop, tags: ['x'.repeat(20_000)] }), { status: 413 })
  t.equal(fleet.size, 0)
})

t.test('a body that is no JSON is refused', async (t) => {
  const { app, fleet } = await serve(t)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a']) {
    const reply = await app.inject({ method: 'POST', url: '/apps', payload: JSON.stringify(shop), headers: { 'content-type': type, host: 'localhost' } })
    t.equal(reply.statusCode, 415, type)
  }
  t.equal((await app.inject({ method: 'POST', url: '/apps', payload: '{', headers: { 'content-type': 'application/json', host: 'localhost' } })).statusCode, 400)
  t.equal((await app.inject({ method: 'POST', url: '/apps', headers: { host: 'localhost' } })).statusCode, 400)
  t.equal(fleet.size, 0)
})

t.test('apps are paused and resumed, with who and why', async (t) => {
  const { ask } = await serve(t)
  await ask('POST', '/apps', shop)
  t.match(await ask('POST', '/apps/shop/pause', { why: 'moving' }), { status: 200, body: { paused: { by: '127.0.0.1', why: 'moving', at: '2026-01-02T03:04:05.000Z' } } })
  const resumed = await ask('POST', '/apps/shop/resume')
  t.equal(resumed.status, 200)
  t.notOk('paused' in resumed.body)
  t.match(await ask('POST', '/apps/shop/pause'), { status: 200 })
  t.match(await ask('POST', '/apps/shop/pause', { why: 'x'.repeat(201) }), { status: 400, body: { message: /"why" must be a text of 1 to 200 characters/ } })
  t.match(await ask('POST', '/apps/shop/pause', { why: '' }), { status: 400 })
  t.match(await ask('POST', '/apps/shop/pause', { why: 'a\u0007' }), { status: 400 })
  t.match(await ask('POST', '/apps/shop/pause', { reason: 'x' }), { status: 400, body: { message: /"reason" must be absent: there is only "why"/ } })
  t.match(await ask('POST', '/apps/shop/pause', []), { status: 400 })
  for (const path of ['pause', 'resume']) t.match(await ask('POST', `/apps/none/${path}`), { status: 404 }, path)
  t.match(await ask('DELETE', '/apps/none'), { status: 404 })
  t.match(await ask('GET', '/apps/none/history'), { status: 404 })
})

t.test('the list is filtered and bounded', async (t) => {
  const { ask, fleet } = await serve(t)
  for (let index = 0; index < 150; index++) {
    await ask('POST', '/apps', { name: `app ${String(index).padStart(3, '0')}`, url: `http://host${index % 10}.example`, tags: [index % 2 === 0 ? 'even' : 'odd'] })
  }
  fleet.set('app 003', { state: 'UNHEALTHY' })
  await fleet.pause('app 005')
  const names = async (query: string): Promise<string[]> => (await ask('GET', `/apps?${query}`)).body.apps.map(({ name }: { name: string }) => name)
  t.match(await ask('GET', '/apps'), { body: { total: 150, offset: 0, limit: 100, counts: { UNKNOWN: 148, UNHEALTHY: 1, PAUSED: 1 }, trouble: [] } })
  t.equal((await names('')).length, 100)
  t.same(await names('offset=148'), ['app 148', 'app 149'])
  t.same(await names('offset=1&limit=2'), ['app 001', 'app 002'])
  t.same(await names('state=UNHEALTHY'), ['app 003'])
  t.same(await names('state=PAUSED'), ['app 005'])
  t.notOk((await names('state=UNKNOWN&limit=1000')).includes('app 005'))
  t.same(await names('search=APP 01&tag=even'), ['app 010', 'app 012', 'app 014', 'app 016', 'app 018'])
  t.same(await names('search=HOST7&limit=1'), ['app 007'])
  t.equal((await names('state=&tag=&search=&offset=&limit=')).length, 100)
  for (const [query, message] of [
    ['limit=0', /"limit" of the query must be a whole number from 1 to 1000, not "0"/], ['limit=1001', /1 to 1000/], ['limit=x', /1 to 1000/], ['limit=1e2', /1 to 1000/],
    ['offset=-1', /"offset" of the query must be a whole number from 0/], ['state=BAD', /UNKNOWN, HEALTHY, DEGRADING, UNHEALTHY, PAUSED, not "BAD"/],
    ['sort=name', /no "sort"; it has state, tag, search, offset, limit/], ['tag=a&tag=b', /"tag" once/], [`search=${'x'.repeat(201)}`, /200 characters at most, not 201/]
  ] as const) t.match(await ask('GET', `/apps?${query}`), { status: 400, body: { message } }, query)
})

t.test('the history of an app has ISO times', async (t) => {
  const { ask, fleet } = await serve(t)
  await ask('POST', '/apps', shop)
  const at = Date.UTC(2026, 0, 1)
  fleet.histories.set('shop', {
    checks: [{ at, result: 'RED', duration: 3, error: 'refused' }, { at: 1e300, result: 'OK', duration: 3 }],
    hours: [{ at, checks: 2, failures: 1, meanDuration: 3, maxDuration: 3 }],
    uptime: { day: 0.5, week: 0.5, month: 0.5 }
  })
  fleet.set('shop', { lastCheck: { at, result: 'RED', duration: 3, error: 'refused' } })
  t.match(await ask('GET', '/apps/shop/history'), {
    status: 200,
    body: {
      uptime: { day: 0.5, week: 0.5, month: 0.5 },
      checks: [{ at: '2026-01-01T00:00:00.000Z', result: 'RED', duration: 3, error: 'refused' }, { at: '1e+300' }],
      hours: [{ at: '2026-01-01T00:00:00.000Z', checks: 2, failures: 1 }]
    }
  })
  t.match((await ask('GET', '/apps/shop')).body.lastCheck, { at: '2026-01-01T00:00:00.000Z', error: 'refused' })
  fleet.set('shop', { status: { state: 'OK' } })
  t.notOk('detail' in (await ask('GET', '/apps/shop')).body)
})

t.test('a token guards every write, and says who may name receivers', async (t) => {
  const { ask, fleet } = await serve(t, { token })
  const writes = [['POST', '/apps'], ['PUT', '/apps/shop'], ['DELETE', '/apps/shop'], ['POST', '/apps/shop/pause'], ['POST', '/apps/shop/resume']] as const
  await ask('POST', '/apps', { ...shop, email: ['me@example.org'] }, bearer)
  t.match(fleet.registrants, [{ by: '127.0.0.1', trusted: true }])
  for (const [method, url] of writes) {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${token}` }] as Array<Record<string, string>>) {
      t.match(await ask(method, url, method === 'DELETE' ? undefined : { ...shop, interval: 60 }, headers), { status: 401, headers: { 'www-authenticate': /Bearer/ } }, `${method} ${url}`)
    }
  }
  t.equal(fleet.get('shop')?.registration.interval, 30)
  t.equal(fleet.get('shop')?.paused, undefined)
  t.match(await ask('POST', '/apps/shop/pause', {}, bearer), { status: 200 })
  t.match(await ask('DELETE', '/apps/shop', undefined, bearer), { status: 204 })
})

t.test('who gets mail is shown to those alone who have the token', async (t) => {
  const { ask } = await serve(t, { token })
  await ask('POST', '/apps', { ...shop, email: ['me@example.org'] }, bearer)
  for (const url of ['/apps', '/apps/shop']) {
    t.notMatch(JSON.stringify((await ask('GET', url)).body), /me@example/)
    t.match(JSON.stringify((await ask('GET', url, undefined, bearer)).body), /me@example/)
  }
})

t.test('without a token, a page of another site changes nothing', async (t) => {
  const { ask, fleet } = await serve(t)
  for (const headers of [
    { origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { host: 'evil.example:8080', origin: 'http://evil.example:8080' }
  ] as Array<Record<string, string>>) t.match(await ask('POST', '/apps', shop, headers), { status: 403, body: { message: /this needs a request to this machine by its loopback name/ } }, JSON.stringify(headers))
  t.equal(fleet.size, 0)
  t.match(await ask('POST', '/apps', shop, { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' }), { status: 201 })
  t.match(await ask('POST', '/apps', shop, { host: '127.0.0.1:8080', origin: 'https://127.0.0.1:8080' }), { status: 200 })
  t.match(await ask('POST', '/apps', shop, { host: '[::1]:8080', 'sec-fetch-site': 'none' }), { status: 200 })
})

t.test('one that is open to all takes any name of its own, and still no page of another site', async (t) => {
  const { ask } = await serve(t, { loopback: false })
  t.match(await ask('POST', '/apps', shop, { host: 'checker.lan' }), { status: 201 })
  t.match(await ask('POST', '/apps', shop, { host: 'checker.lan', origin: 'http://evil.example' }), { status: 403, body: { message: /not from a page of another site/ } })
})

t.test('a registrant that came by an address of this machine from the same address is of this machine', async (t) => {
  const { isRemote } = writers(undefined, false)
  const from = (remoteAddress: string, headers = {}): boolean => isRemote({ raw: { socket: { remoteAddress, localAddress: '192.0.2.2' }, headers } } as FastifyRequest)
  t.equal(from('192.0.2.2'), false)
  t.equal(from('192.0.2.3'), true)
  t.equal(from('192.0.2.2', { 'x-forwarded-for': '198.51.100.1' }), true)
})

t.test('a registrant through a proxy, or of another machine, is remote', async (t) => {
  const { app, fleet } = await serve(t, { loopback: false })
  const register = async (remoteAddress: string, headers = {}): Promise<unknown> => {
    await app.inject({ method: 'POST', url: '/apps', payload: shop, remoteAddress, headers: { host: 'localhost', ...headers } })
    return fleet.registrants.at(-1)?.remote
  }
  t.equal(await register('127.0.0.1'), false)
  t.equal(await register('::1'), false)
  t.equal(await register('10.0.0.7'), true)
  t.equal(await register('127.0.0.1', { 'x-forwarded-for': '10.0.0.7' }), true)
  t.equal(await register('127.0.0.1', { 'sec-fetch-mode': 'cors' }), false, 'as the fetch of Node says it')
})

t.test('what the fleet refuses has a status code of its own', async (t) => {
  const { ask, fleet } = await serve(t)
  for (const [code, status] of [['ERR_TARGET_REFUSED', 400], ['ERR_TOO_MANY_APPS', 507], ['ERR_STORE_FAILED', 503], ['ERR_FLEET_CLOSED', 503]] as const) {
    fleet.failure = Object.assign(new Error('no'), { code })
    t.match(await ask('POST', '/apps', shop), { status, body: { code, message: 'no' } })
  }
  fleet.failure = Object.assign(new Error('mine'), { code: 'ERR_STORE_FAILED', statusCode: 418 })
  t.match(await ask('DELETE', '/apps/shop'), { status: 418 })
  fleet.failure = new Error('password=hunter2')
  t.match(await ask('DELETE', '/apps/shop'), { status: 500, body: { statusCode: 500, error: 'Internal Server Error', message: 'this went wrong, and the log says why' } })
  fleet.failure = undefined
  fleet.maxApps = 1
  await ask('POST', '/apps', shop)
  t.match(await ask('POST', '/apps', { ...shop, name: 'one more' }), { status: 507, body: { message: /1 apps already/ } })
  t.match(await ask('POST', '/apps', { ...shop, interval: 60 }), { status: 200 })
})

t.test('who is not allowed gets no mail, unless the registration carries the token', async (t) => {
  const { ask, fleet } = await serve(t, { token, mailAllow: (address) => address.endsWith('@example.org') })
  t.match(await ask('POST', '/apps', { ...shop, email: ['me@Example.ORG', 'ME@example.org'] }, bearer), { status: 201, body: { registration: { email: ['me@example.org'] } } })
  t.match(await ask('POST', '/apps', { ...shop, email: 'you@elsewhere.example' }, bearer), { status: 200 })
  const open = await serve(t, { mailAllow: (address) => address.endsWith('@example.org') })
  t.match(await open.ask('POST', '/apps', { ...shop, email: 'me@example.org' }), { status: 201 })
  t.match(await open.ask('POST', '/apps', { ...shop, email: 'you@elsewhere.example' }), { status: 403, body: { code: 'ERR_RECEIVER_REFUSED' } })
  t.same(open.fleet.get('shop')?.registration.email, ['me@example.org'])
  t.same(fleet.get('shop')?.registration.email, ['you@elsewhere.example'])
})

t.test('the routes are in OpenAPI, with their limits', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(swagger, { openapi: {} })
  appRoutes(app, { fleet: new FakeFleet(), writers: writers(undefined, true), mailAllow: () => true })
  await app.ready()
  const { paths } = JSON.parse(JSON.stringify(app.swagger()))
  t.same(Object.fromEntries(Object.entries(paths as Record<string, object>).map(([path, methods]) => [path, Object.keys(methods).sort()])), {
    '/apps': ['get', 'post'],
    '/apps/{name}': ['delete', 'get', 'put'],
    '/apps/{name}/history': ['get'],
    '/apps/{name}/pause': ['post'],
    '/apps/{name}/resume': ['post']
  })
  const { properties, required } = paths['/apps'].post.requestBody.content['application/json'].schema
  t.same(required, ['name'])
  t.match(properties, {
    name: { minLength: 1, maxLength: 100 },
    interval: { minimum: 5, maximum: 300, default: 30 },
    timeout: { minimum: 2, maximum: 60, default: 5 },
    unhealthyThreshold: { minimum: 2, maximum: 10, default: 2 },
    healthyThreshold: { minimum: 2, maximum: 10, default: 10 },
    protocol: { enum: ['TCP', 'HTTP', 'HTTPS', 'SSL'] }
  })
  t.same(Object.keys(paths['/apps'].post.responses).sort(), ['200', '201', '400', '401', '403', '413', '415', '503', '507'])
  t.match(paths['/apps'].get.parameters.map(({ name }: { name: string }) => name), ['state', 'tag', 'search', 'offset', 'limit'])
})
