import { METHODS, validateHeaderName, validateHeaderValue, type RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import type { HTTPCheckOptions } from '../../types/checks.js'
import { codedError } from '../core/errors.js'
import { invalid, ofKind } from '../core/options.js'

/** What is asked for, whatever the address it is asked at. */
export interface Question {
  readonly method: string
  readonly body: Uint8Array | undefined
  /** Names and values in turn, as they are sent. */
  readonly headers: readonly string[]
}

/** A question at an address. */
export interface HTTPRequest {
  readonly question: Question
  readonly url: URL
  /** The address as it may be shown: credentials and query are nobody's business. */
  readonly shown: string
  readonly secure: boolean
  /** Whether a host name has to be resolved. */
  readonly named: boolean
  readonly attemptTimeout: number
  /** What node:http is asked with. It takes a copy, so that agent and lookup of a run can be put in here. */
  readonly options: RequestOptions & { servername: string, autoSelectFamilyAttemptTimeout?: number }
}

/** Asks for what can be read as a tri-state where there is a choice, and takes anything. */
const ours = ['Accept', 'application/health+json, application/json;q=0.9, */*;q=0.8', 'User-Agent', 'fastify-svc-status']

/** What says how a message is sent is the check's business, not its user's. */
const reserved = ['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding', 'upgrade']

/** https://www.rfc-editor.org/rfc/rfc9110#section-7.2 */
const hostHeader = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i

/** @throws ERR_INVALID_OPTION */
export function urlOf (value: unknown): URL {
  const text = value instanceof URL ? value.href : value
  // A URL that is refused is not shown: it may have a password in it.
  if (typeof text !== 'string') throw invalid('the option "url"', 'an http: or https: URL', value)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw codedError('ERR_INVALID_OPTION', 'the option "url" must be an http: or https: URL, and is no URL')
  if (!speaksHTTP(url)) throw codedError('ERR_INVALID_OPTION', `the option "url" must be an http: or https: URL, not ${url.protocol}`)
  return url
}

export function speaksHTTP ({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}

/** @throws ERR_INVALID_OPTION */
export function questionOf ({ method = 'GET', headers, body }: HTTPCheckOptions, url: URL): Question {
  ofKind(method, 'string', 'the option "method"')
  const verb = method.toUpperCase()
  if (!METHODS.includes(verb) || verb === 'CONNECT') throw invalid('the option "method"', 'a method of HTTP such as "GET" or "HEAD"', method)
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw invalid('the option "body"', 'a string or bytes', body)
  }
  const given = headersOf(headers)
  const has = (name: string): boolean => given.some((item, index) => index % 2 === 0 && item.toLowerCase() === name)
  const added = ours.filter((_item, index) => !has(ours[index - index % 2].toLowerCase()))
  if ((url.username !== '' || url.password !== '') && !has('authorization')) added.push('Authorization', basic(url))
  return { method: verb, body: body === undefined ? undefined : Buffer.from(body), headers: [...added, ...given] }
}

function headersOf (headers: HTTPCheckOptions['headers'] = {}): string[] {
  ofKind(headers, 'object', 'the option "headers"')
  const flat: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const what = `the header ${JSON.stringify(name.slice(0, 60))} of the option "headers"`
    if (reserved.includes(name.toLowerCase())) throw codedError('ERR_INVALID_OPTION', `${what} is the check's own`)
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item !== 'string' && typeof item !== 'number') throw invalid(what, 'a string, a number or a list of strings', item)
      if (!isHeader(name, String(item))) throw codedError('ERR_INVALID_OPTION', `${what} has characters that HTTP does not allow`)
      if (name.toLowerCase() === 'host' && (Array.isArray(value) || !hostHeader.test(String(item)))) {
        throw codedError('ERR_INVALID_OPTION', `${what} must be one host name, with a port or without`)
      }
      flat.push(name, String(item))
    }
  }
  return flat
}

function isHeader (name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

/** https://www.rfc-editor.org/rfc/rfc7617#section-2 */
function basic ({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`
}

function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What node:http needs to ask a question at an address; made once for all runs. */
export function requestTo (url: URL, question: Question, attemptTimeout: number): HTTPRequest {
  const { method, body, headers } = question
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const givenHost = headers.find((_value, index) => index % 2 === 1 && headers[index - 1].toLowerCase() === 'host')
  const sent = givenHost === undefined ? ['Host', url.host, ...headers] : [...headers]
  if (body !== undefined || ['POST', 'PUT', 'PATCH'].includes(method)) sent.push('Content-Length', String(body?.length ?? 0))
  const named = isIP(host) === 0
  return {
    question,
    url,
    shown: `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`,
    secure,
    named,
    attemptTimeout,
    options: {
      host,
      port: url.port === '' ? secure ? 443 : 80 : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method,
      headers: sent,
      // An empty one is none, and spares node:http the search for it.
      servername: secure ? serverName(givenHost?.replace(/:\d+$/, '') ?? host) : '',
      ...(named ? { autoSelectFamilyAttemptTimeout: attemptTimeout } : undefined)
    }
  }
}

/** An IP address is no name to ask for, and neither is the dot at the end of one: https://www.rfc-editor.org/rfc/rfc6066#section-3 */
function serverName (host: string): string {
  return isIP(host.replace(/^\[|\]$/g, '')) === 0 ? host.replace(/\.$/, '') : ''
}

/**
 * What to ask where a reply redirects to, or why nothing can be asked there.
 * Another origin gets no header and no body that was given for this one, and neither does what it redirects to.
 */
export function redirected ({ url, question, attemptTimeout }: HTTPRequest, status: number, location: string): HTTPRequest | string {
  if (!URL.canParse(location, url.href)) return 'redirects to what is no URL'
  const next = new URL(location, url)
  if (!speaksHTTP(next)) return `redirects to a ${next.protocol} URL`
  // https://fetch.spec.whatwg.org/#http-redirect-fetch
  const asks = status === 303 ? question.method !== 'HEAD' : status < 303 && question.method === 'POST'
  const method = asks ? 'GET' : question.method
  const body = asks ? undefined : question.body
  if (next.origin === url.origin) return requestTo(next, { ...question, method, body }, attemptTimeout)
  if (body !== undefined) return 'redirects to another origin, which is not sent the body'
  return requestTo(next, { method, body, headers: ours }, attemptTimeout)
}
