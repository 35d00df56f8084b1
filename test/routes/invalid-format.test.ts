import t from 'tap'
import { statusApp } from '../support/app.js'

for (const [what, rendered] of [['undefined', undefined], ['a number', 5], ['an async generator', (async function * () { yield 'x' })()], ['an object', {}]] as const) {
  t.test(`a format that renders ${what} is an error that names it`, async (t) => {
    const { app } = await statusApp(t, { formats: [{ name: 'broken', contentTypes: ['text/broken'], render: () => rendered as never }] })
    const reply = await app.inject('/svc_status.broken')
    t.equal(reply.statusCode, 500)
    t.match(reply.json(), { code: 'ERR_INVALID_FORMAT', message: /the format "broken" must render a string or an iterable of strings; it rendered/ })
    t.equal((await app.inject('/svc_status')).statusCode, 200, 'the others are served')
  })
}
