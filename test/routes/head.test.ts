import t from 'tap'
import type { Format } from '../../types/format.js'
import { everybody, listen, statusApp } from '../support/app.js'
import { ask } from '../support/sockets.js'

const urls = ['/svc_status', '/svc_status.csv', '/svc_status.json', '/svc_status.prometheus', '/svc_status.health', '/svc_status.html', '/health', '/svc_status/a', '/svc_status/nobody', '/svc_status/', '/probe_status', '/live_status']

for (const exposeHeadRoutes of [true, false]) {
  t.test(`HEAD tells what GET does, without a body, where exposeHeadRoutes is ${exposeHeadRoutes}`, async (t) => {
    const { app, registry } = await statusApp(t, { svcStatus: { health: true }, probeStatus: { auth: everybody } }, { exposeHeadRoutes })
    registry.addStatusHandler('a', () => ({ state: 'RED', detail: 'ü' }))
    const port = await listen(app)
    for (const decommissioned of [false, true]) {
      if (decommissioned) await app.svcStatus.decommission('außer Betrieb')
      for (const path of urls) {
        const [head, get] = [await ask({ port, path, method: 'HEAD', agent: false }), await ask({ port, path, agent: false })]
        t.equal(head.statusCode, get.statusCode, path)
        t.equal(head.body, '')
        for (const name of ['content-type', 'cache-control', 'vary', 'location']) t.equal(head.headers[name], get.headers[name], `${name} of ${path}`)
        const length = head.headers['content-length']
        // Durations may be a digit longer or shorter from one reply to the next.
        if (length !== undefined && path !== '/svc_status.prometheus') t.equal(length, get.headers['content-length'], `length of ${path}`)
      }
    }
  })
}

t.test('HEAD of a reply that comes in slices has no body either, and no slice is made for it', async (t) => {
  let made = 0
  const sliced: Format = {
    name: 'sliced',
    contentTypes: ['text/sliced'],
    * render () {
      for (let slice = 0; slice < 3; slice++) {
        made++
        yield 'x'
      }
    }
  }
  const { app } = await statusApp(t, { formats: [sliced] })
  const port = await listen(app)
  const reply = await ask({ port, path: '/svc_status.sliced', method: 'HEAD', agent: false })
  t.equal(reply.statusCode, 200)
  t.equal(reply.body, '')
  t.match(reply.headers['content-type'], 'text/sliced')
  t.equal(made, 0)
  t.equal((await ask({ port, path: '/svc_status.sliced', agent: false })).body, 'xxx')
})
