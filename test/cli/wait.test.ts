import { createServer } from 'node:http'
import t from 'tap'
import { StatusRegistry } from '../../lib/index.js'
import { freePort } from '../support/free-port.js'
import { statusApp, until } from '../support/app.js'
import { service, Started, svcStatus } from './support/run.js'
import { answering, listening } from './support/servers.js'

t.test('what is already so is not waited for', async (t) => {
  const { url } = await service(t, { handlers: { db: () => 'OK', mail: () => 'YELLOW' } })
  t.strictSame(await svcStatus(['wait', url, '--state', 'yellow']), { code: 0, out: `${url} is YELLOW, after 0 s\n`, err: '' })
  t.strictSame(await svcStatus(['wait', url, '--name', 'db']), { code: 0, out: `db of ${url} is OK, after 0 s\n`, err: '' })
  t.match(await svcStatus(['wait', `${url}/svc_status/mail`, '--state', 'YELLOW']), { code: 0, out: `mail of ${url} is YELLOW` })
  t.match(await svcStatus(['wait', url, '--name', 'db', '--state', 'GREEN']), { code: 0, out: 'is OK' })
})

t.test('a service that is not there yet is waited for, and so is its state', async (t) => {
  const port = await freePort()
  const registry = new StatusRegistry()
  const { app } = await statusApp(t, { registry, handlers: { db: () => 'RED' } })
  const running = new Started(['wait', `localhost:${port}`, '--timeout', '20s'])
  const answers: number[] = []
  app.addHook('onResponse', async (_request, { statusCode }) => { answers.push(statusCode) })
  await app.listen({ port, host: '127.0.0.1' })
  await until(() => answers.length > 0, 'it was asked while it was RED')
  registry.addStatusHandler('db', () => 'OK', { replace: true })
  t.match(await running.ended, { code: 0, out: /^http:\/\/localhost:\d+ is OK, after \d+ s\n$/, err: '' })
})

t.test('when the time is over it says what it last saw', async (t) => {
  const { url } = await service(t, { handlers: { db: () => ({ state: 'RED', detail: 'no route\x1b[2J' }), fine: () => 'OK' } })
  const hangs = await answering(t, () => {})
  const last = async (...args: string[]): Promise<[number, string]> => {
    const { code, out, err } = await svcStatus(['wait', ...args, '--timeout', '300ms'])
    t.equal(out, '')
    return [code, err.replace(/^svc-status: .* in 0 s: /, '')]
  }
  t.strictSame(await Promise.all([
    last(url),
    last(url, '--name', 'db'),
    last(url, '--name', 'dbb'),
    last(url, '--name', 'fine', '--state', 'RED'),
    last('127.0.0.1:1'),
    last(hangs)
  ]), [
    [5, 'at last it was RED: db\n'],
    [5, 'at last it was RED: no route\n'],
    [5, 'it has no handler of that name, but db, fine\n'],
    [5, 'at last it was OK\n'],
    [3, 'at last nobody listens there: is the service running, and is 1 its port? (ECONNREFUSED)\n'],
    [3, 'there was no answer yet\n']
  ])
  t.match(await last(url, '--name', 'constructor', '--state', 'YELLOW'), [5, /^it has no handler of that name/])
  const many = await service(t, { handlers: Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`h${10 + index}`, () => 'OK' as const])) })
  t.match(await last(many.url, '--name', 'x'), [5, /but h10, .*, h19 and 2 more\n/])
  t.strictSame(await last(many.url, '--state', 'RED'), [5, 'at last it was OK\n'])
  t.strictSame(await last((await service(t)).url, '--name', 'x'), [5, 'it has no handler of that name, but none\n'])
})

t.test('several services are waited for until each was in the state, or the time is over', async (t) => {
  const [one, two] = [await service(t), await service(t, { handlers: { db: () => 'RED' } })]
  t.match(await svcStatus(['wait', one.url, one.url]), { code: 0, out: `${one.url} is OK, after 0 s\n${one.url} is OK, after 0 s\n` })
  const { code, out, err } = await svcStatus(['wait', one.url, two.url, '--timeout', '200ms'])
  t.equal(code, 5)
  t.equal(out, `${one.url} is OK, after 0 s\n`)
  t.equal(err, `svc-status: ${two.url} did not become OK in 0 s: at last it was RED: db\n`)
})

t.test('whoever interrupts hears what was last seen', async (t) => {
  let asked = 0
  const { url } = await service(t, { handlers: { db: () => { asked++; return 'RED' } } })
  const running = new Started(['wait', url])
  // By JSON and health+json; the third time only when the first was read.
  await until(() => asked > 2, 'it is asked again')
  running.end('SIGTERM')
  t.match(await running.ended, { code: 143, out: '', err: /^svc-status: http:\S+ did not become OK in \d s: at last it was RED: db\n$/ })
})

t.test('a wrong state is refused', async (t) => {
  t.match(await svcStatus(['wait', 'localhost', '--state', 'PURPLE']), { code: 64, err: 'svc-status: --state must be OK, YELLOW or RED; it is "PURPLE"\n' })
  t.match(await svcStatus(['wait']), { code: 64, err: /which service\?/ })
})

t.test('an interrupt ends the question under way', async (t) => {
  const server = createServer()
  const running = new Started(['wait', await listening(t, server)])
  const connections = async (): Promise<number> => await new Promise((resolve, reject) => server.getConnections((error, count) => error === null ? resolve(count) : reject(error)))
  await until(async () => await connections() > 0, 'it is asked')
  running.end('SIGINT')
  t.match(await running.ended, { code: 130, err: ': there was no answer yet\n' })
  await until(async () => await connections() === 0, 'nobody asks any more')
})
