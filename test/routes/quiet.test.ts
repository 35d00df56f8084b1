import t from 'tap'
import { everybody, logLines, statusApp } from '../support/app.js'
import type { StatusPluginOptions } from '../../types/options.js'

const reads: Array<[method: 'GET' | 'HEAD', url: string, accept?: string]> = [
  ['GET', '/probe_status'], ['HEAD', '/probe_status'], ['GET', '/live_status'], ['HEAD', '/live_status'],
  ['GET', '/svc_status'], ['HEAD', '/svc_status'], ['GET', '/svc_status.csv'], ['GET', '/svc_status.json'], ['GET', '/svc_status.prometheus'], ['GET', '/svc_status.health'], ['GET', '/svc_status.html'],
  ['GET', '/health'], ['GET', '/svc_status/db'], ['GET', '/svc_status/red'], ['GET', '/svc_status/nobody'], ['GET', '/svc_status/'],
  ['GET', '/svc_status', 'image/png'], ['GET', '/svc_status', 'text/html']
]

function loud (options: StatusPluginOptions) {
  const { lines, stream } = logLines()
  return { lines, options: { svcStatus: { health: true }, probeStatus: { auth: everybody }, handlers: { db: () => true, red: () => false }, ...options }, server: { logger: { level: 'info', stream } } }
}

t.test('a service that logs at info writes no line for a probe or a scrape, whatever they are answered', async (t) => {
  const { lines, options, server } = loud({})
  const { app } = await statusApp(t, options, server)
  await app.ready()
  for (const [method, url, accept = '*/*'] of reads) {
    await app.inject({ method, url, headers: { accept } })
    t.strictSame(lines, [], `${method} ${url} ${accept}`)
  }
})

t.test('nor for a request that is refused', async (t) => {
  const { lines, options, server } = loud({ probeStatus: { auth: ({ headers }) => headers.authorization === 'me' } })
  const { app } = await statusApp(t, options, server)
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })).statusCode, 403)
  t.equal((await app.inject({ method: 'POST', url: '/probe_status?boddy=OFF', headers: { authorization: 'me' } })).statusCode, 400)
  t.strictSame(lines, [])
})

t.test('a decommission is one line', async (t) => {
  const { lines, options, server } = loud({})
  const { app } = await statusApp(t, options, server)
  await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })
  t.strictSame(lines.map(({ level, msg }) => [level, msg]), [[30, 'decommissioned: OFF']])
})

t.test('the routes of the app are logged as before', async (t) => {
  const { lines, options, server } = loud({})
  const { app } = await statusApp(t, options, server)
  app.get('/own', () => 'own')
  await app.inject('/own')
  t.equal(lines.length, 2)
})

t.test('a lower log level makes them heard', async (t) => {
  const { lines, options, server } = loud({ logLevel: 'info' })
  const { app } = await statusApp(t, options, server)
  for (const [method, url, accept = '*/*'] of [...reads, ['POST', '/probe_status?body=OFF'] as const]) {
    lines.length = 0
    await app.inject({ method, url, headers: { accept } })
    t.strictSame(lines.filter(({ msg }) => msg === 'incoming request').length, 1, `${method} ${url}`)
    t.strictSame(lines.filter(({ msg }) => msg === 'request completed').length, 1, `${method} ${url}`)
  }
})

t.test('a handler that fails is one line, and not one for each scrape', async (t) => {
  const { lines, options, server } = loud({ handlers: { broken: () => { throw new Error('down') } } })
  const { app } = await statusApp(t, options, server)
  for (let scrape = 0; scrape < 3; scrape++) await app.inject('/svc_status')
  t.strictSame(lines.map(({ level, msg, handler }) => [level, msg, handler]), [[50, 'status handler threw', 'broken']])
})
