import Fastify from 'fastify'

// The onRequest hook of failoverPlugin while every service is up and nothing is due, against an app without it.

const bare = { path: '/x', subject: 'bare' }

export default [{
  id: 'failover',
  measure: 'http',
  warmUp: 20_000,
  count: 4_000,
  against: 'a bare route that returns a constant',
  peer: bare,
  rows: [
    { id: 'failover-hook', title: 'GET of that route with failoverPlugin, a service that is up', path: '/x', subject: 'watched', args: { services: 1 }, reach: 1.09 },
    { id: 'failover-hook-wait', title: 'the same with wait, ten services', path: '/x', subject: 'watched', args: { services: 10, wait: true }, reach: 1.09 }
  ]
}]

export const subjects = {
  async bare () {
    const app = Fastify({ logger: false })
    app.get('/x', () => 'OK')
    return app
  },

  async watched (library, { services, wait = false }) {
    const { failoverPlugin, Service } = await import(`${library}failover/index.js`)
    const app = Fastify({ logger: false })
    await app.register(failoverPlugin, {
      wait,
      services: Array.from({ length: services }, (_, index) => new Service({ name: `service ${index}`, ping: () => true }))
    })
    app.get('/x', () => 'OK')
    return app
  }
}
