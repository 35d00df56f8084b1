import { Agent, createServer, type IncomingHttpHeaders } from 'node:http'
import t from 'tap'
import { HTTPCheck } from '../../lib/checks/http-check.js'
import { OK, RED } from '../../lib/core/state.js'
import type { HTTPCheckOptions } from '../../types/checks.js'
import type { Status } from '../../types/status.js'
import { listen, type Teardown } from './support/peers.js'

interface Asked { method: string, url: string, headers: IncomingHttpHeaders, body: string }

/** A server that redirects `/status/location` there with that status, and answers anything else. */
async function serve (t: Teardown, location?: () => string): Promise<{ url: string, asked: Asked[], connections: () => number }> {
  const asked: Asked[] = []
  let connections = 0
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => { body += text }).on('end', () => {
      const { method = '', url = '', headers } = request
      asked.push({ method, url, headers, body })
      const [, code, target] = /^\/(3\d\d)\/(.*)/.exec(url) ?? []
      if (code === undefined) response.end('here')
      else response.writeHead(Number(code), { location: location?.() ?? decodeURIComponent(target) }).end('elsewhere')
    })
  }).on('connection', () => { connections++ })
  const port = await listen(t, server)
  return { url: `http://127.0.0.1:${port}`, asked, connections: () => connections }
}

async function ask (options: HTTPCheckOptions): Promise<Status> {
  const check = new HTTPCheck(options)
  try {
    return await check.getStatus()
  } finally {
    check.stop()
  }
}

t.test('no redirect is followed unless asked for', async (t) => {
  const { url, asked } = await serve(t)
  t.match(await ask({ url: `${url}/302//there` }), { state: RED, detail: `${url}/302//there answered 302`, metrics: { status_code: 302 } })
  t.equal(asked.length, 1)
})

t.test('redirects are followed as far as asked for', async (t) => {
  const { url, asked } = await serve(t)
  const twice = `${url}/301/${encodeURIComponent('/302//there')}`
  t.match(await ask({ url: twice, followRedirects: 2 }), { state: OK, metrics: { status_code: 200 } })
  t.strictSame(asked.map(({ url }) => url), ['/301/%2F302%2F%2Fthere', '/302//there', '/there'])
  t.match(await ask({ url: twice, followRedirects: 1 }), { state: RED, detail: `${url}/302//there redirects once more, after 1 redirect` })
  t.equal(asked.length, 5)
})

t.test('a loop of redirects ends', async (t) => {
  const { url, asked } = await serve(t, () => '/307/loop')
  t.match(await ask({ url: `${url}/307/loop`, followRedirects: 20 }), { state: RED, detail: /redirects once more, after 20 redirects$/ })
  t.equal(asked.length, 21)
})

t.test('redirects use the kept connection', async (t) => {
  const { url, connections } = await serve(t)
  const check = new HTTPCheck({ url: `${url}/302//there`, followRedirects: 1 })
  for (let round = 0; round < 5; round++) t.match(await check.getStatus(), { state: OK })
  t.equal(connections(), 1)
  check.stop()
})

t.test('a redirect that is expected is an answer', async (t) => {
  const { url, asked } = await serve(t)
  t.match(await ask({ url: `${url}/302//there`, followRedirects: 5, expectStatus: 302 }), { state: OK })
  t.equal(asked.length, 1)
})

t.test('what looks like a redirect and is none is an answer', async (t) => {
  const { url, asked } = await serve(t)
  t.match(await ask({ url: `${url}/304//there`, followRedirects: 5 }), { state: RED, detail: /answered 304$/ })
  const server = createServer((_request, response) => { response.writeHead(302).end() })
  t.match(await ask({ url: `http://127.0.0.1:${await listen(t, server)}`, followRedirects: 5 }), { state: RED, detail: /answered 302$/ })
  t.equal(asked.length, 1)
})

const methods: Array<[method: string, code: number, becomes: string, body: string]> = [
  ['GET', 301, 'GET', ''],
  ['HEAD', 302, 'HEAD', ''],
  ['HEAD', 303, 'HEAD', ''],
  ['POST', 301, 'GET', ''],
  ['POST', 302, 'GET', ''],
  ['POST', 303, 'GET', ''],
  ['PUT', 303, 'GET', ''],
  ['PUT', 302, 'PUT', 'body'],
  ['POST', 307, 'POST', 'body'],
  ['POST', 308, 'POST', 'body']
]

for (const [method, code, becomes, body] of methods) {
  t.test(`${method} redirected by ${code} is ${becomes} ${body === '' ? 'without' : 'with'} its body`, async (t) => {
    const { url, asked } = await serve(t)
    const sent = method === 'GET' || method === 'HEAD' ? undefined : 'body'
    t.match(await ask({ url: `${url}/${code}//there`, method, body: sent, followRedirects: 1, headers: { 'x-a': '1' } }), { state: OK })
    t.match(asked[1], { method: becomes, url: '/there', body, headers: { 'x-a': '1' } })
    t.equal(asked[1].headers['content-length'], body === '' ? undefined : '4')
  })
}

t.test('another origin is not sent what was given for this one, nor is this one afterwards', async (t) => {
  const here = await serve(t)
  const there = await serve(t)
  const back = `${there.url}/302/${encodeURIComponent(`${here.url}/end`)}`
  const url = `${here.url.replace('//', '//joe:secret@')}/302/${encodeURIComponent(back)}`
  const headers = { cookie: 'a=b', 'x-api-key': 'secret', accept: 'text/plain', host: 'app.example' }
  t.match(await ask({ url, followRedirects: 2, headers }), { state: OK })
  t.match(here.asked[0].headers, { authorization: /^Basic /, cookie: 'a=b', 'x-api-key': 'secret', host: 'app.example' })
  for (const [{ headers }, origin] of [[there.asked[0], there.url], [here.asked[1], here.url]] as const) {
    t.strictSame(Object.keys(headers).sort(), ['accept', 'connection', 'host', 'user-agent'])
    t.equal(headers.host, origin.slice(7))
    t.match(headers.accept, /health\+json/)
  }
})

t.test('the same origin is sent what was given for it, and no credentials of a redirect\'s own', async (t) => {
  const { url, asked } = await serve(t)
  const target = `${url.replace('//', '//mallory:evil@')}/there`
  t.match(await ask({ url: `${url.replace('//', '//joe:secret@')}/302/${encodeURIComponent(target)}`, followRedirects: 1, headers: { 'x-api-key': 'k' } }), { state: OK })
  t.match(asked[1].headers, { authorization: `Basic ${Buffer.from('joe:secret').toString('base64')}`, 'x-api-key': 'k' })
})

t.test('a body is not sent to another origin', async (t) => {
  const here = await serve(t)
  const there = await serve(t)
  const url = `${here.url}/307/${encodeURIComponent(`${there.url}/x`)}`
  t.match(await ask({ url, method: 'POST', body: 'password', followRedirects: 1 }), { state: RED, detail: `${url} redirects to another origin, which is not sent the body` })
  t.equal(there.asked.length, 0)
  t.match(await ask({ url, method: 'POST', followRedirects: 1 }), { state: OK })
  t.match(there.asked, [{ method: 'POST', body: '' }])
})

const nowhere: Array<[string, RegExp]> = [
  ['file:///etc/passwd', /redirects to a file: URL$/],
  ['javascript:alert(1)', /redirects to a javascript: URL$/],
  ['http://', /redirects to what is no URL$/],
  ['https://127.0.0.1:1/x?secret=1', /^no answer from https:\/\/127\.0\.0\.1:1\/x\?…: ECONNREFUSED$/]
]

for (const [location, detail] of nowhere) {
  t.test(`a redirect to ${location} is RED`, async (t) => {
    const { url } = await serve(t, () => location)
    t.match(await ask({ url: `${url}/302/x`, followRedirects: 1 }), { state: RED, detail })
  })
}

t.test('the timeout covers all redirects', async (t) => {
  const slow = createServer((request, response) => { setTimeout(() => response.writeHead(302, { location: `${request.url}x` }).end(), 20) })
  const url = `http://127.0.0.1:${await listen(t, slow)}/`
  t.match(await ask({ url, followRedirects: 20, timeout: 100 }), { state: RED, detail: /^no answer from .*: timed out after 100 ms$/ })
})

t.test('names on the way are resolved by the lookup that was given', async (t) => {
  const { url, asked } = await serve(t)
  const port = new URL(url).port
  const names: string[] = []
  await ask({
    url: `http://a.example:${port}/302/${encodeURIComponent(`http://b.example:${port}/`)}`,
    followRedirects: 1,
    lookup: (hostname, _options, callback) => { names.push(hostname); callback(null, '127.0.0.1', 4) }
  })
  t.strictSame(names, ['a.example', 'b.example'])
  t.equal(asked.length, 2)
})

t.test('a run that is called off between two requests sends no other', async (t) => {
  let requests = 0
  const server = createServer((_request, response) => {
    requests++
    // Later than the run looks at its signal.
    setTimeout(() => response.writeHead(302, { location: '/there' }).end(), 100)
  })
  const url = `http://127.0.0.1:${await listen(t, server)}/`
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => agent.destroy())
  const controller = new AbortController()
  // The connection is free after the reply, and before the next request.
  agent.on('free', () => controller.abort())
  t.match(await new HTTPCheck({ url, agent, followRedirects: 1 }).getStatus(controller), { state: RED, detail: `no whole answer from ${url}: called off` })
  await ask({ url })
  t.equal(requests, 2)
})
