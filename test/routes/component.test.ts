import t from 'tap'
import { statusApp } from '../support/app.js'

t.test('OK and YELLOW are 200, RED is 503, and an unknown name is 404', async (t) => {
  const { app, registry } = await statusApp(t)
  for (const state of ['OK', 'YELLOW', 'RED'] as const) registry.addStatusHandler(state, () => ({ state, detail: 'x' }))
  for (const [name, statusCode] of [['OK', 200], ['YELLOW', 200], ['RED', 503]] as const) {
    const reply = await app.inject(`/svc_status/${name}`)
    t.equal(reply.statusCode, statusCode)
    t.equal(reply.body, name)
    t.match(reply.headers, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', vary: /accept/i })
  }
  const unknown = await app.inject('/svc_status/nobody')
  t.equal(unknown.statusCode, 404)
  t.equal(unknown.headers['cache-control'], 'no-store')
  t.strictSame(unknown.json(), { statusCode: 404, error: 'Not Found', message: 'there is no status handler "nobody"' })
})

t.test('a handler that is not critical is RED on its own address all the same', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('cache', () => 'RED', { critical: false })
  t.equal((await app.inject('/svc_status/cache')).statusCode, 503)
})

t.test('who asks for JSON gets the status as it is', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('db', () => ({ state: 'RED', detail: 'down', replicas: [1, 2] }))
  const reply = await app.inject({ url: '/svc_status/db', headers: { accept: 'application/json' } })
  t.equal(reply.statusCode, 503)
  t.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(reply.json(), { state: 'RED', detail: 'down', replicas: [1, 2] })
  for (const accept of ['text/plain', '*/*', 'image/png', 'text/html,*/*;q=0.1', 'application/json;q=0.1,text/plain', '']) {
    t.equal((await app.inject({ url: '/svc_status/db', headers: { accept } })).body, 'RED', accept)
  }
})

t.test('only the handler that was asked for is run', async (t) => {
  const { app, registry } = await statusApp(t)
  const ran: string[] = []
  for (const name of ['a', 'b']) registry.addStatusHandler(name, () => ran.push(name) > 0)
  await app.inject('/svc_status/a')
  t.strictSame(ran, ['a'])
})

t.test('a handler that fails is RED, and no error of the app', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('throws', () => { throw new Error('secret') })
  const reply = await app.inject({ url: '/svc_status/throws', headers: { accept: 'application/json' } })
  t.equal(reply.statusCode, 503)
  t.strictSame(reply.json(), { state: 'RED', detail: 'threw Error' })
})

const names = [
  '__proto__', 'constructor', 'a"b\\c', 'a/b', '/', '//', '/a', 'a/', '%', '%%', '%2F', '%25', 'a%2Fb', '%zz', 'a?b', 'a#b', 'a;b', 'a&b=c', 'a b', ' ', 'a+b', '*', ':name', '...', '~', '!\'()', '😀', 'ü', '停止',
  '\u2028', '<img src=x onerror=alert(1)>', 'x'.repeat(100), '%'.repeat(100), 'ü'.repeat(100), '😀'.repeat(50), '/'.repeat(100)
]

for (const name of names) {
  t.test(`a handler has the address /svc_status/${encodeURIComponent(name).slice(0, 60)}`, async (t) => {
    const { app, registry } = await statusApp(t)
    registry.addStatusHandler(name, () => 'YELLOW')
    for (const url of [`/svc_status/${encodeURIComponent(name)}`, `/svc_status/${encodeURIComponent(name)}?a=b`]) {
      const reply = await app.inject(url)
      t.equal(reply.statusCode, 200, url)
      t.equal(reply.body, 'YELLOW')
    }
    t.equal((await app.inject({ method: 'HEAD', url: `/svc_status/${encodeURIComponent(name)}` })).statusCode, 200)
  })
}

t.test('what is no address of a handler is a client error', async (t) => {
  const { app, registry } = await statusApp(t)
  registry.addStatusHandler('a', () => true)
  for (const [url, statusCode] of [
    ['/svc_status/%00', 404], ['/svc_status/%0A', 404], ['/svc_status/toString', 404], ['/svc_status/%61', 200], ['/svc_status/A', 404],
    ['/svc_status/a/', 404], ['/svc_status/a/b', 404], ['/svc_status/%zz', 400], ['/svc_status/%F0', 400], ['/svc_status/' + 'x'.repeat(101), 414]
  ] as const) {
    t.equal((await app.inject(url)).statusCode, statusCode, url.slice(0, 40))
  }
})
