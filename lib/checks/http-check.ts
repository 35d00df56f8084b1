import { Agent } from 'node:http'
import type { HTTPCheckOptions, StatusCodes } from '../../types/checks.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import { codedError } from '../core/errors.js'
import { invalid, knownOptions } from '../core/options.js'
import { whole } from '../core/units.js'
import { certificatesOf } from './certificates.js'
import { Agents } from './http-agents.js'
import { Exchange, type ExchangeSettings } from './http-exchange.js'
import { questionOf, requestTo, urlOf, type HTTPRequest } from './http-request.js'
import { Label } from './label.js'
import { attemptTimeout, peerOf, peerOptions } from './peer.js'
import type { Abortable } from './time-limit.js'

/** A body is read as one string, which V8 bounds to 2^29. */
const most = { redirects: 20, body: 2 ** 28 }

/** What may be asked twice with the effect of once: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2 */
const idempotent = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']

/**
 * Asks a URL, over a connection that is kept for the next time. A status code that is not expected is RED. A reply in
 * `application/health+json`, or in the JSON of another service's svc_status, is read: its state is the state here, and what is
 * not OK there is the detail. The metrics are `response_seconds` and `status_code`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * addStatusHandler('orders', new HTTPCheck({ url: 'http://orders.internal/svc_status', timeout: second(2) }))
 */
export class HTTPCheck implements StatusProvider {
  readonly name: string
  readonly #label: Label
  readonly #first: HTTPRequest
  readonly #settings: ExchangeSettings

  constructor (options: HTTPCheckOptions) {
    const known = knownOptions(options, ['url', 'method', 'headers', 'body', 'expectStatus', 'followRedirects', 'maxBody', 'agent', 'ca', ...peerOptions], 'HTTPCheck')
    const peer = peerOf(known)
    const url = urlOf(known.url)
    const question = questionOf(known, url)
    const repeatable = idempotent.includes(question.method)
    this.#first = requestTo(url, question, attemptTimeout(peer.timeout))
    this.#settings = {
      peer,
      // What must not be repeated is not sent where it may have to be.
      agents: agentsOf(known, this.#first.secure, repeatable),
      expected: expectation(known.expectStatus),
      followRedirects: whole(known.followRedirects === undefined ? 0 : known.followRedirects, 'the option "followRedirects"', 0, most.redirects),
      maxBody: whole(known.maxBody === undefined ? 65_536 : known.maxBody, 'the option "maxBody"', 0, most.body),
      repeatable
    }
    this.#label = new Label('HTTPCheck', question.method === 'GET' ? this.#first.shown : `${question.method} ${this.#first.shown}`, known.name)
    this.name = this.#label.name
  }

  getStatus (context?: Abortable): Promise<Status> {
    return new Promise((resolve) => new Exchange(this.#settings, context, resolve).send(this.#first))
  }

  /** Closes the connections that are kept, also those of runs under way. A check that is asked afterwards keeps none. */
  stop (): void {
    this.#settings.agents.stop()
  }

  toString (): string {
    return this.#label.text
  }
}

function agentsOf ({ agent, ca }: HTTPCheckOptions, secure: boolean, keepAlive: boolean): Agents {
  const agents = new Agents(keepAlive, certificatesOf(ca))
  if (agent === undefined) return agents
  if (!(agent instanceof Agent)) throw invalid('the option "agent"', 'an Agent of node:http or node:https', agent)
  if (ca !== undefined) throw codedError('ERR_INVALID_OPTION', 'the option "ca" must be given to the agent where there is an option "agent"')
  agents.give(agent, secure)
  return agents
}

function expectation (expected: HTTPCheckOptions['expectStatus'] = [[200, 299]]): (status: number) => boolean {
  const what = 'the option "expectStatus"'
  const codes: unknown = typeof expected === 'number' ? [expected] : expected
  if (!Array.isArray(codes) || codes.length === 0) throw invalid(what, 'a status code or a list of codes and ranges such as [[200, 299], 404]', expected)
  const known = new Uint8Array(1000)
  for (const item of codes as StatusCodes[]) {
    const range: unknown = typeof item === 'number' ? [item, item] : item
    if (!Array.isArray(range) || range.length !== 2) throw invalid(what, 'made of status codes and of ranges such as [200, 299]', item)
    const from = whole(range[0], what, 200, 999)
    known.fill(1, from, whole(range[1], what, from, 999) + 1)
  }
  return (status) => known[status] === 1
}
