import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export type Teardown = { teardown (action: () => Promise<void>): unknown }

/** Has a server of any kind listen on a free port of loopback until the test is over, and gives the port. */
export async function listen (t: Teardown, server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return (server.address() as AddressInfo).port
}

/** A port where nobody listens: it was free a moment ago. */
export { freePort as closedPort } from '../../support/free-port.js'

/** Says the same again and again, as fast as the other side takes it, up to so many bytes. */
function flood (socket: Socket, bytes: number, chunk: string | Buffer): void {
  let left = bytes
  const go = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= chunk.length
      if (!socket.write(chunk)) return
    }
  }
  socket.on('drain', go)
  go()
}

/** Says one character at a time. */
function drip (socket: Socket, text: string, every = 10): void {
  let at = 0
  const timer = setInterval(() => socket.write(text[at++ % text.length]), every)
  socket.on('close', () => clearInterval(timer))
}

const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
const megabytes = 100 * 2 ** 20
const zeros = Buffer.alloc(65_536)

/** Peers that misbehave, by what they do with a connection. */
export const misbehaving = {
  'accepts and says nothing': () => {},
  'sends a byte now and then': (socket) => drip(socket, 'HTTP/1.1 200 OK\r\nX-A: '),
  resets: (socket) => { socket.resetAndDestroy() },
  'resets when it is asked': (socket) => { socket.on('data', () => socket.resetAndDestroy()) },
  closes: (socket) => { socket.destroy() },
  'closes when it is asked': (socket) => { socket.on('data', () => socket.end()) },
  'sends 100 MB': (socket) => flood(socket, megabytes, zeros),
  'sends garbage': (socket) => { socket.end('SSH-2.0-OpenSSH_9.2p1\r\n') }
} satisfies Record<string, (socket: Socket) => void>

/** Peers that begin as a server of HTTP does and misbehave then. */
export const misbehavingInHTTP = {
  'sends a body of 100 MB': (socket) => onRequest(socket, () => {
    socket.write(`${head}Content-Length: ${megabytes}\r\n\r\n`)
    flood(socket, megabytes, zeros)
  }),
  'sends chunks without an end': (socket) => onRequest(socket, () => {
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    flood(socket, Infinity, `4000\r\n${'x'.repeat(0x4000)}\r\n`)
  }),
  'drips a body': (socket) => onRequest(socket, () => {
    socket.write(`${head}Content-Length: 1000000\r\n\r\n`)
    drip(socket, 'x')
  }),
  'sends headers without an end': (socket) => onRequest(socket, () => {
    socket.write(head)
    flood(socket, Infinity, `X-A: ${'x'.repeat(1000)}\r\n`)
  }),
  'says wait and nothing more': (socket) => onRequest(socket, () => { socket.write('HTTP/1.1 100 Continue\r\n\r\n') }),
  'closes within the body': (socket) => onRequest(socket, () => { socket.end(`${head}Content-Length: 10\r\n\r\n12345`) }),
  'resets within the body': (socket) => onRequest(socket, () => {
    socket.write(`${head}Content-Length: 10\r\n\r\n12345`, () => { socket.resetAndDestroy() })
  }),
  'breaks its chunks': (socket) => onRequest(socket, () => { socket.end(`${head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`) }),
  'switches protocols': (socket) => onRequest(socket, () => { socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n') })
} satisfies Record<string, (socket: Socket) => void>

function onRequest (socket: Socket, reply: () => void): void {
  socket.once('data', reply)
}

/** A server that does this with each connection. Its data has to be read by somebody, or its end is not noticed. */
export function peer (act: (socket: Socket) => void): Server {
  return createServer((socket) => {
    socket.resume()
    act(socket)
  })
}
