import type { RouteShorthandOptions } from 'fastify'
import { healthStates, largestLimit, listedStates, usualLimit } from './app-query.js'
import { longestTag, mostReceivers, mostStatusCodes, mostTags, ranges } from './registration.js'
import { protocols, usualPath } from './registration-target.js'

const text = { type: 'string' }
const time = { type: 'string', format: 'date-time' }
const count = { type: 'integer', minimum: 0 }

const number = ({ least, most, usual }: typeof ranges[keyof typeof ranges], description: string): object =>
  ({ type: 'integer', minimum: least, maximum: most, default: usual, description })

const parameters = {
  name: { ...text, minLength: 1, maxLength: 100 },
  url: { ...text, examples: ['http://10.0.0.5:8080/health', 'tcp://db:5432'], description: 'Where the app is: this, or "host".' },
  host: { ...text, description: 'A host name or an address, with or without a port: this, or "url".' },
  port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'Default 80; 443 for HTTPS and SSL.' },
  protocol: { ...text, enum: protocols, default: 'HTTP' },
  path: { ...text, pattern: '^/', default: usualPath },
  timeout: number(ranges.timeout, 'Seconds that a check may take; below the interval.'),
  interval: number(ranges.interval, 'Seconds from check to check.'),
  unhealthyThreshold: number(ranges.unhealthyThreshold, 'So many failures in a row make it UNHEALTHY.'),
  healthyThreshold: number(ranges.healthyThreshold, 'So many successes in a row make it HEALTHY.'),
  expectStatus: { type: 'array', maxItems: mostStatusCodes, items: { type: 'integer', minimum: 100, maximum: 599 }, default: [200] },
  email: { type: 'array', maxItems: mostReceivers, items: { ...text, format: 'email' }, default: [], description: 'Who is told of changes.' },
  tags: { type: 'array', maxItems: mostTags, items: { ...text, minLength: 1, maxLength: longestTag }, default: [] },
  critical: { type: 'boolean', default: true, description: 'Whether UNHEALTHY makes the whole fleet RED.' }
}

const registration = { type: 'object', additionalProperties: false, properties: parameters }

const check = {
  type: 'object',
  properties: { at: time, result: { ...text, enum: ['OK', 'YELLOW', 'RED'] }, duration: { type: 'number', description: 'Milliseconds.' }, error: text }
}

const app = {
  type: 'object',
  properties: {
    name: text,
    url: text,
    state: { ...text, enum: healthStates },
    status: { ...text, enum: ['OK', 'YELLOW', 'RED'] },
    detail: text,
    since: time,
    failures: count,
    successes: count,
    paused: { type: 'object', properties: { at: time, by: text, why: text } },
    lastCheck: check,
    nextCheck: time,
    registeredAt: time,
    registration
  }
}

const registered = { type: 'object', properties: { registered: { ...text, enum: ['created', 'changed', 'unchanged'] }, ...app.properties } }

const page = {
  type: 'object',
  properties: {
    total: count,
    offset: count,
    limit: count,
    counts: { type: 'object', additionalProperties: count },
    trouble: { type: 'array', items: { type: 'object', properties: { code: text, detail: text, since: { type: 'integer' } } } },
    apps: { type: 'array', items: app }
  }
}

const part = { type: 'number', minimum: 0, maximum: 1 }
const history = {
  type: 'object',
  properties: {
    uptime: { type: 'object', properties: { day: part, week: part, month: part } },
    checks: { type: 'array', items: check },
    hours: { type: 'array', items: { type: 'object', properties: { at: time, checks: count, failures: count, meanDuration: { type: 'number' }, maxDuration: { type: 'number' } } } }
  }
}

const error = { type: 'object', properties: { statusCode: { type: 'integer' }, code: text, error: text, message: text } }

const query = {
  type: 'object',
  properties: {
    state: { ...text, enum: listedStates },
    tag: text,
    search: { ...text, description: 'A part of the name or of the host, in any case.' },
    offset: { ...count, default: 0 },
    limit: { type: 'integer', minimum: 1, maximum: largestLimit, default: usualLimit }
  }
}

const params = { type: 'object', properties: { name: text } }
const reason = { type: 'object', additionalProperties: false, properties: { why: { ...text, minLength: 1, maxLength: 200 } } }

interface Described {
  readonly body?: object
  readonly params?: object
  readonly querystring?: object
}

/** Describes a route in OpenAPI, and no more: what comes is checked by our own code, whose refusals say more. */
function described (summary: string, replies: Readonly<Record<number, object | undefined>>, failures: readonly number[], more: Described = {}): RouteShorthandOptions {
  const response: Record<string, object> = {}
  for (const [code, schema] of Object.entries(replies)) response[code] = { description: summary, ...schema ?? { type: 'null' } }
  for (const code of failures) response[code] = { description: failureOf[code], ...error }
  return {
    schema: { summary, tags: ['apps'], response, ...more } as RouteShorthandOptions['schema'],
    validatorCompiler: () => () => true,
    serializerCompiler: () => (data) => JSON.stringify(data)
  }
}

const failureOf: Readonly<Record<number, string>> = {
  400: 'Something is out of its range: the message says what, the range and what came',
  401: 'The token is missing or wrong',
  403: 'Without a token: this is a page of another site, or names a receiver of mail who is not allowed',
  404: 'There is no such app',
  413: 'The body is too large',
  415: 'The body is no JSON',
  503: 'The store could not be written: nothing was changed',
  507: 'There are as many apps as there may be'
}

const writing = [400, 401, 403, 404, 413, 415, 503]

/** What OpenAPI shows of the routes under `/apps`. */
export const schemas = {
  list: described('The apps that are watched', { 200: page }, [400], { querystring: query }),
  register: described('Registers an app, or changes it', { 200: registered, 201: registered }, [400, 401, 403, 413, 415, 503, 507], { body: { ...registration, required: ['name'] } }),
  put: described('Registers an app under this name, or changes it', { 200: registered, 201: registered }, [400, 401, 403, 413, 415, 503, 507], { body: registration, params }),
  read: described('One app', { 200: app }, [404], { params }),
  history: described('The last checks of an app, its hours of the last 30 days, and its uptime', { 200: history }, [404], { params }),
  deregister: described('Deregisters an app', { 204: undefined }, writing, { params }),
  pause: described('Pauses the checks of an app', { 200: app }, writing, { params, body: reason }),
  resume: described('Resumes the checks of an app', { 200: app }, writing, { params })
} as const
