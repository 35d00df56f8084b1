import http, { type Agent } from 'node:http'
import https from 'node:https'
import { createSecureContext } from 'node:tls'
import { checkServerIdentity } from './server-identity.js'

/** A check runs one at a time, as a rule: one idle connection is all it can use, and one at most can be stale when it is used. */
const pool = { maxFreeSockets: 1 }

/**
 * For agents of HTTPS. A resumed TLS session would bring the verdict on a certificate of long ago. A context for each connection
 * costs as much as a handshake.
 */
export function secureOptions (ca: Array<string | Buffer> | undefined): https.AgentOptions {
  return { maxCachedSessions: 0, secureContext: createSecureContext({ ca }), checkServerIdentity }
}

/** The agents of one check: its own, made when they are needed, and the one that it was given for its own protocol. */
export class Agents {
  readonly #ca: Array<string | Buffer> | undefined
  readonly #own = new Map<boolean, Agent>()
  #keepAlive: boolean
  #given: { readonly agent: Agent, readonly secure: boolean } | undefined

  constructor (keepAlive: boolean, ca: Array<string | Buffer> | undefined) {
    this.#keepAlive = keepAlive
    this.#ca = ca
  }

  give (agent: Agent, secure: boolean): void {
    this.#given = { agent, secure }
  }

  for (secure: boolean): Agent {
    if (this.#given !== undefined && this.#given.secure === secure) return this.#given.agent
    let agent = this.#own.get(secure)
    if (agent === undefined) {
      agent = secure
        ? new https.Agent({ ...pool, keepAlive: this.#keepAlive, ...secureOptions(this.#ca) })
        : new http.Agent({ ...pool, keepAlive: this.#keepAlive })
      this.#own.set(secure, agent)
    }
    return agent
  }

  /** Closes the connections of its own agents; later ones are closed after one answer. */
  stop (): void {
    for (const agent of this.#own.values()) agent.destroy()
    this.#own.clear()
    this.#keepAlive = false
  }
}
