import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * Below what the system hands out to those who do not care (32768 and above on Linux): while the backend is away nobody is
 * given its port, and nobody who connects to it is given it as the port to connect from.
 */
const ports = { first: 20_000, last: 32_000 }

/** A real TCP server that goes away and comes back, on the same port. */
export class Backend {
  /** How many connections it has had. */
  connections = 0
  #port = 0
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()

  static async start (t: { teardown (action: () => Promise<void>): unknown }): Promise<Backend> {
    const backend = new Backend()
    t.teardown(async () => await backend.goAway())
    await backend.comeBack()
    return backend
  }

  get port (): number {
    return this.#port
  }

  async comeBack (): Promise<void> {
    this.#server = this.#port === 0 ? await this.#anywhere() : await this.#listening(this.#port)
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async goAway (): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #anywhere (): Promise<Server> {
    for (;;) {
      const port = ports.first + Math.floor(Math.random() * (ports.last - ports.first))
      try {
        return await this.#listening(port)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      }
    }
  }

  async #listening (port: number): Promise<Server> {
    const server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket)).resume()
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
}
