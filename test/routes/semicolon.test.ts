import t from 'tap'
import { everybody, listen, statusApp } from '../support/app.js'
import { raw } from '../support/sockets.js'

t.test('a query that the app takes from behind a semicolon does not put the instance back in service', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: everybody } }, { routerOptions: { useSemicolonDelimiter: true } } as object)
  await app.svcStatus.decommission('BEFORE')
  await app.inject({ method: 'POST', url: '/probe_status;body=OFF' })
  t.not(app.svcStatus.decommissioned, undefined)
})

t.test('neither does a fragment', async (t) => {
  const { app } = await statusApp(t, { probeStatus: { auth: everybody } })
  const port = await listen(app)
  await app.svcStatus.decommission('BEFORE')
  await raw(port, 'POST /probe_status#body=OFF HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  t.not(app.svcStatus.decommissioned, undefined)
})
