import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import type { FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import { bearerToken } from '../lib/auth/bearer-token.js'
import { fail, OK, ok, RED, YELLOW } from '../lib/core/state.js'
import { HealthCheckServer } from '../lib/health-check-server.js'
import { Background } from '../lib/policies/background.js'
import { Hysteresis } from '../lib/policies/hysteresis.js'
import { Oneshot } from '../lib/policies/oneshot.js'
import { Toggle } from '../lib/policies/toggle.js'
import type { HealthCheckServerOptions, OnPost } from '../types/policies.js'
import type { State, StatusResult } from '../types/status.js'
import { recorder } from './policies/support/context.js'

interface Reply { readonly status: number, readonly body: string, readonly headers: Headers }

interface Running {
  readonly server: HealthCheckServer
  readonly address: string
  ask (path: string, init?: RequestInit): Promise<Reply>
}

/** A server of its own on a free port, closed when the test is over. Silent unless the test gives it a logger. */
async function running (t: Test, add: (server: HealthCheckServer) => void = () => {}, options: Partial<HealthCheckServerOptions> = {}): Promise<Running> {
  const server = new HealthCheckServer({ port: 0, host: '127.0.0.1', logger: false, ...options })
  t.teardown(async () => await server.close())
  add(server)
  const address = await server.listen()
  return {
    server,
    address,
    async ask (path, init) {
      const reply = await fetch(`${address}${path}`, init)
      return { status: reply.status, body: await reply.text(), headers: reply.headers }
    }
  }
}

/** The first line and the headers of the reply to a request with any method. */
async function headOf (address: string, line: string): Promise<string> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1')
  socket.end(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let head = ''
  for await (const chunk of socket) head += String(chunk)
  return head
}

const throws = (what: unknown) => () => { throw what }

const answers: Array<[title: string, task: () => unknown, status: number, body: string]> = [
  ['is OK', () => OK, 200, 'OK'],
  ['is ok', async () => ok, 200, 'OK'],
  ['is YELLOW, for it works', async () => ({ state: YELLOW, detail: 'slow' }), 200, 'OK'],
  ['is RED', () => ({ state: RED, detail: 'refused' }), 503, 'FAIL'],
  ['is fail', async () => fail, 503, 'FAIL'],
  ['throws', () => { throw new Error('password=hunter2') }, 500, 'ERROR'],
  ['rejects', async () => { throw new Error('password=hunter2') }, 500, 'ERROR'],
  ['hangs', async () => await new Promise(() => {}), 503, 'FAIL'],
  ['answers nonsense', () => 5, 503, 'FAIL']
]

t.test('GET and HEAD', async (t) => {
  const { ask } = await running(t, (server) => {
    for (const [title, task] of answers) server.addComponent(title, task as never)
  }, { timeout: 50 })
  for (const [title, , status, body] of answers) {
    t.test(`a component whose task ${title} is ${status} ${body}`, async (t) => {
      const path = `/${encodeURIComponent(title)}?x=1`
      const get = await ask(path)
      t.strictSame([get.status, get.body], [status, body])
      t.equal(get.headers.get('content-type'), 'text/plain; charset=utf-8')
      t.equal(get.headers.get('cache-control'), 'no-store')
      const head = await ask(path, { method: 'HEAD' })
      t.strictSame([head.status, head.body], [status, ''])
      t.equal(head.headers.get('content-length'), String(body.length))
    })
  }
})

t.test('what is no component is 404, whatever the method', async (t) => {
  const { ask, address } = await running(t, (server) => server.addComponent('mail', () => OK))
  for (const path of ['/', '/nothing', '/mail/', '/mail/x', '/MAIL', '/svc_status.xml', '/__proto__', '/probe_status', '/live_status']) {
    for (const method of ['GET', 'POST', 'DELETE']) t.equal((await ask(path, { method })).status, 404, `${method} ${path}`)
  }
  t.equal((await ask('/%zz')).status, 400)
  t.match(await headOf(address, 'PROPFIND /nothing'), /^HTTP\/1\.1 404 /)
})

t.test('a name may have inner slashes and any characters, up to a hundred', async (t) => {
  const names = ['eu/west/mail', 'ü b?&#', '😀'.repeat(50), 'x'.repeat(100), '__proto__']
  const { ask } = await running(t, (server) => {
    for (const name of names) server.addComponent(name, () => OK)
  })
  for (const name of names) t.equal((await ask(`/${encodeURIComponent(name)}`)).body, 'OK', name)
  t.equal((await ask('/eu/west/mail')).body, 'OK')
})

t.test('the svc_status of the components is beside them, in all formats', async (t) => {
  const { ask } = await running(t, (server) => {
    server.addComponent('mail', () => ({ state: RED, detail: 'refused' }))
    server.addComponent('web', () => OK)
  })
  t.equal((await ask('/svc_status')).body, 'mail\tRED\nweb\tOK\n')
  t.strictSame(JSON.parse((await ask('/svc_status.json')).body), { mail: { state: RED, detail: 'refused' }, web: { state: OK } })
  t.match((await ask('/svc_status.prometheus')).body, /^svc_status\{name="mail"\} 2$/m)
  t.strictSame([(await ask('/svc_status.health')).status, (await ask('/svc_status/mail')).status], [503, 503])
})

t.test('POST runs onPost: true is 200, false is 401', async (t) => {
  let letIn = true
  const { ask } = await running(t, (server) => {
    server.addComponent('sync', () => OK, { onPost: () => letIn })
    server.addComponent('async', () => OK, { onPost: async () => letIn })
    server.addComponent('expects', () => OK, { onPost: Object.assign(() => letIn, { challenge: 'Basic realm="x"', expects: 'a password' }) })
  })
  for (const name of ['sync', 'async', 'expects']) t.match(await ask(`/${name}`, { method: 'POST' }), { status: 200, body: 'OK' })
  letIn = false
  for (const name of ['sync', 'async']) {
    const { status, body, headers } = await ask(`/${name}`, { method: 'POST' })
    t.strictSame([status, body, headers.get('www-authenticate')], [401, 'you are not let in', null])
  }
  const { status, body, headers } = await ask('/expects', { method: 'POST' })
  t.strictSame([status, body, headers.get('www-authenticate')], [401, 'you are not let in: this needs a password', 'Basic realm="x"'])
  t.equal(headers.get('cache-control'), 'no-store')
})

t.test('what has no onPost is 405 with Allow, and so is every other method', async (t) => {
  const { ask, address } = await running(t, (server) => {
    server.addComponent('mail', () => OK)
    server.addComponent('reset', () => OK, { onPost: () => true })
  })
  for (const [path, methods, allow] of [
    ['/mail', ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], 'GET, HEAD'],
    ['/reset', ['PUT', 'PATCH', 'DELETE', 'OPTIONS'], 'GET, HEAD, POST']
  ] as const) {
    for (const method of methods) {
      const { status, body, headers } = await ask(path, { method })
      t.strictSame([status, body, headers.get('allow')], [405, 'Method Not Allowed', allow], `${method} ${path}`)
    }
  }
  for (const method of ['TRACE', 'PROPFIND', 'LOCK']) t.match(await headOf(address, `${method} /mail`), /^HTTP\/1\.1 405 .*allow: GET, HEAD\r\n/s, method)
})

t.test('what onPost throws is 500 and goes to the log, and its message to nobody else', async (t) => {
  const { lines, logger } = recorder()
  const failures: Array<[string, () => unknown, number]> = [
    ['throws', () => { throw new Error('password=hunter2') }, 500],
    ['rejects', async () => { throw new Error('password=hunter2') }, 500],
    ['odd', throws(undefined), 500],
    ['nothing', () => {}, 500],
    ['word', async () => 'yes', 500],
    ['busy', () => { throw Object.assign(new Error('password=hunter2'), { statusCode: 429, headers: { 'retry-after': '3' } }) }, 429],
    ['forbidden', () => { throw Object.assign(new Error('password=hunter2'), { statusCode: 403 }) }, 403],
    ['fine', () => { throw Object.assign(new Error('password=hunter2'), { statusCode: 200 }) }, 500]
  ]
  const { ask } = await running(t, (server) => {
    for (const [name, onPost] of failures) server.addComponent(name, () => OK, { onPost: onPost as OnPost })
  }, { logger })
  for (const [name, , status] of failures) {
    lines.length = 0
    const reply = await ask(`/${name}`, { method: 'POST' })
    t.strictSame([reply.status, reply.body], [status, 'ERROR'], name)
    t.equal(reply.headers.get('retry-after'), name === 'busy' ? '3' : null)
    t.match(lines, [{ level: 'error', about: { component: name } }], name)
    t.equal(lines.length, 1)
  }
  t.match(lines, [{ about: { err: { message: 'password=hunter2' } }, message: 'onPost threw' }])
})

t.test('an onPost may set a code or send a reply itself', async (t) => {
  const { lines, logger } = recorder()
  const { ask } = await running(t, (server) => {
    const add = (name: string, onPost: OnPost): void => server.addComponent(name, () => OK, { onPost })
    add('accepted', (_request, reply) => { reply.code(202); return true })
    add('forbidden', Object.assign((_request: unknown, reply: FastifyReply) => { reply.code(403); return false }, { challenge: 'Basic' }))
    add('challenge', Object.assign((_request: unknown, reply: FastifyReply) => { reply.header('www-authenticate', 'Mine'); return false }, { challenge: 'Basic' }))
    add('sends', (request, reply) => { reply.code(202).send(`got ${request.body as string}`) })
    add('returns', (_request, reply) => reply.code(202).send('mine'))
    add('later', async (_request, reply) => await reply.code(202).send('mine'))
    add('hijacks', (_request, reply) => { reply.hijack(); reply.raw.end('mine') })
    add('throws late', (_request, reply) => { reply.send('mine'); throw new Error('late') })
  }, { logger })
  const post = async (name: string, body?: string): Promise<[number, string]> => {
    const reply = await ask(`/${name}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    return [reply.status, reply.body]
  }
  t.strictSame(await post('accepted'), [202, 'OK'])
  t.strictSame(await post('forbidden'), [403, 'you are not let in'])
  t.equal((await ask('/forbidden', { method: 'POST' })).headers.get('www-authenticate'), null)
  t.equal((await ask('/challenge', { method: 'POST' })).headers.get('www-authenticate'), 'Mine')
  t.strictSame(await post('sends', '{"a":'), [202, 'got {"a":'], 'the body is text, whatever its type')
  for (const name of ['returns', 'later']) t.strictSame(await post(name), [202, 'mine'])
  for (const name of ['hijacks', 'throws%20late']) t.strictSame(await post(name), [200, 'mine'])
  t.equal((await post('sends', 'x'.repeat(20_000)))[0], 413)
  t.strictSame(lines.map(({ message }) => message), ['onPost threw'], 'nothing is sent twice')
})

t.test('a oneshot takes a POST from whom its auth lets in, and from nobody else', async (t) => {
  const reset = new Oneshot({ auth: bearerToken('secret') })
  const open = new Oneshot()
  const { ask } = await running(t, (server) => {
    server.addComponent('mail', new Toggle({ toFail: () => RED, toOk: reset, initialState: fail }), { onPost: reset.fire })
    server.addComponent('open', open, { onPost: open.fire })
  })
  const refused = await ask('/mail', { method: 'POST' })
  t.strictSame([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer realm="svc_status"'])
  t.equal((await ask('/mail')).body, 'FAIL')
  t.equal((await ask('/mail', { method: 'POST', headers: { authorization: 'Bearer secret' } })).status, 200)
  t.equal((await ask('/mail')).body, 'OK')
  t.equal((await ask('/mail')).body, 'FAIL')
  t.equal((await ask('/open', { method: 'POST' })).status, 401, 'without an auth nobody is let in')
})

t.test('components can be added while it listens', async (t) => {
  const { server, ask } = await running(t)
  t.equal((await ask('/late')).status, 404)
  server.addComponent('late', () => OK)
  t.equal((await ask('/late')).status, 200)
})

t.test('who asks at the same moment shares a run', async (t) => {
  let runs = 0
  const { ask } = await running(t, (server) => server.addComponent('slow', async () => {
    runs++
    await new Promise((resolve) => setTimeout(resolve, 200))
    return OK
  }))
  t.ok((await Promise.all(Array.from({ length: 20 }, async () => await ask('/slow')))).every(({ status }) => status === 200))
  t.ok(runs < 20, `${runs} runs`)
})

t.test('a second listen() joins the first, and a second close() likewise', async (t) => {
  const { server, address } = await running(t)
  t.equal(await server.listen(), address)
  await Promise.all([server.close(), server.close()])
  await server.close()
  await t.rejects(fetch(address))
})

t.test('close() ends what runs, answers who waits, stops the tasks and forgets the components', async (t) => {
  const { lines, logger } = recorder()
  const { server, ask } = await running(t, (server) => {
    server.addComponent('broken', { getStatus: () => OK, stop () { throw new Error('does not stop') } } as never)
  }, { logger })
  let begun: () => void
  const runs = new Promise<void>((resolve) => { begun = resolve })
  let signal: AbortSignal | undefined
  server.addComponent('runs', (context) => new Promise<StatusResult>((resolve) => {
    signal = context.signal
    signal.addEventListener('abort', () => resolve(RED))
    begun()
  }))
  const background = new Background({ task: () => OK, delay: 60_000 })
  server.addComponent('background', new Hysteresis({ task: background }))
  const waiting = ask('/runs')
  await runs
  await server.close()
  t.match(await waiting, { status: 503, body: 'FAIL' })
  t.equal(signal?.aborted, true)
  t.match(background.getStatus({ name: 'x', log: logger, signal: new AbortController().signal }), { detail: 'stopped' })
  t.match(lines, [{ level: 'error', about: { handler: 'broken', err: { message: 'does not stop' } }, message: 'task did not stop' }])
  t.strictSame(server.registry.latest().entries, [])
  server.addComponent('background', () => OK)
  const again = await server.listen()
  t.equal((await fetch(`${again}/background`)).status, 200, 'it can listen again, with components of its own')
})

t.test('who calls close() later waits as long as the first', async (t) => {
  let end: () => void = () => {}
  const { server } = await running(t)
  const stopping = new Promise<void>((resolve) => {
    server.addComponent('mail', { getStatus: () => OK as State, stop: async () => { resolve(); await new Promise<void>((resolve) => { end = resolve }) } } as never)
  })
  const order: string[] = []
  const first = server.close().then(() => order.push('first'))
  await stopping
  const second = server.close().then(() => order.push('second'))
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(order, [])
  end()
  await Promise.all([first, second])
  t.strictSame(order, ['first', 'second'])
})

t.test('close() without listen() stops the tasks', async (t) => {
  let stopped = 0
  const server = new HealthCheckServer({ port: 0 })
  server.addComponent('mail', { getStatus: () => OK as State, stop: async () => { stopped++ } } as never)
  server.addComponent('broken', { getStatus: () => OK as State, stop () { throw new Error('does not stop') } } as never)
  await server.close()
  t.equal(stopped, 1)
})

t.test('a port that is taken is an error, and the components stay', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const server = new HealthCheckServer({ port, host: '127.0.0.1', logger: false })
  t.teardown(async () => await server.close())
  let stopped = 0
  server.addComponent('mail', { getStatus: () => OK as State, stop: () => { stopped++ } } as never)
  await t.rejects(Promise.all([server.listen(), server.listen()]), { code: 'EADDRINUSE' })
  t.equal(server.registry.logger, undefined, 'nothing is left of the app that could not listen')
  const failing = server.listen()
  const closing = server.close()
  await t.rejects(failing, { code: 'EADDRINUSE' })
  await closing
  t.equal(stopped, 1)
  server.addComponent('mail', () => OK)
  await t.rejects(server.listen(), { code: 'EADDRINUSE' })
  other.close()
  await once(other, 'close')
  t.equal((await fetch(`${await server.listen()}/mail`)).status, 200)
})

t.test('by default it listens on localhost', async (t) => {
  const server = new HealthCheckServer({ port: 0, logger: false })
  t.teardown(async () => await server.close())
  server.addComponent('mail', () => OK)
  const { port } = new URL(await server.listen())
  t.equal((await fetch(`http://localhost:${port}/mail`)).status, 200)
})

t.test('a logger hears of tasks that throw, not of requests; one of pino\'s kind is Fastify\'s own', async (t) => {
  const { lines, logger } = recorder()
  const { ask } = await running(t, (server) => server.addComponent('mail', () => { throw new Error('x') }), { logger })
  await ask('/mail')
  await ask('/mail')
  await ask('/nothing')
  t.strictSame(lines.map(({ level, message }) => [level, message]), [['error', 'status handler threw']])

  const children: unknown[] = []
  const none = (): void => {}
  const pino = { level: 'info', info: none, warn: none, error: none, fatal: none, debug: none, trace: none, silent: none, child (bindings: unknown) { children.push(bindings); return pino } }
  const second = await running(t, (server) => server.addComponent('mail', () => OK), { logger: pino })
  await second.ask('/mail')
  t.ok(children.length > 0)
})

t.test('without a logger, warnings and errors go to stderr', async (t) => {
  // A process of its own on the built package, without what the test runner would put into its environment.
  const library = resolve(import.meta.dirname, '../dist/lib/health-check-server.js')
  const directory = t.testdir({
    'program.mjs': `
      import { HealthCheckServer } from ${JSON.stringify(library)}
      const server = new HealthCheckServer({ port: 0, host: '127.0.0.1' })
      server.addComponent('mail', () => { throw new Error('broken') })
      await fetch(await server.listen() + '/mail')
      await server.close()
      console.log('closed')
    `
  })
  const { stdout, stderr } = spawnSync('env', ['-i', process.execPath, resolve(directory, 'program.mjs')], { encoding: 'utf8', timeout: 50_000 })
  t.equal(stdout, 'closed\n')
  t.match(stderr, /"handler":"mail".*"message":"broken".*"msg":"status handler threw"/)
  t.notMatch(stderr, /incoming request|Deprecat/)
})

const bad: Array<[string, (server: HealthCheckServer) => unknown, string, RegExp]> = [
  ['a name that begins with a slash', (server) => server.addComponent('/mail', () => OK), 'ERR_INVALID_NAME', /must not begin with a slash; it is "\/mail"/],
  ['a name that is svc_status', (server) => server.addComponent('svc_status', () => OK), 'ERR_INVALID_NAME', /must not be an address of svc_status/],
  ['a name that is a format of svc_status', (server) => server.addComponent('svc_status.json', () => OK), 'ERR_INVALID_NAME', /"svc_status\.json"/],
  ['a name below svc_status', (server) => server.addComponent('svc_status/mail', () => OK), 'ERR_INVALID_NAME', /"svc_status\/mail"/],
  ['a name without characters', (server) => server.addComponent('', () => OK), 'ERR_INVALID_NAME', /1 to 100 characters/],
  ['a name that is no string', (server) => server.addComponent(5 as never, () => OK), 'ERR_INVALID_NAME', /must be a string/],
  ['a task that is none', (server) => server.addComponent('mail', 5 as never), 'ERR_INVALID_HANDLER', /"mail" must be a function/],
  ['a second component under a name', (server) => { server.addComponent('mail', () => OK); server.addComponent('mail', () => OK) }, 'ERR_DUPLICATE_HANDLER', /"mail" already/],
  ['an onPost that is no function', (server) => server.addComponent('mail', () => OK, { onPost: true as never }), 'ERR_INVALID_OPTION', /"onPost" must be a function, not true/],
  ['a mistyped option of a component', (server) => server.addComponent('mail', () => OK, { onpost: () => true } as never), 'ERR_UNKNOWN_OPTION', /addComponent has no option "onpost"/],
  ['no port', () => new HealthCheckServer({} as never), 'ERR_INVALID_OPTION', /"port" must be a number, not undefined/],
  ['a port that there is not', () => new HealthCheckServer({ port: 65_536 }), 'ERR_OPTION_OUT_OF_RANGE', /"port" must be from 0 to 65535/],
  ['a host without characters', () => new HealthCheckServer({ port: 0, host: '' }), 'ERR_INVALID_OPTION', /"host" must be an address or a host name, not ""/],
  ['a host that is no string', () => new HealthCheckServer({ port: 0, host: 5 as never }), 'ERR_INVALID_OPTION', /"host"/],
  ['no time for a task', () => new HealthCheckServer({ port: 0, timeout: 0 }), 'ERR_OPTION_OUT_OF_RANGE', /"timeout"/],
  ['a word for a logger', () => new HealthCheckServer({ port: 0, logger: 'console' as never }), 'ERR_INVALID_OPTION', /"logger" must be an object, not "console"/],
  ['a mistyped option', () => new HealthCheckServer({ port: 0, hostname: 'x' } as never), 'ERR_UNKNOWN_OPTION', /HealthCheckServer has no option "hostname"/]
]

for (const [title, call, code, message] of bad) {
  t.test(`${title} is refused with ${code}`, async (t) => {
    const server = new HealthCheckServer({ port: 0 })
    t.throws(() => call(server), { code, message })
  })
}

t.test('a component that is refused is not there', async (t) => {
  const { server, ask } = await running(t)
  t.throws(() => server.addComponent('mail', () => OK, { onPost: 5 as never }))
  t.throws(() => server.addComponent('svc_status', () => OK))
  t.equal((await ask('/mail')).status, 404)
  t.strictSame(server.registry.latest().entries, [])
})

for (const [what, sent] of [['nothing', ''], ['half a head', 'GET /a HTTP/1.1\r\nHost: x\r\n'], ['half a body', 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc']] as const) {
  t.test(`a client that sends ${what} does not hold up the close`, async (t) => {
    const server = new HealthCheckServer({ port: 0, logger: false, timeout: 200 })
    server.addComponent('a', () => true, { onPost: () => true })
    const address = new URL(await server.listen())
    const socket = connect({ port: Number(address.port), host: address.hostname.replace(/[[\]]/g, '') })
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(sent)
    // Another exchange, so that what was sent has been read.
    await fetch(`${address.href}a`, { headers: { connection: 'close' } })
    const closed = once(socket, 'close')
    socket.resume()
    await server.close()
    await closed
    t.pass('closed')
  })
}

t.test('a task whose stop() hangs does not hold up the close for ever, and is told of', async (t) => {
  const lines: string[] = []
  const server = new HealthCheckServer({ port: 0, logger: { info () {}, warn () {}, error: (_about: unknown, message?: string) => { lines.push(String(message)) } } })
  server.addComponent('a', { getStatus: () => true, stop: async () => await new Promise(() => {}) } as never)
  await server.listen()
  await server.close()
  t.strictSame(lines, ['task did not stop'])
})

t.test('a listen() during a close() waits for its end', async (t) => {
  const server = new HealthCheckServer({ port: 0, logger: false })
  await server.listen()
  const [, address] = await Promise.all([server.close(), server.listen()])
  t.teardown(() => server.close())
  t.equal((await fetch(`${address}/none`)).status, 404)
})

t.test('what is not allowed is said whatever the body', async (t) => {
  const server = new HealthCheckServer({ port: 0, logger: false })
  t.teardown(() => server.close())
  server.addComponent('a', () => true)
  const address = await server.listen()
  for (const headers of [undefined, { 'content-type': '' }, { 'content-type': 'x' }]) {
    const reply = await fetch(`${address}/a`, { method: 'POST', headers, body: 'x'.repeat(20_000) })
    t.strictSame([reply.status, reply.headers.get('allow')], [405, 'GET, HEAD'])
  }
})
