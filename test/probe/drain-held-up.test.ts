import { spawn } from 'node:child_process'
import http2 from 'node:http2'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { listen, statusApp, until } from '../support/app.js'

async function connection (t: Test, port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

// Each of these takes as long as keepAliveTimeout, 72 s, where nothing is done about it; the test's own timeout ends it.
t.test('a client that keeps the connection of a request that was under way does not hold up the close', { timeout: 20_000 }, async (t) => {
  const { app } = await statusApp(t)
  let finish: () => void = () => {}
  let started = false
  app.get('/work', async () => {
    started = true
    await new Promise<void>((resolve) => { finish = resolve })
    return 'done'
  })
  const port = await listen(app)
  const socket = await connection(t, port)
  let reply = ''
  socket.on('data', (chunk) => { reply += String(chunk) })
  socket.write('GET /work HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => started, 'the request is under way')
  const drained = app.svcStatus.drain({ delay: 0 })
  await until(() => !app.server.listening, 'the app closes')
  finish()
  await drained
  await until(() => reply.endsWith('\r\n\r\ndone'), 'it is answered')
})

t.test('neither does a connection that was opened and never used, as browsers do', { timeout: 20_000 }, async (t) => {
  const { app } = await statusApp(t)
  const port = await listen(app)
  await connection(t, port)
  await until(async () => await new Promise<boolean>((resolve) => app.server.getConnections((_error, count) => resolve(count > 0))), 'it is accepted')
  await app.svcStatus.drain({ delay: 20 })
  t.pass()
})

t.test('one that came last, while the process was busy, is not taken for one that was never used', { timeout: 20_000 }, async (t) => {
  const { app } = await statusApp(t, {}, { return503OnClosing: false })
  app.get('/work', () => 'done')
  const port = await listen(app)
  const drained = new Promise<void>((resolve) => {
    app.server.once('connection', () => {
      resolve(app.svcStatus.drain({ delay: 0 }))
      // Longer than it takes until the first look at the connections.
      for (const end = performance.now() + 200; performance.now() < end;);
    })
  })
  // From another process, whose request arrives meanwhile.
  const client = spawn(process.execPath, ['-e', `require('http').get('http://127.0.0.1:${port}/work', (reply) => reply.pipe(process.stdout))`], { stdio: ['ignore', 'pipe', 'ignore'], env: {} })
  t.equal(await text(client.stdout), 'done')
  await drained
})

t.test('a reply that waits for a slow client is not cut off', { timeout: 20_000 }, async (t) => {
  const { app } = await statusApp(t)
  app.get('/work', () => 'x'.repeat(30_000_000))
  const socket = await connection(t, await listen(app))
  let received = 0
  socket.on('data', (chunk) => { received += chunk.length })
  socket.write('GET /work HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => received > 0, 'it begins')
  socket.pause()
  const drained = app.svcStatus.drain({ delay: 0 })
  await until(() => !app.server.listening, 'the app closes')
  // Some looks at the connections later.
  await new Promise((resolve) => setTimeout(resolve, 200))
  socket.resume()
  await drained
  await until(() => received > 30_000_000, 'all of it is there')
})

t.test('neither does an HTTP/2 session, idle or with a request under way, which is answered', { timeout: 20_000 }, async (t) => {
  const { app } = await statusApp(t, {}, { http2: true } as object)
  let finish: () => void = () => {}
  let started = false
  app.get('/work', async () => {
    started = true
    await new Promise<void>((resolve) => { finish = resolve })
    return 'done'
  })
  const port = await listen(app)
  const sessions = ['/live_status', '/work'].map((path) => {
    const session = http2.connect(`http://127.0.0.1:${port}`)
    t.teardown(() => session.destroy())
    return { session, reply: text(session.request({ ':path': path })) }
  })
  t.equal(await sessions[0].reply, 'OK')
  await until(() => started, 'the request is under way')
  const drained = app.svcStatus.drain({ delay: 0 })
  await until(() => sessions.every(({ session }) => session.closed), 'both are told to leave')
  finish()
  t.equal(await sessions[1].reply, 'done')
  await drained
})

t.test('a drain of an app that is closed already is done at once', { timeout: 20_000 }, async (t) => {
  const { app } = await statusApp(t)
  await app.ready()
  await app.close()
  await app.svcStatus.drain({ delay: 60_000 })
  t.pass()
})
