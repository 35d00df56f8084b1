import Fastify from 'fastify'
import t from 'tap'
import { statusPlugin, StatusRegistry, type StatusHandler } from '../../lib/index.js'
import { statusApp } from '../support/app.js'

t.test('when the first of two apps with one registry closes, the other hears of its handlers still', async (t) => {
  const registry = new StatusRegistry()
  const lines: string[] = []
  const first = Fastify()
  const second = Fastify({ logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(async () => await Promise.all([first.close(), second.close()]))
  for (const app of [first, second]) await app.register(statusPlugin, { registry })
  registry.addStatusHandler('broken', () => { throw new Error('down') })
  await first.close()
  await second.inject('/svc_status')
  t.equal(lines.length, 1)
})

t.test('a handler that was replaced through the decorator is stopped too', async (t) => {
  let stopped = 0
  const worker = (): StatusHandler => ({ getStatus: () => true, stop: () => { stopped++ } }) as StatusHandler
  const { app } = await statusApp(t, { handlers: { worker: worker() } })
  app.svcStatus.addStatusHandler('worker', worker(), { replace: true })
  await app.close()
  t.equal(stopped, 2)
})
