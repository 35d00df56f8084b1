import http from 'node:http'
import t from 'tap'
import type { Format } from '../../types/format.js'
import { allFormats } from '../../lib/formats/index.js'
import { listen, statusApp } from '../support/app.js'
import { ask } from '../support/sockets.js'
import { many, textOf } from '../support/snapshots.js'

t.test('a reply in slices arrives complete, in every format', async (t) => {
  const { app, registry } = await statusApp(t, { metrics: { registries: [] } })
  for (const [name] of many(4_001)) registry.addStatusHandler(name, () => ({ state: 'OK', detail: `detail of ${name}: ü` }))
  const port = await listen(app)
  for (const format of allFormats({ metrics: { registries: [] } }, [])) {
    const { statusCode, headers, body } = await ask({ port, path: `/svc_status.${format.name}`, agent: false })
    const expected = await textOf(format, await registry.snapshot())
    t.equal(statusCode, 200)
    t.equal(headers['transfer-encoding'], 'chunked')
    t.equal(headers['content-type'], format.contentTypes[0])
    // Numbers that differ from one reading to the next, and times of day.
    const steady = (text: string): string => text.replace(/^(svc_status_check_duration_seconds.*) \S+$/gm, '$1').replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, '')
    t.ok(steady(body) === steady(expected), `${format.name}: ${body.length} characters`)
  }
})

t.test('between two slices other requests have their turn', async (t) => {
  let answered = false
  let answeredBeforeTheLast: boolean | undefined
  const slow: Format = {
    name: 'slow',
    contentTypes: ['text/slow'],
    * render () {
      ask({ port, path: '/live_status', agent: false }).then(() => { answered = true }, (error) => t.fail(error))
      // So few characters that the socket takes them all at once, and gives nobody a turn by itself.
      for (let slice = 0; slice < 500; slice++) yield 'x'
      answeredBeforeTheLast = answered
    }
  }
  const { app } = await statusApp(t, { formats: [slow] })
  const port = await listen(app)
  const { body } = await ask({ port, path: '/svc_status.slow', agent: false })
  t.equal(body, 'x'.repeat(500))
  t.equal(answeredBeforeTheLast, true)
})

t.test('a reader who leaves ends the slices', async (t) => {
  let made = 0
  let ended: () => void = () => {}
  const left = new Promise<void>((resolve) => { ended = resolve })
  const endless: Format = {
    name: 'endless',
    contentTypes: ['text/endless'],
    * render () {
      try {
        for (;;) {
          made++
          yield 'x'.repeat(1_000)
        }
      } finally {
        ended()
      }
    }
  }
  const { app } = await statusApp(t, { formats: [endless] })
  const port = await listen(app)
  const reader = http.get({ host: '127.0.0.1', port, path: '/svc_status.endless', agent: false }, (reply) => {
    reply.once('data', () => reader.destroy())
  })
  await left
  t.ok(made > 0)
  t.equal((await ask({ port, path: '/live_status', agent: false })).body, 'OK')
})
