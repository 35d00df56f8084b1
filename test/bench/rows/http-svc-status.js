import Fastify from 'fastify'

// GET /svc_status.json with N handlers against a bare route that builds the same object and stringifies it.

const sizes = [
  { n: 10, warmUp: 15_000, count: 3_000, unchanged: 0.95 },
  { n: 100, warmUp: 10_000, count: 1_500, unchanged: 0.45 },
  { n: 1_000, warmUp: 6_000, count: 300, unchanged: 0.20 }
]

export default sizes.map(({ n, warmUp, count, unchanged }) => ({
  id: `json-${n}`,
  measure: 'http',
  warmUp,
  count,
  against: 'a bare route that builds and stringifies',
  peer: { path: '/x', subject: 'bare', args: { n } },
  rows: [
    row(n, 'async', 'async functions', { reach: 1.10 }),
    row(n, 'states', 'StateHandlers, unchanged', { reach: unchanged }),
    row(n, 'sync', 'sync functions, equal results', { reach: unchanged }),
    row(n, 'constant', '(a precomputed reply)', { path: '/x' }),
    row(n, 'asking', '(a bare route that asks async functions, with Promise.all and no timeout)', { path: '/x' }),
    // Every second reply has other states, and so another text than the peer's.
    row(n, 'async-1pct', '(async functions, 1 % change state)', { args: { n, changing: Math.ceil(n / 100) }, same: false }),
    row(n, 'async-all', '(async functions, all change state)', { args: { n, changing: n }, same: false })
  ]
}))

function row (n, id, title, more) {
  return {
    id: `json-${n}-${id}`,
    title: `/svc_status.json, N = ${n}: ${title}`,
    path: '/svc_status.json',
    subject: id.replace(/-.*/, ''),
    args: { n },
    ...more
  }
}

function names (n) {
  return Array.from({ length: n }, (_value, index) => `handler-${String(index).padStart(4, '0')}`)
}

async function service (library, handlers) {
  const { statusPlugin, StatusRegistry } = await import(`${library}index.js`)
  const app = Fastify({ logger: false })
  const registry = new StatusRegistry()
  for (const [name, handler] of handlers) registry.addStatusHandler(name, handler)
  await app.register(statusPlugin, { registry })
  return app
}

const contentType = 'application/json; charset=utf-8'

export const subjects = {
  async bare (_library, { n }) {
    const all = names(n)
    const app = Fastify({ logger: false })
    app.get('/x', (_request, reply) => {
      const body = {}
      for (const name of all) body[name] = { state: 'OK' }
      reply.header('content-type', contentType)
      return JSON.stringify(body)
    })
    return app
  },

  async asking (_library, { n }) {
    const all = names(n).map((name) => [name, async () => ({ state: 'OK' })])
    const app = Fastify({ logger: false })
    app.get('/x', async (_request, reply) => {
      const body = {}
      const statuses = await Promise.all(all.map(([_name, handler]) => handler()))
      for (let index = 0; index < all.length; index++) body[all[index][0]] = statuses[index]
      reply.header('content-type', contentType)
      return JSON.stringify(body)
    })
    return app
  },

  async constant (_library, { n }) {
    const body = JSON.stringify(Object.fromEntries(names(n).map((name) => [name, { state: 'OK' }])))
    const app = Fastify({ logger: false })
    app.get('/x', (_request, reply) => {
      reply.header('content-type', contentType)
      return body
    })
    return app
  },

  /** The first `changing` of them go from OK to YELLOW and back, a step a request. */
  async async (library, { n, changing = 0 }) {
    return await service(library, names(n).map((name, index) => [name, index < changing ? alternating() : async () => ({ state: 'OK' })]))
  },

  async sync (library, { n }) {
    return await service(library, names(n).map((name) => [name, () => ({ state: 'OK' })]))
  },

  async states (library, { n }) {
    const { StateHandler } = await import(`${library}index.js`)
    return await service(library, names(n).map((name) => {
      const handler = new StateHandler()
      handler.setState('OK')
      return [name, handler]
    }))
  }
}

function alternating () {
  let even = false
  return async () => {
    even = !even
    return { state: even ? 'OK' : 'YELLOW' }
  }
}
