import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import { statusPlugin, StatusRegistry } from '../../lib/index.js'

interface Operation {
  summary: string
  tags: string[]
  parameters?: Array<{ in: string, name: string, required?: boolean, schema: object }>
  responses: Record<string, { description: string, content: Record<string, unknown> }>
}

t.test('all routes appear in OpenAPI, with what they are for and their content types', async (t) => {
  const app = Fastify()
  t.teardown(async () => await app.close())
  await app.register(swagger, { openapi: {} })
  await app.register(statusPlugin, { registry: new StatusRegistry(), svcStatus: { health: true }, formats: [{ name: 'xml', contentTypes: ['application/xml'], render: () => '' }] })
  await app.ready()
  const { paths } = JSON.parse(JSON.stringify(app.swagger())) as { paths: Record<string, Record<string, Operation>> }

  const expected: Record<string, string[]> = {
    '/svc_status': ['application/health+json', 'application/json', 'application/xml', 'text/csv', 'text/html', 'text/plain'],
    '/svc_status.csv': ['text/csv'],
    '/svc_status.json': ['application/json'],
    '/svc_status.prometheus': ['text/plain'],
    '/svc_status.health': ['application/health+json'],
    '/svc_status.html': ['text/html'],
    '/svc_status.live': ['text/event-stream'],
    '/svc_status.xml': ['application/xml'],
    '/health': ['application/health+json'],
    '/svc_status/{name}': ['application/json', 'text/plain'],
    '/probe_status': ['text/plain'],
    '/live_status': ['text/plain']
  }
  t.strictSame(Object.keys(paths).sort(), Object.keys(expected).sort())
  for (const [path, contentTypes] of Object.entries(expected)) {
    t.strictSame(Object.keys(paths[path]).sort(), path === '/probe_status' ? ['get', 'head', 'post'] : ['get', 'head'], path)
    for (const [method, { summary, tags, responses }] of Object.entries(paths[path])) {
      t.ok(summary.length > 10, `${method} ${path}`)
      t.strictSame(tags, ['status'])
      t.strictSame(Object.keys(responses['200'].content).sort(), contentTypes, `${method} ${path}`)
    }
  }
  t.match(paths['/svc_status/{name}'].get.parameters, [{ in: 'path', name: 'name', required: true, schema: { type: 'string' } }])
  t.match(paths['/probe_status'].post.parameters, [{ in: 'query', name: 'body', required: false, schema: { type: 'string', minLength: 1, maxLength: 256 } }])
})
