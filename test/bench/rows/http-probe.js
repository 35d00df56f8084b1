import Fastify from 'fastify'

// The probes against the least that Fastify can do: a route that returns a constant.

const bare = { path: '/x', subject: 'bare' }

export default [{
  id: 'probe',
  measure: 'http',
  warmUp: 20_000,
  count: 4_000,
  against: 'a bare route that returns a constant',
  peer: bare,
  rows: [
    { id: 'probe-status', title: 'GET /probe_status', path: '/probe_status', subject: 'service', reach: 1.03 },
    { id: 'live-status', title: 'GET /live_status', path: '/live_status', subject: 'service', reach: 1.03 }
  ]
}]

export const subjects = {
  async bare () {
    const app = Fastify({ logger: false })
    app.get('/x', () => 'OK')
    return app
  },

  async service (library) {
    const { statusPlugin, StatusRegistry } = await import(`${library}index.js`)
    const app = Fastify({ logger: false })
    await app.register(statusPlugin, { registry: new StatusRegistry() })
    return app
  }
}
