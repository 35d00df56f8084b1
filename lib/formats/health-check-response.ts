import type { State } from '../../types/status.js'
import { invalid } from '../core/options.js'
import { codedError } from '../core/errors.js'
import { setOwn } from '../core/plain-copy.js'
import { severity } from '../core/state.js'

/** The media type of https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06 */
export const contentType = 'application/health+json; charset=utf-8'

/** The words of the draft: `pass`, `warn`, `fail`. */
export const HealthStatus = Object.freeze({ PASS: 'pass', WARN: 'warn', FAIL: 'fail' } as const)
export type HealthWord = typeof HealthStatus[keyof typeof HealthStatus]

const words = Object.values(HealthStatus)

export function healthStatusOf (state: State): HealthWord {
  return words[severity(state)]
}

/** One entry of `checks`; further properties are allowed. */
export interface HealthCheck {
  componentId?: string
  componentType?: string
  observedValue?: unknown
  observedUnit?: string
  status?: HealthWord
  affectedEndpoints?: readonly string[]
  /** A date, or its ISO 8601 text. */
  time?: string | Date
  output?: string
  links?: Record<string, string>
  [property: string]: unknown
}

/**
 * A health+json body by hand, for an app that answers `/health` itself. A wrong value is refused
 * with `ERR_INVALID_OPTION` that names the method.
 *
 * @example
 * const body = new HealthCheckResponse()
 *   .status(HealthStatus.PASS)
 *   .version('1')
 *   .check('db:responseTime', { observedValue: 12, observedUnit: 'ms', status: HealthStatus.PASS })
 *   .build()
 * reply.type('application/health+json').send(JSON.stringify(body))
 */
export class HealthCheckResponse {
  readonly #body: Record<string, unknown> = { status: HealthStatus.PASS }

  /** Default `pass`. */
  status (status: HealthWord): this {
    if (!words.includes(status)) throw invalid('status()', words.join(', '), status)
    return this.#set('status', status)
  }

  /** The public version of the service. */
  version (version: string): this {
    return this.#set('version', text(version, 'version()'))
  }

  releaseId (releaseId: string): this {
    return this.#set('releaseId', text(releaseId, 'releaseId()'))
  }

  serviceId (serviceId: string): this {
    return this.#set('serviceId', text(serviceId, 'serviceId()'))
  }

  description (description: string): this {
    return this.#set('description', text(description, 'description()'))
  }

  /** Adds notes to those that are there. */
  notes (...notes: string[]): this {
    const present = this.#body.notes as string[] | undefined
    return this.#set('notes', [...present ?? [], ...notes.map((note) => text(note, 'notes()'))])
  }

  /** What went wrong; shown only while the status is not `pass`. */
  output (output: string): this {
    return this.#set('output', text(output, 'output()'))
  }

  /** Adds a check under a name such as `db:responseTime`; several under one name are kept. */
  check (name: string, ...checks: HealthCheck[]): this {
    const present = this.#body.checks as Record<string, object[]> | undefined
    const all = present ?? {}
    const key = text(name, 'the name of check()')
    const added = checks.map((check) => checked(check))
    setOwn(all, key, [...Object.hasOwn(all, key) ? all[key] : [], ...added])
    return this.#set('checks', all)
  }

  /** Adds a link by its relation, such as `about`. */
  link (relation: string, address: string): this {
    const links = { ...this.#body.links as Record<string, string> | undefined }
    setOwn(links, text(relation, 'the relation of link()'), text(address, 'the address of link()'))
    return this.#set('links', links)
  }

  /**
   * A property of your own.
   *
   * @throws ERR_INVALID_OPTION when the draft gives the name a meaning: then the method of that name is meant
   */
  custom (name: string, value: unknown): this {
    const key = text(name, 'the name of custom()')
    if (taken.has(key)) throw codedError('ERR_INVALID_OPTION', `custom(${JSON.stringify(key)}) must not be a property of the draft: use its own method`)
    return this.#set(key, jsonValue(value, `custom(${JSON.stringify(key)})`))
  }

  /** The body: a new object each time. */
  build (): Record<string, unknown> {
    const { output, ...body } = this.#body
    if (body.status !== HealthStatus.PASS && output !== undefined) body.output = output
    return JSON.parse(JSON.stringify(body))
  }

  #set (key: string, value: unknown): this {
    setOwn(this.#body, key, value)
    return this
  }
}

const taken = new Set(['status', 'version', 'releaseId', 'notes', 'output', 'checks', 'links', 'serviceId', 'description'])

function text (value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(what, 'a string with a character or more', value)
  return value
}

function checked (check: HealthCheck): Record<string, unknown> {
  if (typeof check !== 'object' || check === null || Array.isArray(check)) throw invalid('check()', 'an object', check)
  if (check.status !== undefined && !words.includes(check.status)) throw invalid('the status of check()', words.join(', '), check.status)
  return jsonValue(check, 'check()') as Record<string, unknown>
}

/** What JSON makes of it; a Date becomes its text. */
function jsonValue (value: unknown, what: string): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    throw invalid(what, 'a value that JSON can hold', value)
  }
}
