import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { bearerToken, requireAuth, statusPlugin, StatusRegistry, YELLOW } from '../../lib/index.js'
import { certificate } from '../checks/support/certificates.js'
import { listen, until } from '../support/app.js'
import { service, Started, svcStatus } from './support/run.js'
import { answering, listening } from './support/servers.js'

/** Answers only svc_status.json. */
function onlyJson (body: string, status = 200): RequestListener {
  return ({ url }, response) => {
    if (url === '/svc_status.json') response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    else response.writeHead(404).end()
  }
}

t.test('a table shows the worst first, the whole, and that it is in service', async (t) => {
  const { url } = await service(t, { handlers: { aa: () => 'OK', db: () => ({ state: 'YELLOW', detail: 'a replica is late' }), mail: () => ({ state: 'RED', detail: 'gone' }) } })
  const { code, out, err } = await svcStatus(['status', url])
  t.equal(out, `${url} is RED, in service\nNAME  STATE   DETAIL\nmail  RED     gone\ndb    YELLOW  a replica is late\naa    OK\n`)
  t.equal(err, '')
  t.equal(code, 2)
})

t.test('the exit code is the overall state, to which a handler that is not critical counts less', async (t) => {
  const { url, registry } = await service(t)
  const empty = await svcStatus(['status', url])
  t.equal(empty.code, 0)
  t.equal(empty.out, `${url} is OK, in service\nit has no status handlers\n`)
  registry.addStatusHandler('cache', () => 'RED', { critical: false })
  t.match(await svcStatus(['status', url]), { code: 1, out: / is YELLOW, in service\n.*\ncache +RED/ })
  registry.addStatusHandler('db', () => 'RED')
  t.match(await svcStatus(['status', url]), { code: 2, out: / is RED, / })
})

t.test('of several services each is shown, and the worst is the exit code', async (t) => {
  const fine = await service(t, { handlers: { db: () => 'OK' } })
  const yellow = await service(t, { handlers: { db: () => 'YELLOW' } })
  t.match(await svcStatus(['status', fine.url, yellow.url]), { code: 1, out: `${fine.url} is OK, in service\nNAME  STATE  DETAIL\ndb    OK\n\n${yellow.url} is YELLOW, in service\n` })
  const { code, out, err } = await svcStatus(['status', '127.0.0.1:1', fine.url])
  t.equal(code, 3)
  t.equal(out, `${fine.url} is OK, in service\nNAME  STATE  DETAIL\ndb    OK\n`)
  t.equal(err, 'svc-status: http://127.0.0.1:1: nobody listens there: is the service running, and is 1 its port? (ECONNREFUSED)\n')
})

t.test('the handlers are run once for a reading', async (t) => {
  let runs = 0
  const { url } = await service(t, { handlers: { db: async () => { runs++; return await new Promise((resolve) => setTimeout(resolve, 100, 'OK')) } } })
  await svcStatus(['status', url])
  t.equal(runs, 1)
})

t.test('an instance that is out of service is shown with why, by whom and until when', async (t) => {
  const { app, url } = await service(t, { handlers: { db: () => 'OK' } })
  await app.svcStatus.decommission('OFF', { for: 1_800_000, reason: 'kernel update', by: 'alice' })
  const { code, out } = await svcStatus(['status', url])
  t.equal(code, 0)
  t.match(out, /is OK, out of service: its probe answers OFF, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, until 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, by alice, because kernel update\n/)
  await app.svcStatus.decommission('away')
  t.match((await svcStatus(['status', url])).out, /is OK, out of service: its probe answers away, since [^,]* UTC\n/)
})

t.test('an instance that is not ready is not shown as in service', async (t) => {
  const { url } = await service(t, { handlers: { db: () => 'RED' }, probeStatus: { requires: ['db'] } })
  t.match((await svcStatus(['status', url])).out, /is RED, not in service: its probe answers .*db/)
})

t.test('details that readers may not see are not shown, and neither are why and by whom', async (t) => {
  const { app, url } = await service(t, { handlers: { db: () => ({ state: 'OK', detail: 'inner matter' }) }, details: 'never' })
  await app.svcStatus.decommission('OFF', { reason: 'inner matter', by: 'alice' })
  const { out } = await svcStatus(['status', url])
  t.match(out, /its probe answers OFF, since [^,]* UTC\n/)
  t.notMatch(out, /inner matter|alice/)
})

t.test('it finds a service below a prefix, by any of its addresses', async (t) => {
  const { url } = await service(t, { prefix: '/a/b', handlers: { db: () => 'OK' } })
  for (const address of ['/a/b', '/a/b/', '/a/b/svc_status', '/a/b/svc_status.html', '/a/b/svc_status/db', '/a/b/probe_status']) {
    t.match(await svcStatus(['status', `${url}${address}`.slice(7)]), { code: 0, out: `${url}/a/b is OK, in service\n` }, address)
  }
  t.match(await svcStatus(['status', url]), { code: 3, out: '', err: `svc-status: ${url}: it has no /svc_status.json: is the plugin registered there, and under a prefix? Then give the address with it, such as ${url}/PREFIX\n` })
})

t.test('colours are for a terminal', async (t) => {
  const { url } = await service(t, { handlers: { db: () => 'RED' } })
  const args = ['status', url]
  t.match((await svcStatus(args, { isTTY: true })).out, `${url} is \x1b[1;31mRED\x1b[0m, in service\n`)
  t.notMatch((await svcStatus(args)).out, '\x1b')
  t.notMatch((await svcStatus(args, { isTTY: true, env: { NO_COLOR: '1' } })).out, '\x1b')
  t.match((await svcStatus(args, { env: { FORCE_COLOR: '1' } })).out, '\x1b[1;31mRED\x1b[0m')
})

t.test('--json is one document, with everything that the services gave', async (t) => {
  const db = { state: YELLOW, detail: 'late\x9b', metrics: { lag: 3 }, replicas: ['a', 'b'] }
  const { app, url } = await service(t, { handlers: { db: () => ({ ...db }), __proto__x: () => 'OK' } })
  const fine = await svcStatus(['status', url, '--json'])
  t.equal(fine.code, 1)
  t.match(fine.out, /late\\u009b/)
  t.match(JSON.parse(fine.out), { state: 'YELLOW', at: /^20.*Z$/, services: [{ url, state: 'YELLOW', probe: { status: 200, body: 'OK' }, decommission: null, handlers: { db } }] })
  await app.svcStatus.decommission('OFF', { reason: 'r' })
  const { code, out, err } = await svcStatus(['status', '--json', url, '127.0.0.1:1'])
  t.equal(code, 3)
  t.equal(err, '')
  t.match(JSON.parse(out), {
    state: 'UNREACHABLE',
    services: [
      { url, probe: { status: 503, body: 'OFF' }, decommission: { body: 'OFF', since: /Z$/, reason: 'r' } },
      { url: 'http://127.0.0.1:1', state: 'UNREACHABLE', error: /ECONNREFUSED/ }
    ]
  })
})

t.test('a handler named __proto__ is one like others', async (t) => {
  const url = await answering(t, onlyJson('{"__proto__":{"state":"RED"},"constructor":{"state":"OK"}}'))
  const { code, out } = await svcStatus(['status', url])
  t.match(out, /\n__proto__ +RED\nconstructor +OK\n/)
  t.equal(code, 2)
  t.match((await svcStatus(['status', url, '--json'])).out, /"__proto__": \{\n +"state": "RED"/)
})

t.test('a service that has only the JSON is read too', async (t) => {
  const url = await answering(t, onlyJson('{"a":{"state":"GREEN"},"b":{"state":"PURPLE"},"c":{"state":"YELLOW","detail":3}}', 503))
  const { code, out } = await svcStatus(['status', url])
  t.equal(out, `${url} is YELLOW, and whether it is in service is not known: its probe_status did not answer\nNAME  STATE   DETAIL\nb     PURPLE\nc     YELLOW\na     GREEN\n`)
  t.equal(code, 1, 'a state that we do not know is not known to be OK')
})

t.test('a decommission that tells nothing of itself is one', async (t) => {
  const url = await answering(t, ({ url }, response) => {
    if (url === '/svc_status.health') response.writeHead(200, { 'content-type': 'application/health+json' }).end('{"status":"pass","decommission":{}}')
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  t.match(await svcStatus(['status', url]), { code: 0, out: `${url} is OK, out of service: its probe answers 503\nit has no status handlers\n` })
})

t.test('what a stranger sends does nothing to the terminal', async (t) => {
  const evil = '\x1b]0;owned\x07\x1b[2J\x9b2Ja\nb\u202ec'
  const body = JSON.stringify({ [evil]: { state: evil, detail: evil } })
  const url = await answering(t, ({ url }, response) => {
    if (url === '/probe_status') response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end(evil)
    else if (url === '/svc_status.health') response.writeHead(200, { 'content-type': 'application/health+json' }).end(JSON.stringify({ status: 'warn', decommission: { body: evil, since: evil, until: 7, reason: evil, by: evil } }))
    else response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })
  const { out } = await svcStatus(['status', url])
  t.equal(out.replaceAll('\n', '').match(/[\p{Cc}\u202e]/u), null, JSON.stringify(out))
  t.equal(out.split('\n').length, 4)
  const { err } = await svcStatus(['status', await answering(t, (_request, response) => { response.writeHead(500, { 'content-type': 'text/\x85html' }).end(evil) })])
  t.equal(err.trimEnd().match(/\p{Cc}/u), null, JSON.stringify(err))
})

const strangers: Array<[title: string, answer: RequestListener, message: RegExp]> = [
  ['a page', (_request, response) => { response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html>') }, /: \/svc_status\.json is no svc_status, it answered 200 text\/html: <!doctype html>; is it another service\?\n$/],
  ['nothing', (_request, response) => { response.end() }, /it answered 200: nothing; is it/],
  ['an empty object', onlyJson('{}'), /it answered 200 application\/json: {}; is it/],
  ['another JSON', onlyJson('{"a":{"status":"up"}}'), /is no svc_status/],
  ['a list', onlyJson('[{"state":"OK"}]'), /is no svc_status/],
  ['null', onlyJson('null'), /is no svc_status/],
  ['an error of its own', onlyJson('{"statusCode":500,"message":"out of\\u001b[1m order"}', 500), /: \/svc_status\.json answered 500: out of order\n$/],
  ['an error without words', onlyJson('', 502), /: \/svc_status\.json answered 502: nothing\n$/],
  ['an error in JSON of another kind', onlyJson('{"error":1}', 502), /: \/svc_status\.json answered 502: {"error":1}\n$/],
  ['a redirect', (_request, response) => { response.writeHead(302, { location: 'https://joe:secret@other.example/x?token=y' }).end() }, /: it redirects \/svc_status\.json to https:\/\/other\.example\/x: give the address that is meant\n$/],
  ['a redirect to nowhere', (_request, response) => { response.writeHead(302, { location: 'http://' }).end() }, /to what is no address: give/],
  ['a redirect without an aim', (_request, response) => { response.writeHead(302).end() }, /answered 302: nothing\n$/],
  ['401', (_request, response) => { response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('who?') }, /\/svc_status\.json answered 401: who\?; set SVC_STATUS_TOKEN to its token, or name a file that holds it with --token-file FILE\n$/],
  ['403', (_request, response) => { response.writeHead(403).end('no') }, /answered 403: no; where it takes a token, set SVC_STATUS_TOKEN or name/],
  ['401 for a password', (_request, response) => { response.writeHead(401, { 'www-authenticate': 'Basic realm=""' }).end('no') }, /; it wants a user and a password, which svc-status does not send: ask it with curl -u USER\n$/],
  ['a connection closed', (request) => { request.socket.destroy() }, /: it closed the connection without an answer: is it https:\/\/ that is meant, or is it just starting or ending\? \(ECONNRESET\)\n$/],
  ['half an answer', (_request, response) => { response.writeHead(200, { 'content-length': '10' }).write('12345', () => response.destroy()) }, /closed the connection/],
  ['another protocol', (_request, response) => { response.writeHead(101, { connection: 'upgrade', upgrade: 'x' }).end() }, /closed the connection/],
  ['an endless answer', (_request, response) => {
    const more = (): void => { while (!response.destroyed && response.write(Buffer.alloc(2 ** 20))) continue }
    response.on('drain', more)
    more()
  }, /: its answer is longer than 16 MB: is it the address of a service\?\n$/]
]

for (const [title, answer, message] of strangers) {
  t.test(`a server that answers with ${title} is unreachable, and what to do next is said`, async (t) => {
    const { code, out, err } = await svcStatus(['status', await answering(t, answer)])
    t.match(err, message)
    t.equal(out, '')
    t.equal(code, 3)
  })
}

t.test('a server that speaks no HTTP is told from one that is not there', async (t) => {
  const talker = net.createServer((socket) => { socket.on('error', () => {}).end('220 mail.example ESMTP\r\n') })
  t.match(await svcStatus(['status', await listening(t, talker)]), { code: 3, err: /: what listens there speaks no HTTP \(HPE_[A-Z_]+\): is it another port that is meant\?\n$/ })
})

t.test('https is spoken, and a certificate that nobody vouches for is refused', async (t) => {
  const server = https.createServer(certificate('good'), onlyJson('{"a":{"state":"OK"}}'))
  const address = await listening(t, server)
  t.match(await svcStatus(['status', `https://${address}`]), { code: 3, err: /: its certificate is from nobody whom this machine trusts: NODE_EXTRA_CA_CERTS names .* \([A-Z_]+\)\n$/ })
  t.match(await svcStatus(['status', `http://${address}`]), { code: 3, err: /is it https:\/\/ that is meant/ })
  const { url } = await service(t)
  t.match(await svcStatus(['status', url.replace('http', 'https')]), { code: 3, err: /: it speaks no https there: is it http:\/\/ that is meant\? \([A-Z_]+\)\n$/ })
})

t.test('a service that hangs is given up in time, also in the middle of its answer', async (t) => {
  const hangs = await answering(t, () => {})
  const halts = await answering(t, (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).write('{') })
  const { code, err } = await svcStatus(['status', hangs, halts, '--timeout', '200ms'])
  t.equal(code, 3)
  t.equal(err, [hangs, halts].map((url) => `svc-status: ${url}: no answer within 200 ms: is it overloaded, or does a firewall swallow the question? --timeout gives it longer\n`).join(''))
})

t.test('a reader sends no token unless a file is named, and then nowhere else', async (t) => {
  const asked: IncomingMessage[] = []
  const other = await answering(t, (request, response) => { asked.push(request); response.end() })
  const app = Fastify()
  t.teardown(async () => await app.close())
  app.addHook('onRequest', requireAuth(bearerToken('s3cret')))
  await app.register(statusPlugin, { registry: new StatusRegistry(), handlers: { db: () => 'OK' } })
  app.get('/moved/svc_status.json', async (_request, reply) => reply.redirect(other))
  const url = `http://127.0.0.1:${await listen(app)}`
  const file = join(t.testdir(), 'token')
  writeFileSync(file, 's3cret\n', { mode: 0o600 })
  t.match(await svcStatus(['status', url], { env: { SVC_STATUS_TOKEN: 's3cret' } }), { code: 3, err: /answered 401/ })
  t.match(await svcStatus(['status', url, '--token-file', file]), { code: 0, out: / is OK, in service\n/ })
  t.match(await svcStatus(['status', `${url}/moved`, '--token-file', file]), { code: 3, err: /it redirects/ })
  t.equal(asked.length, 0)
})

t.test('--watch shows a service as it changes, also while it is away, and ends with the code of the last look', async (t) => {
  const { app, url, registry } = await service(t, { handlers: { db: () => 'OK' } })
  const running = new Started(['status', url, '--watch', '20ms'])
  await until(() => running.out.includes('db    OK'), 'it is OK')
  registry.addStatusHandler('db', () => 'RED', { replace: true })
  await until(() => running.out.includes('db    RED'), 'it is RED')
  await app.close()
  await until(() => running.out.includes('is UNREACHABLE: nobody listens there'), 'it is away')
  running.end('SIGINT')
  const { code, out, err } = await running.ended
  t.equal(code, 3)
  t.equal(err, '')
  t.match(out, new RegExp(`^20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC, again every 0.02 s\n\n${url} is OK, in service\nNAME  STATE  DETAIL\ndb    OK\n\n20`))
  t.notMatch(out, '\x1b')
})

t.test('--watch before the service is the same as behind it', async (t) => {
  const { url } = await service(t, { handlers: { db: () => 'YELLOW' } })
  for (const args of [['status', '--watch', url.slice(7)], ['status', url, '--watch'], ['status', '--watch=2s', url], ['status', '--watch', '2s', url]]) {
    const running = new Started(args)
    await until(() => running.out.includes(`${url} is YELLOW`), 'it is shown')
    running.end('SIGTERM')
    const { code, out } = await running.ended
    t.equal(code, 1)
    t.match(out, 'again every 2 s')
  }
  t.match(await svcStatus(['status', '--watch', '5', url]), { code: 64, err: 'svc-status: --watch must be a whole number and a unit (ms, s, m, h or d), from 1ms to 24d, such as 60s or 5m; it is "5"\n' })
})

t.test('--watch --json is a document a line', async (t) => {
  const { url } = await service(t, { handlers: { db: () => 'OK' } })
  const running = new Started(['status', url, '--watch', '10ms', '--json'], { isTTY: true })
  await until(() => running.out.split('\n').length > 3, 'there are three')
  running.end('SIGINT')
  const { code, out } = await running.ended
  t.equal(code, 0)
  for (const line of out.trimEnd().split('\n')) t.match(JSON.parse(line), { state: 'OK' })
})

t.test('--watch on a terminal draws over what it drew, without clearing it, and leaves the last of it', async (t) => {
  const handlers = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`h${10 + index}`, () => ({ state: 'OK' as const, detail: 'a detail that is longer than the terminal is wide' })]))
  const { url } = await service(t, { handlers })
  const running = new Started(['status', url, '--watch', '10ms'], { isTTY: true, columns: 40, rows: 10, env: { NO_COLOR: '1' } })
  await until(() => running.out.split('\x1b[H').length > 3, 'it drew three times')
  running.end('SIGINT')
  const { code, out } = await running.ended
  t.equal(code, 0)
  const [before, ...drawn] = out.split('\x1b[H')
  t.equal(before, '\x1b[?1049h\x1b[?25l')
  t.notMatch(out, '\x1b[2J')
  for (const one of drawn.slice(0, -1)) {
    const lines = one.split('\n')
    t.equal(lines.length, 10, 'a line for each row but the last')
    t.equal(lines.pop(), '\x1b[J')
    t.ok(lines.every((line) => line.endsWith('\x1b[K') && line.length <= 43), one)
    t.match(lines.at(-1), '… and 16 lines more')
  }
  const [last, left] = (drawn.at(-1) as string).split('\x1b[?25h\x1b[?1049l')
  t.match(last, '… and 16 lines more')
  t.match(left, new RegExp(`^20.*\n\n${url} is OK, in service\n(?:.*\n){20}h29   OK     a detail that is longer than the terminal is wide\n$`))
})

t.test('--watch on a terminal whose size nobody knows takes 80 by 24', async (t) => {
  const { url } = await service(t, { handlers: { ['n'.repeat(100)]: () => 'OK' } })
  for (const size of [{}, { columns: 0, rows: 0 }]) {
    const running = new Started(['status', url, '--watch', '10ms'], { isTTY: true, ...size })
    await until(() => running.out.includes('\x1b[J'), 'it drew')
    running.end('SIGINT')
    t.match((await running.ended).out, `\n${'n'.repeat(79)}…\x1b[K\n\x1b[J`)
  }
})

t.test('whoever interrupts before anything is known gets the code of the signal, and nothing is left', async (t) => {
  const hangs = await answering(t, () => {})
  for (const [args, reason, code] of [
    [['status', hangs], 'SIGINT', 130],
    [['status', hangs], 'SIGTERM', 143],
    [['status', hangs, '--watch'], 'SIGINT', 130]
  ] as const) {
    const running = new Started(args, { isTTY: true })
    setImmediate(() => running.end(reason))
    t.strictSame(await running.ended, { code, out: '', err: '' })
  }
  const late = new Started(['status', hangs])
  late.end('SIGINT')
  t.equal((await late.ended).code, 130)
})
