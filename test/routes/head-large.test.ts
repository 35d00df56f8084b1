import t from 'tap'
import { listen, statusApp } from '../support/app.js'
import { many } from '../support/snapshots.js'
import { ask } from '../support/sockets.js'

t.test('HEAD of a reply that comes in slices says no length, for GET has none', async (t) => {
  const { app, registry } = await statusApp(t)
  for (const [name] of many(2_001)) registry.addStatusHandler(name, () => true)
  const port = await listen(app)
  t.equal((await ask({ port, path: '/svc_status.json', method: 'HEAD', agent: false })).headers['content-length'], undefined)
})

t.test('an exposition format that has two content types says that Accept chose', async (t) => {
  const { app } = await statusApp(t, { metrics: { registries: [] } })
  t.match((await app.inject('/svc_status.prometheus')).headers.vary, /accept/i)
})
