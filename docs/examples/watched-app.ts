/*
 * An app that has itself watched: it answers `/health`, and registers with the healthchecker that it finds, to be asked every 10
 * seconds. It is UNHEALTHY after 2 failures in a row, and HEALTHY after 4 successes. With nobody there to watch it, it runs all the
 * same, and goes on looking.
 *
 *   svc-status serve
 *   node dist/docs/examples/watched-app.js
 *
 * Environment: HOST, PORT (127.0.0.1 and any free one); HEALTHCHECKER, such as http://127.0.0.1:8080, in place of what is found;
 * SVC_STATUS_TOKEN where that one wants a token. POST /break makes it fail, POST /mend makes it work again.
 */
import Fastify from 'fastify'
import { HealthCheckResponse, HealthStatus } from 'fastify-svc-status'
import { healthcheckerPlugin } from 'fastify-svc-status/healthchecker'

const { HOST = '127.0.0.1', PORT = '0', HEALTHCHECKER, SVC_STATUS_TOKEN } = process.env

const app = Fastify({ logger: true })
let works = true

// It is asked every 10 seconds, which is nothing to log.
app.get('/health', { logLevel: 'warn' }, (_request, reply) => {
  const body = new HealthCheckResponse().description('Sample app').status(works ? HealthStatus.PASS : HealthStatus.FAIL).build()
  return reply.code(works ? 200 : 503).type('application/health+json').send(JSON.stringify(body))
})
app.post('/break', async () => { works = false })
app.post('/mend', async () => { works = true })

// Registered when the app listens, withdrawn when it closes.
await app.register(healthcheckerPlugin, {
  app: 'Sample app',
  path: '/health',
  interval: 10,
  unhealthyThreshold: 2,
  healthyThreshold: 4,
  server: HEALTHCHECKER,
  token: SVC_STATUS_TOKEN
})

console.log(`${await app.listen({ host: HOST, port: Number(PORT) })}/health`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })
