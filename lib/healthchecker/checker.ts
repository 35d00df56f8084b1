import { setMaxListeners } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Registration } from '../../types/healthchecker.js'
import type { Status } from '../../types/status.js'
import { certificatesOf } from '../checks/certificates.js'
import { secureOptions } from '../checks/http-agents.js'
import { HTTPCheck } from '../checks/http-check.js'
import { hostAndPort } from '../checks/peer.js'
import { TCPCheck } from '../checks/tcp-check.js'
import type { Abortable } from '../checks/time-limit.js'
import { TLSCheck } from '../checks/tls-check.js'
import { bounded } from '../core/plain-copy.js'
import { nameOf } from '../core/status.js'
import { HTTPAgent, HTTPSAgent, KeptConnections } from './kept-connections.js'
import type { TargetGuard } from './target-guard.js'

/** How long an error may be, in characters. */
const longestError = 200

/** Most peers close a connection that was idle for so many seconds, or for less: where checks are further apart, it is not kept. */
const keptFor = 15

type AgentPair = readonly [http.Agent, https.Agent]

interface Asked {
  getStatus (context: Abortable): Promise<Status>
}

/** Asks apps how they are, in the way that their registration says. */
export class Checker {
  readonly #ca: string | Buffer | ReadonlyArray<string | Buffer> | undefined
  /** One for HTTP and one for HTTPS. */
  readonly #once: AgentPair
  /** A connection that was made for this machine leads where one for another may not: they are not shared. */
  readonly #kept: readonly [own: AgentPair, remote: AgentPair]
  readonly #lookups: readonly [own: LookupFunction, remote: LookupFunction]
  /** A check over TLS costs more to make than to run. */
  readonly #tls = new WeakMap<Registration, TLSCheck>()
  readonly #closing = new AbortController()

  /** @throws ERR_INVALID_OPTION */
  constructor (guard: TargetGuard, ca: string | Buffer | ReadonlyArray<string | Buffer> | undefined) {
    this.#ca = ca
    const connections = new KeptConnections()
    const secure = secureOptions(certificatesOf(ca))
    const kept = (): AgentPair => [new HTTPAgent(connections), new HTTPSAgent(connections, secure)]
    this.#once = [new http.Agent(), new https.Agent(secure)]
    this.#kept = [kept(), kept()]
    this.#lookups = [guard.lookup(false), guard.lookup(true)]
    setMaxListeners(0, this.#closing.signal)
  }

  /**
   * Never rejects.
   *
   * @param remote whether another machine wants it to be asked
   */
  async ask (registration: Registration, remote: boolean): Promise<Status> {
    try {
      return await this.#checkOf(registration, Number(remote)).getStatus(this.#closing)
    } catch (error) {
      return { state: 'RED', detail: nameOf(error) }
    }
  }

  /** Ends what is under way, and closes what is kept. */
  close (): void {
    this.#closing.abort()
    for (const agent of [this.#once, ...this.#kept].flat()) agent.destroy()
  }

  /** For most apps a check is made anew each time: a hundred thousand of them would take more memory than all the rest. */
  #checkOf (registration: Registration, remote: number): Asked {
    const { protocol, host, interval, port, timeout } = registration
    const lookup = this.#lookups[remote]
    const peer = { host, port, timeout: timeout * 1000, lookup }
    if (protocol === 'TCP') return new TCPCheck(peer)
    if (protocol === 'SSL') {
      let check = this.#tls.get(registration)
      if (check === undefined) {
        check = new TLSCheck({ ...peer, ca: this.#ca })
        this.#tls.set(registration, check)
      }
      return check
    }
    return new HTTPCheck({
      url: targetOf(registration),
      expectStatus: registration.expectStatus,
      timeout: peer.timeout,
      lookup,
      agent: (interval <= keptFor ? this.#kept[remote] : this.#once)[Number(protocol === 'HTTPS')]
    })
  }
}

/** What is asked, as the checks have it in what they say. */
function targetOf ({ protocol, host, port, path }: Registration): string {
  const target = hostAndPort(host, port)
  return protocol === 'HTTP' || protocol === 'HTTPS' ? `${protocol.toLowerCase()}://${target}${path}` : target
}

/**
 * What was wrong, in the words of the check: without the target, which is known and may have in its query what nobody should
 * see, so that many apps have the same error.
 */
export function errorOf ({ state, detail }: Status, registration: Registration): string | undefined {
  if (state === 'OK') return undefined
  return bounded((detail as string).replaceAll(shownIn(registration), 'it'), longestError)
}

function shownIn (registration: Registration): string {
  const target = targetOf(registration)
  if (registration.path === '' || !URL.canParse(target)) return target
  const { origin, pathname, search } = new URL(target)
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}
