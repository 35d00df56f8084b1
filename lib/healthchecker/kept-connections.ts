import http, { type ClientRequest } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'

/** How many connections wait for the next check of their app, in all; each costs both sides a socket. */
const most = 2_000

/** So often in a row a connection of an address was closed before it could be used again: then it is not kept any more. */
const tries = 2

/** After so many addresses all of them are tried again: peers change, and so does who they are. */
const mostUseless = 20_000

/**
 * Which connections are worth keeping for the next check: those whose peer keeps them longer than the interval of the checks.
 * That is learned from what became of the ones before.
 */
export class KeptConnections {
  readonly #idle = new WeakMap<Duplex, string>()
  readonly #followed = new WeakSet<Duplex>()
  /** How often the connection of an address was kept for nothing, in a row. */
  readonly #useless = new Map<string, number>()
  #kept = 0

  keep (socket: Duplex): boolean {
    const address = addressOf(socket as Socket)
    if (this.#kept >= most || (this.#useless.get(address) ?? 0) >= tries) return false
    this.#kept++
    this.#idle.set(socket, address)
    // A connection is kept again and again, and ends once.
    if (!this.#followed.has(socket)) socket.once('close', () => this.#ended(socket))
    this.#followed.add(socket)
    return true
  }

  reuse (socket: Duplex): void {
    const address = this.#idle.get(socket) as string
    this.#idle.delete(socket)
    this.#kept--
    this.#useless.delete(address)
  }

  #ended (socket: Duplex): void {
    const address = this.#idle.get(socket)
    if (address === undefined) return
    this.#idle.delete(socket)
    this.#kept--
    if (this.#useless.size >= mostUseless) this.#useless.clear()
    this.#useless.set(address, (this.#useless.get(address) ?? 0) + 1)
  }
}

function addressOf ({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** An agent for all apps that are asked over HTTP. */
export class HTTPAgent extends http.Agent {
  readonly #connections: KeptConnections

  constructor (connections: KeptConnections) {
    super({ keepAlive: true, maxFreeSockets: Infinity })
    this.#connections = connections
  }

  override keepSocketAlive (socket: Duplex): boolean {
    return keepSocketAlive(super.keepSocketAlive(socket), this.#connections, socket)
  }

  override reuseSocket (socket: Duplex, request: ClientRequest): void {
    this.#connections.reuse(socket)
    super.reuseSocket(socket, request)
  }
}

/** The same for HTTPS. A resumed session would bring the verdict on a certificate of long ago. */
export class HTTPSAgent extends https.Agent {
  readonly #connections: KeptConnections

  constructor (connections: KeptConnections, secureContext: SecureContext) {
    super({ keepAlive: true, maxFreeSockets: Infinity, maxCachedSessions: 0, secureContext })
    this.#connections = connections
  }

  override keepSocketAlive (socket: Duplex): boolean {
    return keepSocketAlive(super.keepSocketAlive(socket), this.#connections, socket)
  }

  override reuseSocket (socket: Duplex, request: ClientRequest): void {
    this.#connections.reuse(socket)
    super.reuseSocket(socket, request)
  }
}

/** Node's own says whether the peer agrees, whatever its type says: https://nodejs.org/api/http.html#agentkeepsocketalivesocket */
function keepSocketAlive (agreed: unknown, connections: KeptConnections, socket: Duplex): boolean {
  return agreed === true && connections.keep(socket)
}
