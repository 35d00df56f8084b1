import { PassThrough } from 'node:stream'
import t from 'tap'
import { KeptConnections } from '../../lib/healthchecker/kept-connections.js'

t.test('a connection that is kept many times is listened to once', async (t) => {
  const connections = new KeptConnections()
  const socket = new PassThrough()
  t.teardown(() => socket.destroy())
  const before = socket.listenerCount('close')
  for (let turn = 0; turn < 20; turn++) {
    t.equal(connections.keep(socket), true)
    connections.reuse(socket)
  }
  t.equal(socket.listenerCount('close'), before + 1)
})
