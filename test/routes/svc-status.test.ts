import { Gauge, Registry } from 'prom-client'
import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import type { Format, RenderContext } from '../../types/format.js'
import type { StatusPluginOptions } from '../../types/options.js'
import { statusApp } from '../support/app.js'

const extensions: Array<[string, string]> = [
  ['csv', 'text/csv; charset=utf-8; header=absent'],
  ['json', 'application/json; charset=utf-8'],
  ['prometheus', 'text/plain; version=0.0.4; charset=utf-8'],
  ['health', 'application/health+json; charset=utf-8'],
  ['html', 'text/html; charset=utf-8']
]

const types = (header: unknown): string => String(header).split(';')[0]

t.test('the extension says the format, whatever Accept says', async (t) => {
  const { app } = await statusApp(t)
  for (const [extension, contentType] of extensions) {
    for (const accept of ['*/*', 'text/html', 'application/json', 'image/png', '*/*;q=0']) {
      const reply = await app.inject({ url: `/svc_status.${extension}`, headers: { accept } })
      t.equal(reply.statusCode, 200)
      t.equal(reply.headers['content-type'], contentType, `${extension} for ${accept}`)
    }
    t.equal((await app.inject(`/svc_status.${extension}`)).headers['content-type'], contentType, extension)
  }
})

t.test('an exposition format has two content types, among which Accept chooses', async (t) => {
  const { app } = await statusApp(t, { metrics: { registries: [] } })
  const get = async (accept: string) => await app.inject({ url: '/svc_status.prometheus', headers: { accept } })
  t.equal(types((await get('*/*')).headers['content-type']), 'text/plain')
  t.equal(types((await get('image/png')).headers['content-type']), 'text/plain')
  const reply = await get('application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2')
  t.equal(reply.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  t.ok(reply.body.endsWith('\n# EOF\n'))
})

t.test('without an extension Accept decides, and the reply says that it did', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('db', () => true)
  for (const [, contentType] of extensions) {
    const reply = await app.inject({ url: '/svc_status', headers: { accept: contentType.split(';')[0] } })
    t.equal(reply.headers['content-type'], contentType)
    t.match(reply.headers.vary, /accept/i)
  }
  t.equal((await app.inject('/svc_status')).body, 'db\tOK\n')
})

t.test('a handler that came later is shown, and so is a registry of metrics that was set to OpenMetrics later', async (t) => {
  const metrics = new Registry()
  new Gauge({ name: 'users', help: 'x', registers: [metrics] }).set(3)
  const { app, registry } = await statusApp(t, { metrics: { registries: [metrics] } })
  await app.ready()
  registry.addStatusHandler('db', () => true)
  metrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  const reply = await app.inject({ url: '/svc_status', headers: { accept: 'application/openmetrics-text' } })
  t.equal(types(reply.headers['content-type']), 'application/openmetrics-text')
  t.match(reply.body, /svc_status\{name="db"\} 0[^]*\nusers 3\n# EOF\n$/)
})

t.test('where nothing is acceptable the reply lists what there is', async (t) => {
  const { app } = await statusApp(t, { prefix: '/x', svcStatus: { path: '/state' }, metrics: { registries: [] } })
  const reply = await app.inject({ url: '/x/state', headers: { accept: 'image/png' } })
  t.equal(reply.statusCode, 406)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.match(reply.headers.vary, /accept/i)
  const { message, available } = reply.json()
  t.strictSame(available.map(({ path, contentType }: Record<string, string>) => [path, types(contentType)]), [
    ['/x/state.csv', 'text/csv'],
    ['/x/state.json', 'application/json'],
    ['/x/state.prometheus', 'text/plain'],
    ['/x/state.prometheus', 'application/openmetrics-text'],
    ['/x/state.health', 'application/health+json'],
    ['/x/state.html', 'text/html']
  ])
  for (const { path, contentType } of available) {
    t.equal((await app.inject({ url: path, headers: { accept: contentType } })).headers['content-type'], contentType, 'and it is there')
    t.match(message, contentType)
  }
})

t.test('every reply forbids to store it and to take it for something else', async (t) => {
  const { app, registry } = await statusApp(t, { svcStatus: { health: true } })
  registry.addStatusHandler('db', () => 'RED')
  for (const url of ['/svc_status', '/health', '/svc_status/db', ...extensions.map(([extension]) => `/svc_status.${extension}`)]) {
    const { headers } = await app.inject(url)
    t.equal(headers['cache-control'], 'no-store', url)
    t.equal(headers['x-content-type-options'], 'nosniff', url)
  }
})

t.test('the page comes with its policy, and the other formats without', async (t) => {
  const { app } = await statusApp(t)
  t.match((await app.inject('/svc_status.html')).headers, { 'content-security-policy': /default-src 'none'/, 'referrer-policy': 'no-referrer' })
  t.equal((await app.inject('/svc_status.json')).headers['content-security-policy'], undefined)
})

t.test('a scrape and the page stay 200 while something is RED, and health+json does not', async (t) => {
  const { app, registry } = await statusApp(t, { svcStatus: { health: true } })
  const codes = async (): Promise<number[]> => await Promise.all([...extensions.map(([extension]) => `/svc_status.${extension}`), '/health'].map(async (url) => (await app.inject(url)).statusCode))
  registry.addStatusHandler('a', () => 'YELLOW')
  t.strictSame(await codes(), [200, 200, 200, 200, 200, 200])
  registry.addStatusHandler('b', () => 'RED', { critical: false })
  t.strictSame(await codes(), [200, 200, 200, 200, 200, 200], 'a handler that is not critical')
  registry.addStatusHandler('c', () => 'RED')
  t.strictSame(await codes(), [200, 200, 200, 503, 200, 503])
})

t.test('which formats answer 503 is an option', async (t) => {
  const { app, registry } = await statusApp(t, { svcStatus: { unavailableOnRed: ['json', 'csv'] } })
  registry.addStatusHandler('c', () => 'RED')
  const codes = await Promise.all(extensions.map(async ([extension]) => (await app.inject(`/svc_status.${extension}`)).statusCode))
  t.strictSame(codes, [503, 503, 200, 200, 200])
  t.equal((await app.inject({ url: '/svc_status', headers: { accept: 'application/json' } })).statusCode, 503)
})

t.test('health+json has a path of its own where it was asked for', async (t) => {
  const cases: Array<[StatusPluginOptions, string, number]> = [
    [{}, '/health', 404],
    [{ svcStatus: { health: true } }, '/health', 200],
    [{ svcStatus: { health: '/healthz' } }, '/healthz', 200],
    [{ svcStatus: { health: '/healthz' } }, '/health', 404],
    [{ prefix: '/x', svcStatus: { health: true } }, '/x/health', 200]
  ]
  for (const [options, url, statusCode] of cases) {
    const { app } = await statusApp(t, options)
    const reply = await app.inject({ url, headers: { accept: 'text/html' } })
    t.equal(reply.statusCode, statusCode, url)
    if (statusCode === 200) t.equal(types(reply.headers['content-type']), 'application/health+json')
  }
})

t.test('sensible HTTP for the rest', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('db', () => true)
  const cases: Array<[string, string, number]> = [
    ['GET', '/svc_status.xml', 404],
    ['GET', '/svc_status.', 404],
    ['GET', '/svc_status.json/', 404],
    ['GET', '/svc_status.json%2f', 404],
    ['GET', '/svc_status%2edoc', 404],
    ['GET', '/svc_status/', 308],
    ['GET', '/svc_status/?a=b', 308],
    ['GET', '/svc_status//', 404],
    ['GET', '/svc_status?unknown=1', 200],
    ['GET', '/svc_status?a=%zz', 200],
    ['POST', '/svc_status', 404],
    ['DELETE', '/svc_status.json', 404],
    ['PUT', '/probe_status', 404],
    ['OPTIONS', '/svc_status', 404]
  ]
  for (const [method, url, statusCode] of cases) {
    t.equal((await app.inject({ method: method as 'GET', url })).statusCode, statusCode, `${method} ${url}`)
  }
})

t.test('a trailing slash leads to the address without, wherever that is', async (t) => {
  for (const [options, url, target] of [
    [{}, '/svc_status/', '/svc_status'],
    [{}, '/svc_status/?a=b&c', '/svc_status?a=b&c'],
    [{ prefix: '/x/y' }, '/x/y/svc_status/', '/x/y/svc_status'],
    [{ svcStatus: { path: '/state' } }, '/state/', '/state']
  ] as Array<[StatusPluginOptions, string, string]>) {
    const { app } = await statusApp(t, options)
    const reply = await app.inject(url)
    t.equal(reply.statusCode, 308)
    t.equal(reply.headers['cache-control'], 'no-store')
    const { pathname, search } = new URL(reply.headers.location as string, `http://localhost${url}`)
    t.equal(pathname + search, target)
    t.equal((await app.inject(pathname + search)).statusCode, 200)
  }
})

t.test('an app that ignores trailing slashes needs no redirect', async (t) => {
  const { app } = await statusApp(t, {}, { routerOptions: { ignoreTrailingSlash: true } })
  t.equal((await app.inject('/svc_status/')).statusCode, 200)
})

t.test('conditional and range requests are answered in full, since nobody stores a reply', async (t) => {
  const { app } = await statusApp(t)
  for (const headers of [{ 'if-none-match': '*' }, { 'if-none-match': '"x"' }, { 'if-modified-since': new Date().toUTCString() }, { range: 'bytes=0-1' }]) {
    for (const url of ['/svc_status', '/svc_status.json', '/probe_status', '/live_status']) {
      const reply = await app.inject({ url, headers })
      t.equal(reply.statusCode, 200, `${url} ${JSON.stringify(headers)}`)
      t.equal(reply.headers.etag, undefined)
    }
  }
})

t.test('details are for whom the option lets', async (t) => {
  const given: Array<[StatusPluginOptions['details'], boolean, boolean]> = [
    [undefined, true, true],
    ['always', true, true],
    ['never', false, false],
    [({ headers }) => headers.authorization === 'let me', true, false],
    [async ({ headers }) => headers.authorization === 'let me', true, false],
    [(() => 'yes') as never, false, false],
    [(async () => 1) as never, false, false],
    [(() => undefined) as never, false, false]
  ]
  for (const [details, friend, stranger] of given) {
    const { app, registry } = await statusApp(t, { details })
    registry.addStatusHandler('db', () => ({ state: 'RED', detail: 'secret', more: 'secret' }))
    for (const url of ['/svc_status.json', '/svc_status.html', '/svc_status.health', '/svc_status/db']) {
      const accept = 'application/json'
      t.equal((await app.inject({ url, headers: { accept, authorization: 'let me' } })).body.includes('secret'), friend, `${url} ${String(details)}`)
      t.equal((await app.inject({ url, headers: { accept } })).body.includes('secret'), stranger, `${url} ${String(details)}`)
    }
  }
})

t.test('a details function that fails is an error of the app, and shows nothing', async (t) => {
  for (const details of [() => { throw new Error('no') }, async () => { throw new Error('no') }]) {
    const { app, registry } = await statusApp(t, { details })
    registry.addStatusHandler('db', () => ({ state: 'RED', detail: 'secret' }))
    for (const url of ['/svc_status.json', '/svc_status/db']) {
      const reply = await app.inject(url)
      t.equal(reply.statusCode, 500)
      t.notMatch(reply.body, 'secret')
    }
  }
})

t.test('a format of the app is served, negotiated and linked like ours', async (t) => {
  const asked: RenderContext[] = []
  const xml: Format = {
    name: 'xml',
    contentTypes: ['application/xml; charset=utf-8', 'text/xml'],
    headers: { 'x-own': 'yes' },
    async render ({ entries }, context) {
      asked.push(context)
      return [`<${context.contentType.split(';')[0]}>`, ...entries.map(({ name }) => name)]
    }
  }
  const { app, registry } = await statusApp(t, { formats: [xml], svcStatus: { unavailableOnRed: ['xml'] } })
  registry.addStatusHandler('db', () => 'RED')
  const reply = await app.inject('/svc_status.xml')
  t.equal(reply.body, '<application/xml>db')
  t.equal(reply.statusCode, 503)
  t.match(reply.headers, { 'content-type': 'application/xml; charset=utf-8', 'x-own': 'yes', 'cache-control': 'no-store' })
  t.equal((await app.inject({ url: '/svc_status', headers: { accept: 'text/xml, */*;q=0.1' } })).body, '<text/xml>db')
  t.match((await app.inject('/svc_status.html')).body, '<a href="svc_status.xml">xml</a>')
  t.strictSame([asked[0].details, asked[0].path, asked[0].formats], [true, 'svc_status', ['csv', 'json', 'prometheus', 'health', 'html', 'xml']])
})

t.test('a format of the app takes the place of ours', async (t) => {
  const { app } = await statusApp(t, { formats: [{ name: 'health', contentTypes: ['text/x-mine'], render: () => 'mine' }], svcStatus: { health: true } })
  for (const url of ['/svc_status.health', '/health']) t.match(await app.inject(url), { body: 'mine', headers: { 'content-type': /text\/x-mine/ } })
})

t.test('a format that fails after a handler was waited for is an error of the app too', async (t) => {
  const { app, registry } = await statusApp(t, { formats: [{ name: 'bad', contentTypes: ['text/bad'], render: () => { throw new Error('no') } }] })
  registry.addStatusHandler('later', async () => true)
  t.equal((await app.inject('/svc_status.bad')).statusCode, 500)
  t.equal((await app.inject('/svc_status.json')).statusCode, 200)
})

t.test('a format that fails is an error of the app, and the others work', async (t) => {
  const { app } = await statusApp(t, { formats: [{ name: 'bad', contentTypes: ['text/bad'], render: () => { throw new Error('no') } }] })
  t.equal((await app.inject('/svc_status.bad')).statusCode, 500)
  t.equal((await app.inject('/svc_status.json')).statusCode, 200)
})

t.test('a format hears of a decommission, and its warnings go to the log of the request', async (t) => {
  const warned: unknown[] = []
  const own: Format = { name: 'own', contentTypes: ['text/own'], render: (_snapshot, { decommission, warn }) => { warn({ a: 1 }, 'careful'); return decommission?.body ?? 'in' } }
  const { app } = await statusApp(t, { formats: [own] }, { logger: { level: 'warn', stream: { write: (line: string) => { warned.push(JSON.parse(line)) } } } })
  t.equal((await app.inject('/svc_status.own')).body, 'in')
  await app.svcStatus.decommission('gone')
  t.equal((await app.inject('/svc_status.own')).body, 'gone')
  t.match(warned, [{ a: 1, msg: 'careful', level: 40 }, {}])
})

t.test('handlers without a timeout of their own have that of the routes', async (t) => {
  const { app, registry } = await statusApp(t, { timeout: 15 })
  registry.addStatusHandler('hangs', async () => await new Promise(() => {}))
  registry.addStatusHandler('db', () => true)
  t.strictSame((await app.inject('/svc_status.json')).json(), { db: { state: 'OK' }, hangs: { state: 'RED', detail: 'timed out after 15 ms' } })
  t.equal((await app.inject('/svc_status/hangs')).statusCode, 503)
})

t.test('svc_status: false leaves the other routes alone', async (t) => {
  const { app } = await statusApp(t, { svcStatus: false })
  t.equal((await app.inject('/svc_status')).statusCode, 404)
  t.equal((await app.inject('/probe_status')).statusCode, 200)
})

t.test('a format renders in the async context of its own reader', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const { app, registry } = await statusApp(t, { formats: [{ name: 'who', contentTypes: ['text/plain'], render: () => `hello ${storage.getStore()}` }] })
  const answers: Array<(answer: boolean) => void> = []
  registry.addStatusHandler('slow', async () => await new Promise<boolean>((resolve) => { answers.push(resolve) }))
  const replies = ['ann', 'bob'].map((user) => storage.run(user, async () => await app.inject('/svc_status.who')))
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.equal(answers.length, 1, 'both wait for one run')
  answers[0](true)
  t.strictSame((await Promise.all(replies)).map(({ body }) => body), ['hello ann', 'hello bob'])
})
