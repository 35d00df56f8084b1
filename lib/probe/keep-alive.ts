import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'

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
    // Before the app's own listener, which may send the head of the reply at once.
    if (wanted) this.#server.prependListener('request', askToLeave)
    else this.#server.off('request', askToLeave)
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
