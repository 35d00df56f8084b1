import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Status } from '../../types/status.js'
import { OK, RED } from '../core/state.js'
import type { Agents } from './http-agents.js'
import { kindOf, readReply, type ReplyKind } from './http-reply.js'
import { redirected, type HTTPRequest } from './http-request.js'
import type { NameQuery } from './names.js'
import { seconds } from './pace.js'
import { reasonOf, type Peer } from './peer.js'
import { TimeLimit, type Abortable } from './time-limit.js'
import { statusOf, type Verdict } from './verdict.js'

export interface ExchangeSettings {
  readonly peer: Peer
  readonly agents: Agents
  readonly expected: (status: number) => boolean
  readonly followRedirects: number
  readonly maxBody: number
  /** Whether the question may be asked again where nobody can tell if it was heard. */
  readonly repeatable: boolean
}

const redirects = new Set([301, 302, 303, 307, 308])
const closed = new Set(['ECONNRESET', 'EPIPE'])
const fine: Verdict = { state: OK }

/** One run of a check: a request and its reply, and those that redirects and a closed connection add to it. */
export class Exchange {
  readonly #settings: ExchangeSettings
  readonly #resolve: (status: Status) => void
  readonly #started: number
  readonly #limit: TimeLimit
  #asked!: HTTPRequest
  /** The request whose reply is waited for. What is heard of another one, after its end, is of no interest. */
  #current: ClientRequest | undefined
  #query: NameQuery | undefined
  #redirects = 0
  #repeated = false
  #answered = false
  #ended = false

  constructor (settings: ExchangeSettings, context: Abortable | undefined, resolve: (status: Status) => void) {
    this.#settings = settings
    this.#resolve = resolve
    this.#started = settings.peer.clock.monotonic()
    this.#limit = new TimeLimit(settings.peer.timeout, context, (reason) => {
      const request = this.#current
      this.#fail(reason)
      request?.destroy()
    })
  }

  send (asked: HTTPRequest): void {
    this.#asked = asked
    this.#answered = false
    let request: ClientRequest
    try {
      request = this.#open(asked)
    } catch (error) {
      return this.#fail(reasonOf(error))
    }
    this.#current = request
    let readBefore = 0
    request.on('socket', (socket) => { readBefore = socket.bytesRead })
    request.on('response', (response) => this.#read(request, response))
    request.on('error', (error) => {
      if (request !== this.#current) return
      if (!this.#wasClosedMeanwhile(request, error, readBefore)) return this.#fail(reasonOf(error))
      this.#repeated = true
      this.send(asked)
    })
    // Follows the error or the end of the reply, and comes alone where a connection ends without either.
    request.on('close', () => {
      if (request === this.#current) this.#fail('the connection was closed')
    })
    request.end(asked.question.body)
  }

  #open ({ options, secure, named }: HTTPRequest): ClientRequest {
    const { agents, peer } = this.#settings
    options.agent = agents.for(secure)
    if (named) {
      this.#query = peer.names.query()
      options.lookup = this.#query.lookup
    }
    return (secure ? https : http).request(options)
  }

  /** A server may close an idle connection at the very moment a request is written to it: then nobody has read the request. */
  #wasClosedMeanwhile ({ reusedSocket, socket }: ClientRequest, error: unknown, readBefore: number): boolean {
    if (!reusedSocket || this.#answered || this.#repeated || !this.#settings.repeatable) return false
    // The bytes of TLS are not only those of the reply.
    return closed.has(reasonOf(error)) && (this.#asked.secure || (socket as Socket).bytesRead === readBefore)
  }

  #read (request: ClientRequest, response: IncomingMessage): void {
    this.#answered = true
    const { maxBody } = this.#settings
    const kind = kindOf(response.headers['content-type'])
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (kind !== undefined) chunks.push(chunk)
      if (length <= maxBody || request !== this.#current) return
      this.#complete(response, kind, chunks, false)
      request.destroy()
    })
    response.on('end', () => {
      if (request !== this.#current) return
      this.#complete(response, kind, chunks, true)
      // An answer may come before all of the question was taken, and then nobody takes the rest.
      if (!request.writableFinished) request.destroy()
    })
  }

  #complete (response: IncomingMessage, kind: ReplyKind | undefined, chunks: Buffer[], whole: boolean): void {
    this.#current = undefined
    const { expected, followRedirects, peer } = this.#settings
    const status = response.statusCode as number
    const { location } = response.headers
    if (!expected(status) && followRedirects > 0 && location !== undefined && redirects.has(status)) return this.#follow(status, location)
    const took = peer.clock.monotonic() - this.#started
    const said = kind === undefined ? undefined : readReply(kind, Buffer.concat(chunks).toString(), whole)
    const answer = expected(status) ? fine : { state: RED, detail: `${this.#asked.shown} answered ${status}` }
    this.#end(statusOf([answer, said ?? fine, peer.pace.judge('the answer', took)], { response_seconds: seconds(took), status_code: status }))
  }

  #follow (status: number, location: string): void {
    const { followRedirects } = this.#settings
    const next = this.#redirects++ < followRedirects
      ? redirected(this.#asked, status, location)
      : `redirects once more, after ${followRedirects} redirect${followRedirects === 1 ? '' : 's'}`
    if (typeof next === 'string') this.#end({ state: RED, detail: `${this.#asked.shown} ${next}` })
    // A tick later the connection of this reply is free for the next request.
    else process.nextTick(() => { if (!this.#ended) this.send(next) })
  }

  #fail (reason: string): void {
    this.#end({ state: RED, detail: `no ${this.#answered ? 'whole ' : ''}answer from ${this.#asked.shown}: ${reason}` })
  }

  #end (status: Status): void {
    this.#current = undefined
    this.#ended = true
    this.#limit.end()
    this.#query?.forget()
    this.#resolve(status)
  }
}
