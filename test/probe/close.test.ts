import t from 'tap'
import { StateHandler, type HandlerContext, type StatusHandler } from '../../lib/index.js'
import { everybody, listen, logLines, statusApp, until } from '../support/app.js'
import { ask } from '../support/sockets.js'

/** A handler with background work, which records whether it was stopped. */
function worker (stop?: () => unknown): StatusHandler & { stopped: number } {
  return {
    stopped: 0,
    getStatus: () => true,
    stop () {
      this.stopped++
      return stop?.()
    }
  } as StatusHandler & { stopped: number }
}

t.test('handlers of the options and of the decorator leave the registry and are stopped', async (t) => {
  const [bare, optional, added] = [worker(), worker(), worker()]
  const { app, registry } = await statusApp(t, { handlers: { bare, optional: { handler: optional, critical: false } } })
  app.svcStatus.addStatusHandler('added', added)
  registry.addStatusHandler('stays', () => true)
  await app.close()
  t.strictSame((await registry.snapshot()).entries.map(({ name }) => name), ['stays'])
  t.strictSame([bare, optional, added].map(({ stopped }) => stopped), [1, 1, 1])
})

t.test('a handler that somebody else put in the place of one stays', async (t) => {
  const first = worker()
  const { app, registry } = await statusApp(t, { handlers: { db: first } })
  registry.addStatusHandler('db', () => 'RED', { replace: true })
  await app.close()
  t.equal(registry.has('db'), true)
  t.equal(first.stopped, 1)
})

t.test('the close waits for a handler that takes its time to stop', async (t) => {
  let ended = false
  const slow = worker(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    ended = true
  })
  const { app } = await statusApp(t, { handlers: { slow } })
  await app.close()
  t.equal(ended, true)
})

t.test('a handler that cannot be stopped is logged, and the others are stopped', async (t) => {
  const { lines, stream } = logLines()
  const other = worker()
  const { app, registry } = await statusApp(t, {
    handlers: { a: worker(() => { throw new Error('stuck') }), b: worker(async () => { throw new Error('stuck too') }), c: other, d: new StateHandler() }
  }, { logger: { level: 'info', stream } })
  await app.close()
  t.match(lines.filter(({ level }) => level === 50).map(({ handler, msg, err }) => [handler, msg, (err as Error).message]), [
    ['a', 'status handler did not stop', 'stuck'],
    ['b', 'status handler did not stop', 'stuck too']
  ])
  t.equal(other.stopped, 1)
  t.strictSame((await registry.snapshot()).entries, [])
})

t.test('no timer, no socket and no listener is left', async (t) => {
  const before = process.getActiveResourcesInfo().sort()
  const { app } = await statusApp(t, {
    handlers: {
      async: async ({ signal }: HandlerContext) => { signal.throwIfAborted(); return 'OK' as const },
      state: new StateHandler()
    },
    probeStatus: { auth: everybody }
  })
  const port = await listen(app)
  for (const path of ['/svc_status', '/svc_status.json', '/svc_status.prometheus', '/svc_status.health', '/svc_status.html', '/svc_status/async', '/probe_status', '/live_status']) {
    await ask({ port, path, agent: false })
  }
  await ask({ port, path: '/probe_status?body=OFF', method: 'POST', agent: false })
  await ask({ port, path: '/svc_status', agent: false })
  const drained = app.svcStatus.drain({ delay: 60_000 })
  await app.close()
  await drained
  await until(() => process.getActiveResourcesInfo().sort().join() === before.join(), `only ${before.join()} is left, not ${process.getActiveResourcesInfo().join()}`)
  t.pass()
})

t.test('a run that is under way when the app closes is told to end', async (t) => {
  let aborted: unknown
  const { app, registry } = await statusApp(t, {
    handlers: {
      hangs: async ({ signal }: HandlerContext) => await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => { aborted = signal.reason; reject(signal.reason) })
      })
    }
  })
  const asked = registry.snapshot()
  await app.close()
  await asked
  t.match(aborted, { code: 'ERR_UNKNOWN_HANDLER' })
})
