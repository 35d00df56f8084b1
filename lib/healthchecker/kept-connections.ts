import http, { type ClientRequest } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

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
  /** The address of each, and whether it is idle. */
  readonly #known = new WeakMap<Duplex, { readonly address: string, idle: boolean }>()
  /** How often the connection of an address was kept for nothing, in a row. */
  readonly #useless = new Map<string, number>()
  #kept = 0

  keep (socket: Duplex): boolean {
    let known = this.#known.get(socket)
    if (known === undefined) {
      known = { address: addressOf(socket as Socket), idle: false }
      this.#known.set(socket, known)
      socket.once('close', () => this.#ended(socket))
    }
    if (this.#kept >= most || (this.#useless.get(known.address) ?? 0) >= tries) return false
    this.#kept++
    known.idle = true
    return true
  }

  reuse (socket: Duplex): void {
    const known = this.#known.get(socket) as { address: string, idle: boolean }
    known.idle = false
    this.#kept--
    this.#useless.delete(known.address)
  }

  #ended (socket: Duplex): void {
    const { address, idle } = this.#known.get(socket) as { address: string, idle: boolean }
    if (!idle) return
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

/** The same for HTTPS. */
export class HTTPSAgent extends https.Agent {
  readonly #connections: KeptConnections

  constructor (connections: KeptConnections, options: https.AgentOptions) {
    super({ keepAlive: true, maxFreeSockets: Infinity, ...options })
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
