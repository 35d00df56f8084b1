import { once } from 'node:events'
import http from 'node:http'
import { connect, createServer } from 'node:net'
import Fastify from 'fastify'

// Checks against the least that Node can do, and as a prober against the one that people run. What they ask is a
// process of its own, on the client's core.

/** One at a time would measure how long it takes to be woken, in which both sides are alike. */
const atOnce = 16

/** One probe a request; the reply is text of some metrics, the verdict among them. */
export const blackbox = 'prometheus-blackbox-exporter'

export const exporter = (module) => ({
  measure: 'program',
  program: {
    command: blackbox,
    args: (file, address) => [`--config.file=${file}`, `--web.listen-address=${address}`, '--log.level=error'],
    // YAML, of which JSON is a part.
    configuration: JSON.stringify({ modules: { tcp: { prober: 'tcp', timeout: '5s' }, http: { prober: 'http', timeout: '5s' } } })
  },
  path: (target) => `/probe?module=${module}&target=${encodeURIComponent(`${module === 'http' ? 'http://' : ''}${target}`)}`,
  read: verdict
})

const prober = (kind, args) => ({ path: '/probe', subject: 'prober', args: { kind, ...args }, read: verdict })

/** Both sides have to have got through. */
function verdict (body) {
  const line = /^probe_success .*$/m.exec(body)?.[0]
  if (line !== 'probe_success 1') throw new Error(`the probe failed: ${body}`)
  return line
}

export default [{
  id: 'tcp-check',
  measure: 'calls',
  warmUp: 500,
  count: 100,
  scale: atOnce,
  target: { subject: 'tcpServer' },
  against: 'net.connect and destroy',
  peer: { subject: 'bareConnect' },
  rows: [
    { id: 'tcp-check-run', title: 'TCPCheck on loopback, timeout included', subject: 'check', args: { kind: 'tcp' }, reach: 1.2 }
  ]
}, {
  id: 'http-check',
  measure: 'calls',
  warmUp: 500,
  count: 100,
  scale: atOnce,
  target: { subject: 'httpServer' },
  against: 'node:http with an agent',
  peer: { subject: 'bareRequest' },
  rows: [
    { id: 'http-check-run', title: 'HTTPCheck on loopback, keep-alive, timeout included', subject: 'check', args: { kind: 'http' }, reach: 1.25 }
  ]
}, {
  id: 'tcp-prober',
  measure: 'http',
  warmUp: 6_000,
  count: 600,
  target: { subject: 'tcpServer' },
  against: blackbox,
  peer: exporter('tcp'),
  rows: [
    { id: 'tcp-prober-route', title: 'TCPCheck behind a route, as a prober', ...prober('tcp'), reach: 0.4 }
  ]
}, {
  id: 'http-prober',
  measure: 'http',
  warmUp: 6_000,
  count: 600,
  target: { subject: 'httpServer' },
  against: blackbox,
  peer: exporter('http'),
  rows: [
    { id: 'http-prober-route', title: 'HTTPCheck behind a route, as a prober', ...prober('http'), reach: 0.4 },
    { id: 'http-prober-anew', title: '(the same, a connection each, as the exporter does it)', ...prober('http', { keepAlive: false }) }
  ]
}]

function maker ({ TCPCheck, HTTPCheck, second }, { kind, target, keepAlive = true }) {
  const [host, port] = target.split(':')
  const timeout = second(5)
  return {
    tcp: () => new TCPCheck({ host, port: Number(port), timeout }),
    http: () => new HTTPCheck({ url: `http://${target}/`, timeout, agent: keepAlive ? undefined : new http.Agent() })
  }[kind]
}

function expect (state) {
  if (state !== 'OK') throw new Error(`the check is ${state}`)
}

export const subjects = {
  async tcpServer () {
    return serving(createServer((socket) => socket.on('error', () => {}).resume()))
  },

  async httpServer () {
    return serving(http.createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 2 }).end('OK')
    }))
  },

  async bareConnect (_library, { target }) {
    const [host, port] = target.split(':')
    const options = { host, port: Number(port) }
    return many(Array(atOnce).fill(() => new Promise((resolve, reject) => {
      const socket = connect(options, () => {
        socket.destroy()
        resolve('OK')
      })
      socket.on('error', reject)
    })))
  },

  async bareRequest (_library, { target }) {
    const [host, port] = target.split(':')
    const options = { host, port: Number(port), path: '/', agent: new http.Agent({ keepAlive: true }) }
    return many(Array(atOnce).fill(() => new Promise((resolve, reject) => {
      const request = http.get(options, (response) => {
        response.on('end', () => resolve(response.statusCode === 200 ? 'OK' : 'RED')).resume()
      })
      request.on('error', reject)
    })))
  },

  async check (library, args) {
    const make = maker(await import(`${library}index.js`), args)
    return many(Array.from({ length: atOnce }, make).map((check) => async () => (await check.getStatus()).state))
  },

  /** A check for each target, one run at a time, as one has it: the client's connections stand for as many targets. */
  async prober (library, args) {
    const make = maker(await import(`${library}index.js`), args)
    const idle = []
    const app = Fastify({ logger: false })
    app.get('/probe', async (_request, reply) => {
      const check = idle.pop() ?? make()
      const { state, metrics } = await check.getStatus()
      idle.push(check)
      expect(state)
      const lines = Object.entries({ success: Number(state === 'OK'), ...metrics }).map(([name, value]) => `probe_${name} ${value}\n`)
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(lines.join(''))
    })
    return app
  }
}

/** One call of each, all at once. */
function many (runs) {
  const sample = async () => (await Promise.all(runs.map((run) => run()))).join()
  return {
    sample,
    // A refusal would cost less.
    async call () {
      for (const state of (await Promise.all(runs.map((run) => run())))) expect(state)
    }
  }
}

function serving (server) {
  return {
    async listen ({ host, port }) {
      server.listen(port, host)
      await once(server, 'listening')
      return `${host}:${server.address().port}`
    }
  }
}
