import http from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'
import { everybody, listen, statusApp } from '../support/app.js'
import { ask, raw } from '../support/sockets.js'

const types = [
  'application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
  'multipart/form-data', 'application/octet-stream', 'application/xml', 'unknown/type', 'a/b;c', 'json', ';;;', '/', '*/*', 'text/plain; charset="', 'x'.repeat(2_000)
]

for (const type of types) {
  t.test(`a body of type ${type.slice(0, 50)} is taken and discarded`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
    for (const payload of ['{"not": json', '', 'body=OK']) {
      const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF', headers: { 'content-type': type }, payload })
      t.equal(reply.statusCode, 200, JSON.stringify(payload))
      t.equal(app.svcStatus.decommissioned?.body, 'OFF', 'the body in the query counts')
      await app.svcStatus.recommission()
    }
  })
}

t.test('what real clients send is taken', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
  const port = await listen(app)
  const requests: Array<[string, string]> = [
    ['no body at all', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['an empty body', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'],
    ['a body without a type', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\nOFF'],
    ['an empty type', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-type:\r\ncontent-length: 3\r\nconnection: close\r\n\r\nOFF'],
    ['two types', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-type: c/d\r\ncontent-length: 3\r\nconnection: close\r\n\r\nOFF'],
    ['a type without a body', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n'],
    ['a body that claims to be compressed', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\nconnection: close\r\n\r\nOFF'],
    ['chunks', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nOFF\r\n0\r\n\r\n'],
    ['an address in absolute form', 'POST http://x/probe_status?body=OFF HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['HTTP/1.0', 'POST /probe_status?body=OFF HTTP/1.0\r\n\r\n']
  ]
  for (const [what, bytes] of requests) {
    t.match(await raw(port, bytes), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nOFF$/, what)
    t.equal(app.svcStatus.decommissioned?.body, 'OFF', what)
    await app.svcStatus.recommission()
  }
})

t.test('bytes that are no HTTP change nothing', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
  const port = await listen(app)
  const requests: Array<[string, string]> = [
    ['a raw control character', 'POST /probe_status?body=a\x01b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['a raw NUL', 'POST /probe_status?body=a\0b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['a raw letter that is not ASCII', 'POST /probe_status?body=\xe9 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['two lengths', 'POST /probe_status?body=OFF HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\nconnection: close\r\n\r\nOFF']
  ]
  for (const [what, bytes] of requests) {
    t.match(await raw(port, bytes), /^HTTP\/1\.1 400 /, what)
    t.equal(app.svcStatus.decommissioned, undefined, what)
  }
})

const megabyte = Array.from({ length: 64 }, () => 'x'.repeat(16_384))

for (const [what, auth, statusCode] of [['taken and discarded', everybody, 200], ['refused', () => false, 403]] as const) {
  t.test(`a megabyte is ${what}, and the connection can be used again`, async (t) => {
    const { app } = await statusApp(t, { probeStatus: { auth } }, { bodyLimit: 1_000 })
    const port = await listen(app)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'text/plain', 'content-length': String(2 ** 20) }]) {
      // Back in service first: only then connections are kept.
      await app.svcStatus.recommission()
      t.equal((await ask({ port, agent, method: 'POST', path: '/probe_status?body=OK', headers }, megabyte)).statusCode, statusCode)
      t.match(await ask({ port, agent, path: '/probe_status' }), { statusCode: 200, reused: true })
      t.equal((await ask({ port, agent, method: 'POST', path: '/probe_status?body=OFF', headers }, megabyte)).statusCode, statusCode)
      t.equal(app.svcStatus.decommissioned?.body, statusCode === 200 ? 'OFF' : undefined)
    }
  })
}

t.test('what the app made of bodies and queries does not matter', async (t) => {
  const app = Fastify({ bodyLimit: 1, routerOptions: { querystringParser: () => ({ body: 'from the parser', other: ['x'] }) } })
  t.teardown(async () => await app.close())
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/json', 'text/plain'], { parseAs: 'string' }, (_request, _body, done) => done(new Error('the parser of the app')))
  app.setValidatorCompiler(() => () => ({ error: new Error('the validator of the app') }))
  app.setSerializerCompiler(() => () => 'the serializer of the app')
  app.setReplySerializer(() => 'the reply serializer of the app')
  const hooks: string[] = []
  app.addHook('preValidation', async () => { hooks.push('preValidation') })
  app.addHook('preHandler', async () => { hooks.push('preHandler') })
  app.addHook('onSend', async (_request, _reply, payload) => { hooks.push('onSend'); return payload })
  await app.register(statusPlugin, { registry: new StatusRegistry(), probeStatus: { auth: everybody } })
  for (const type of ['application/json', 'text/plain', 'other/type']) {
    const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF', headers: { 'content-type': type }, payload: 'too long and wrong' })
    t.equal(reply.statusCode, 200)
    t.equal(reply.body, 'OFF')
    t.equal((await app.inject('/probe_status')).body, 'OFF')
    t.equal((await app.inject({ method: 'POST', url: '/probe_status', headers: { 'content-type': type }, payload: 'x' })).body, 'OK')
    t.equal((await app.inject('/probe_status')).body, 'OK')
  }
  t.equal((await app.inject({ url: '/svc_status/nobody' })).statusCode, 404)
  t.strictSame([...new Set(hooks)], ['preValidation', 'preHandler', 'onSend'], 'hooks of the app run as for every route')
})

t.test('neither do parsers of the app for everything', async (t) => {
  const refuse = (_request: unknown, _payload: unknown, done: (error: Error) => void): void => done(new Error('the parser of the app'))
  for (const type of ['*', 'application/octet-stream', /.*/]) {
    const app = Fastify()
    t.teardown(async () => await app.close())
    app.addContentTypeParser(type, refuse)
    await app.register(statusPlugin, { registry: new StatusRegistry(), probeStatus: { auth: everybody } })
    const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF', headers: { 'content-type': 'application/octet-stream' }, payload: 'x' })
    t.equal(reply.body, 'OFF', String(type))
  }
})

t.test('the routes of the app keep their parsers and their limit', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: everybody } }, { bodyLimit: 10 })
  app.post('/own', ({ body }) => body)
  t.strictSame((await app.inject({ method: 'POST', url: '/own', payload: { a: 1 } })).json(), { a: 1 })
  t.equal((await app.inject({ method: 'POST', url: '/own', payload: { a: 'x'.repeat(20) } })).statusCode, 413)
  t.equal((await app.inject({ method: 'POST', url: '/own', headers: { 'content-type': 'other/type' }, payload: 'x' })).statusCode, 415)
})
