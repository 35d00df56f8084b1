import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { bearerToken, htpasswdFile, statusPlugin, StatusRegistry } from '../../lib/index.js'
import { tokenFor, tokenOfFile } from '../../lib/cli/token.js'
import { everybody, until } from '../support/app.js'
import { service, Started, svcStatus, type Service } from './support/run.js'
import { answering } from './support/servers.js'

const token = 's3cret-token'
const env = { SVC_STATUS_TOKEN: token }
const guarded = { probeStatus: { auth: bearerToken(token) } }

async function probe ({ url }: Service): Promise<string> {
  const reply = await fetch(`${url}/probe_status`)
  return `${reply.status} ${await reply.text()}`
}

t.test('a service is decommissioned, shown so by the probe, the page, health+json and svc-status, and recommissioned', async (t) => {
  const one = await service(t, { ...guarded, handlers: { db: () => 'OK' } })
  const done = await svcStatus(['decommission', one.url, '--for', '30m', '--reason', 'kernel update, <b>at noon</b> 🚧'], { env })
  t.strictSame(done, { code: 0, out: `${one.url} is out of service: its probe answers OFF, for 30m\n`, err: '' })
  t.equal(await probe(one), '503 OFF')
  const { since = 0, until, ...rest } = one.app.svcStatus.decommissioned ?? {}
  t.match(rest, { body: 'OFF', reason: 'kernel update, <b>at noon</b> 🚧' })
  t.equal(until, since + 1_800_000)
  const health = await (await fetch(`${one.url}/svc_status.health`)).json()
  t.strictSame(health, { status: 'pass', decommission: { body: 'OFF', since: new Date(since).toISOString(), until: new Date(since + 1_800_000).toISOString(), reason: 'kernel update, <b>at noon</b> 🚧' }, checks: (health as { checks: object }).checks })
  const page = await (await fetch(`${one.url}/svc_status.html`)).text()
  t.match(page, /Out of service/i)
  t.match(page, 'OFF')
  t.match(page, 'kernel update, &lt;b&gt;at noon&lt;/b&gt; 🚧')
  t.match(page, new Date(since + 1_800_000).toISOString())
  t.match((await svcStatus(['status', one.url])).out, /is OK, out of service: its probe answers OFF, since .*, because kernel update, <b>at noon<\/b> 🚧\n/)
  t.strictSame(await svcStatus(['recommission', one.url], { env }), { code: 0, out: `${one.url} is recommissioned\n`, err: '' })
  t.equal(await probe(one), '200 OK')
  t.notOk('decommission' in (await (await fetch(`${one.url}/svc_status.health`)).json() as object))
})

t.test('a body of one\'s own is what the probe answers', async (t) => {
  const one = await service(t, guarded)
  for (const body of ['away until noon', 'a&b=c#d%', 'außer Betrieb 🚧']) {
    t.match(await svcStatus(['decommission', one.url, '--body', body], { env }), { code: 0, out: `its probe answers ${body}\n` })
    t.equal(await probe(one), `503 ${body}`)
  }
})

t.test('several services are told at once, and the failure of one hides nothing of the others', async (t) => {
  const [one, two] = [await service(t, guarded), await service(t, guarded)]
  const other = await service(t, { probeStatus: { auth: bearerToken('another') } })
  const { code, out, err } = await svcStatus(['decommission', one.url, '127.0.0.1:1', other.url, two.url], { env })
  t.equal(code, 4)
  t.strictSame(out.trimEnd().split('\n').sort(), [one, two].map(({ url }) => `${url} is out of service: its probe answers OFF`).sort())
  t.match(err, 'svc-status: http://127.0.0.1:1: nobody listens there: is the service running, and is 1 its port? (ECONNREFUSED)\n', 'which heard nothing')
  t.match(err, `svc-status: ${other.url}: /probe_status answered 401: you are not let in: this needs the header "Authorization: Bearer" with the token; it does not take the token of SVC_STATUS_TOKEN or --token-file: is it the one that the service has?\n`)
  t.strictSame([await probe(one), await probe(two), await probe(other)], ['503 OFF', '503 OFF', '200 OK'])
  t.notMatch(out + err, token)
})

t.test('without a token a service may still let one in, or says what it needs', async (t) => {
  const open = await service(t, { probeStatus: { auth: everybody } })
  t.match(await svcStatus(['decommission', open.url]), { code: 0 })
  const wants = await service(t, guarded)
  t.match(await svcStatus(['decommission', wants.url]), { code: 4, out: '', err: /answered 401: .*; set SVC_STATUS_TOKEN to its token, or name a file that holds it with --token-file FILE\n$/ })
  t.match(await svcStatus(['decommission', wants.url], { env: { SVC_STATUS_TOKEN: '' } }), { code: 4, err: /set SVC_STATUS_TOKEN/ })
  const nobody = await service(t)
  t.match(await svcStatus(['decommission', nobody.url]), { code: 4, err: /answered 403: .*set probeStatus\.auth.*; where it takes a token, set SVC_STATUS_TOKEN or name/ })
  const file = join(t.testdir({ htpasswd: '' }), 'htpasswd')
  const users = await service(t, { probeStatus: { auth: htpasswdFile(file) } })
  t.match(await svcStatus(['decommission', users.url], { env }), { code: 4, err: /a user and a password, which svc-status does not send/ })
})

t.test('a store that fails changed nothing, and that is said', async (t) => {
  const store = { name: 'a broken disk', open: async () => undefined, write: async () => { throw new Error('EIO') }, close: async () => {} }
  const one = await service(t, { probeStatus: { auth: everybody, store } })
  t.match(await svcStatus(['decommission', one.url]), { code: 4, err: `/probe_status answered 503: the decommission store a broken disk failed; nothing was changed: try again, and see what svc-status status ${one.url} tells\n` })
  t.equal(await probe(one), '200 OK')
})

t.test('an answer that is none of a probe is no success', async (t) => {
  const url = await answering(t, (_request, response) => { response.setHeader('content-type', 'text/html').end('<p>welcome') })
  t.match(await svcStatus(['decommission', url]), { code: 3, out: '', err: `svc-status: ${url}: /probe_status answered 200 text/html: <p>welcome, which is no answer of a probe_status; is it another service?\n` })
  const { app } = await service(t)
  const elsewhere = `http://127.0.0.1:${(app.server.address() as { port: number }).port}/elsewhere`
  t.match(await svcStatus(['recommission', elsewhere]), { code: 4, err: /it has no \/probe_status: is the plugin registered there, and under a prefix\?/ })
})

t.test('where nobody can tell whether it took effect, that is said', async (t) => {
  const url = await answering(t, () => {})
  const unsure = `; whether it took effect is not known: svc-status status ${url} shows it\n`
  t.match(await svcStatus(['decommission', url, '--timeout', '100ms']), { code: 3, out: '', err: new RegExp(`no answer within 100 ms.*${unsure}$`) })
  const running = new Started(['decommission', url])
  setTimeout(() => running.end('SIGINT'), 50)
  t.strictSame(await running.ended, { code: 130, out: '', err: `svc-status: ${url}: interrupted${unsure}` })
})

const wrong: Array<[args: string[], message: RegExp]> = [
  [[], /^which service\? Give its address, such as localhost:8080$/],
  [['localhost:8080', '8080'], /^a service is named by/],
  [['u', '--body', ''], /^the body must have 1 to 256 characters/],
  [['u', '--body', 'a\x1bb'], /^the body must have no control characters; it is "a\\u001bb"; nothing was changed$/],
  [['u', '--body', 'ok'], /recommission it instead$/],
  [['u', '--reason', 'x'.repeat(257)], /^the reason must have 1 to 256 characters/],
  [['u', '--for', '30'], /^--for must be a whole number and a unit \(s, m, h or d\), such as 30m; it is "30"$/],
  [['u', '--for', '500ms'], /^--for must be/],
  [['u', '--for', '0s'], /"for" in milliseconds must be from 1000 to /],
  [['u', '--for', '366d'], /"for" in milliseconds must be from 1000 to /],
  [['u', '--timeout', '10'], /^--timeout must be a whole number and a unit \(ms, s, m, h or d\), from 1ms to 24d, such as 60s or 5m; it is "10"$/],
  [['u', '--timeout', '25d'], /^--timeout must be/],
  [['u', '--timeout', '0s'], /^--timeout must be/],
  [['http://joe:hidden@host'], /^an address with a user or a password is refused/],
  [['u', '--token', 'hidden'], /^a token is no argument, as every user .*: set SVC_STATUS_TOKEN, or name a file that holds it with --token-file FILE\. One that was given here is known now: change it$/],
  [['u', '--token=hidden'], /^a token is no argument/],
  [['u', '--token'], /^a token is no argument/],
  [['u', '--tokne=hidden'], /^unknown option '--tokne'/],
  [['u', '--tokne=hid\'den\nhidden'], /^unknown option '--tokne'/],
  [['u', '--for'], /^option '--for <time>' argument missing/]
]

t.test('a wrong command line is 64, says what is wrong, repeats no secret, and sends nothing', async (t) => {
  const asked: IncomingMessage[] = []
  const url = await answering(t, (request, response) => { asked.push(request); response.end() })
  for (const [args, message] of wrong) {
    const { code, out, err } = await svcStatus(['decommission', ...args.map((arg) => arg === 'u' ? url : arg)], { env })
    t.equal(code, 64, args.join(' '))
    t.match(err.split('\n')[0].replace('svc-status: ', ''), message)
    t.notMatch(err, /hidden|hid'den/)
    t.equal(out, '')
  }
  t.match(await svcStatus(['--token', 'hidden', 'status', url]), { code: 64, err: /a token is no argument/ })
  t.equal(asked.length, 0)
})

t.test('the token of a file is sent, and goes before that of the environment', async (t) => {
  const one = await service(t, guarded)
  const folder = t.testdir()
  for (const [name, text] of [['plain', token], ['line', `${token}\n`], ['dos', `${token}\r\n`]]) {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o640 })
    t.match(await svcStatus(['decommission', one.url, '--token-file', file], { env: { SVC_STATUS_TOKEN: 'another' } }), { code: 0 }, name)
  }
})

t.test('a token file that is not one is refused before anything is sent', async (t) => {
  const one = await service(t, { probeStatus: { auth: everybody } })
  const folder = t.testdir()
  const file = join(folder, 'token')
  const attempt = async (): Promise<string> => {
    const { code, err } = await svcStatus(['decommission', one.url, '--token-file', file], { env })
    t.equal(code, 64)
    t.notMatch(err, /s3cret/)
    return err
  }
  t.equal(await attempt(), `svc-status: the token file ${file} cannot be read: ENOENT\n`)
  writeFileSync(file, `${token}\n`)
  for (const mode of [0o644, 0o604, 0o602]) {
    chmodSync(file, mode)
    t.equal(await attempt(), `svc-status: the token file ${file} is open to every user of this machine; nothing was sent. chmod o= ${file} closes it\n`)
  }
  t.equal(await tokenOfFile(file, 'win32'), token, 'where there are no such permissions')
  chmodSync(file, 0o600)
  writeFileSync(file, '')
  t.equal(await attempt(), `svc-status: the token file ${file} is empty\n`)
  writeFileSync(file, `${token}\nsecond line\n`)
  t.match(await attempt(), ' holds no token: ASCII characters, without a space or a line end around them\n')
  writeFileSync(file, 'x'.repeat(8_193))
  t.match(await attempt(), ' has more than 8192 bytes: is it another file that is meant?\n')
  mkdirSync(join(folder, 'directory'), { mode: 0o700 })
  await t.rejects(tokenOfFile(join(folder, 'directory')), { message: /cannot be read: EISDIR$/ })
  t.match(await svcStatus(['decommission', one.url], { env: { SVC_STATUS_TOKEN: 's3cret ü' } }), { code: 64, err: 'svc-status: SVC_STATUS_TOKEN holds no token: ASCII characters, without a space or a line end around them\n' })
  t.equal(await probe(one), '200 OK')
})

t.test('a token goes over http to this machine alone, unless that is allowed', async (t) => {
  const tokenTo = async (base: string, overHttp = false): Promise<string | undefined> => await tokenFor([{ base: 'https://elsewhere' }, { base }], undefined, env, overHttp)
  for (const host of ['localhost', 'LOCALHOST', 'a.localhost', '127.0.0.1', '127.1.2.3', '[::1]', '[::ffff:127.0.0.1]']) {
    t.equal(await tokenTo(new URL(`http://${host}:80/`).origin), token, host)
  }
  for (const host of ['host', 'localhost.example', '127.0.0.1.example', '128.0.0.1', '10.0.0.1', '[::2]', '[::ffff:10.0.0.1]', '0.0.0.0']) {
    const { origin } = new URL(`http://${host}`)
    await t.rejects(tokenTo(origin), { message: `the token would go to ${origin} without encryption, where others may read it; nothing was sent. Ask by https://, or allow it with --token-over-http where the network is your own` })
    t.equal(await tokenTo(origin, true), token)
    t.equal(await tokenFor([{ base: origin }], undefined, {}, false), undefined, 'no token, no danger')
  }
  t.match(await svcStatus(['decommission', 'http://host.invalid'], { env }), { code: 64, err: /without encryption/ })
})

t.test('a redirect is not followed, so that no token goes elsewhere', async (t) => {
  const asked: IncomingMessage[] = []
  const other = await answering(t, (request, response) => { asked.push(request); response.end('OFF') })
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await answering(t, (_request, response) => { response.writeHead(status, { location: `${other}/probe_status?body=OFF` }).end() })
    t.match(await svcStatus(['decommission', url], { env }), { code: 4, out: '', err: `svc-status: ${url}: it redirects /probe_status to ${other}/probe_status: give the address that is meant\n` })
  }
  t.equal(asked.length, 0)
})

t.test('a service below a prefix is found for orders too', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(statusPlugin, { registry: new StatusRegistry(), prefix: '/inner', ...guarded })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.match(await svcStatus(['decommission', `${url}/inner/svc_status.html`], { env }), { code: 0, out: `${url}/inner is out of service` })
  t.equal(app.svcStatus.decommissioned?.body, 'OFF')
})

t.test('an end of its own is kept by the service, and comes', async (t) => {
  const one = await service(t, guarded)
  t.match(await svcStatus(['decommission', one.url, '--for', '1s'], { env }), { code: 0, out: ', for 1s\n' })
  t.equal(await probe(one), '503 OFF')
  await until(async () => await probe(one) === '200 OK', 'it is back by itself')
})
