import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'

/** https://nodejs.org/api/diagnostics_channel.html#http */
const requestStart = 'http.server.request.start'

/**
 * Tells clients with a connection of their own to leave, with the next reply each of them gets: a balancer that only
 * stops choosing this instance would otherwise keep its open connections to it. Listens only while it has to.
 */
export class KeepAliveEnd {
  readonly #server: Server
  #listening = false

  constructor (server: Server) {
    this.#server = server
  }

  set (wanted: boolean): void {
    if (wanted === this.#listening) return
    this.#listening = wanted
    if (wanted) {
      // Before the app's own listener, which may send the head of the reply at once.
      this.#server.prependListener('request', askToLeave)
      subscribe(requestStart, this.#onOtherServer)
    } else {
      this.#server.off('request', askToLeave)
      unsubscribe(requestStart, this.#onOtherServer)
    }
  }

  /** An app that listens on `localhost` has a second server, for ::1, which Fastify shows to nobody: it has the same port. */
  readonly #onOtherServer = (message: unknown): void => {
    const { request, response, server } = message as { request: IncomingMessage, response: ServerResponse, server: Server }
    if (server !== this.#server && isOfSamePort(server, this.#server)) askToLeave(request, response)
  }
}

function askToLeave (request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor === 2) {
    // GOAWAY; open streams go on: https://nodejs.org/api/http2.html#http2sessionclosecallback
    (request as unknown as Http2ServerRequest).stream.session?.close()
  } else {
    response.setHeader('connection', 'close')
  }
}

function isOfSamePort (a: Server, b: Server): boolean {
  const [first, second] = [a.address(), b.address()]
  return typeof first === 'object' && typeof second === 'object' && first !== null && first.port === second?.port
}
