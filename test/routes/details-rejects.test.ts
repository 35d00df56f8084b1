import t from 'tap'
import { statusApp, until } from '../support/app.js'

t.test('a details function that rejects while a handler still runs is a 500 that nobody stores, and not an unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const listener = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  let rejected = false
  const { app, registry } = await statusApp(t, { details: async () => { rejected = true; throw new Error('no') } })
  registry.addStatusHandler('slow', async () => {
    await until(() => rejected, 'the details function was asked')
    await new Promise((resolve) => setImmediate(resolve))
    return true
  })
  const reply = await app.inject('/svc_status.json')
  t.equal(reply.statusCode, 500)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.strictSame(unhandled, [])
})

t.test('a format that fails is a 500 that nobody stores', async (t) => {
  const { app } = await statusApp(t, { formats: [{ name: 'bad', contentTypes: ['text/bad'], render: () => { throw new Error('no') } }] })
  const reply = await app.inject('/svc_status.bad')
  t.equal(reply.statusCode, 500)
  t.equal(reply.headers['cache-control'], 'no-store')
})

t.test('an auth that fails is a 500 that nobody stores', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: async () => { throw new Error('no') } } })
  const reply = await app.inject({ method: 'POST', url: '/probe_status?body=OFF' })
  t.equal(reply.statusCode, 500)
  t.equal(reply.headers['cache-control'], 'no-store')
})
