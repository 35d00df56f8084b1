import type { Protocol, Registration } from '../../types/healthchecker.js'
import { show } from '../core/errors.js'
import { checkName } from '../core/handler-name.js'
import { distinct, mailAddress } from './mail/receivers.js'
import { refuseOwnName } from './own-status.js'
import { parameters, refusal, wrong, type Input, type Parameter } from './registration-parameters.js'
import { targetOf } from './registration-target.js'

/** The limits of each number, and what it is where it is not given. */
export const ranges = {
  timeout: { least: 2, most: 60, usual: 5, unit: ' seconds' },
  interval: { least: 5, most: 300, usual: 30, unit: ' seconds' },
  unhealthyThreshold: { least: 2, most: 10, usual: 2, unit: '' },
  healthyThreshold: { least: 2, most: 10, usual: 10, unit: '' }
} as const

export const mostReceivers = 10
export const mostTags = 20
export const longestTag = 50
export const mostStatusCodes = 20

/** Control characters are shown by no page and no mail as what they are. */
const control = /\p{Cc}/u

/**
 * What came over the wire as a registration, with every default filled in.
 *
 * @param name the name in the address of the request, where it has one: then the body needs none, and may have no other
 * @throws ERR_INVALID_REGISTRATION, with status code 400
 */
export function readRegistration (came: unknown, name?: string): Registration {
  if (typeof came !== 'object' || came === null || Array.isArray(came)) throw refusal(`a registration must be an object with parameters, not ${show(came)}`)
  for (const key of Object.keys(came)) {
    if (!parameters.includes(key as Parameter)) throw refusal(`there is no parameter ${show(key)}; there is ${parameters.join(', ')}`)
  }
  const input = came as Input
  const target = targetOf(input)
  const interval = numberOf('interval', input)
  const timeout = numberOf('timeout', input)
  if (timeout >= interval) throw wrong('timeout', `below the interval of ${interval} seconds`, timeout)
  return {
    name: nameOf(input.name, name),
    ...target,
    timeout,
    interval,
    unhealthyThreshold: numberOf('unhealthyThreshold', input),
    healthyThreshold: numberOf('healthyThreshold', input),
    expectStatus: statusCodesOf(input.expectStatus, target.protocol),
    email: receiversOf(input.email),
    tags: tagsOf(input.tags),
    critical: booleanOf(input.critical)
  }
}

function nameOf (came: unknown, addressed: string | undefined): string {
  const name = came ?? addressed
  if (addressed !== undefined && name !== addressed) throw wrong('name', `${show(addressed)}, as in the address`, came)
  if (name === undefined) throw refusal('the parameter "name" is missing: 1 to 100 characters')
  try {
    checkName(name)
  } catch (cause) {
    throw refusal((cause as Error).message.replace('the name of a status handler', 'the parameter "name"'))
  }
  refuseOwnName(name)
  return name
}

function numberOf (parameter: keyof typeof ranges, input: Input): number {
  const { least, most, usual, unit } = ranges[parameter]
  const came = input[parameter] ?? usual
  if (!Number.isInteger(came) || (came as number) < least || (came as number) > most) {
    throw wrong(parameter, `a whole number from ${least} to ${most}${unit}`, came)
  }
  return came as number
}

function statusCodesOf (came: unknown, protocol: Protocol): readonly number[] {
  const http = protocol === 'HTTP' || protocol === 'HTTPS'
  if (came === undefined) return http ? [200] : []
  if (!http) throw refusal(`the parameter "expectStatus" is for HTTP and HTTPS, not for ${protocol}`)
  const codes = Array.isArray(came) ? came as unknown[] : [came]
  if (codes.length === 0 || codes.length > mostStatusCodes) throw refusal(`the parameter "expectStatus" must have 1 to ${mostStatusCodes} status codes, not ${codes.length}`)
  for (const code of codes) {
    if (!Number.isInteger(code) || (code as number) < 100 || (code as number) > 599) throw wrong('expectStatus', 'status codes from 100 to 599', code)
  }
  return [...new Set(codes as number[])]
}

function receiversOf (came: unknown): readonly string[] {
  try {
    return distinct(listOf('email', came, mostReceivers).map((address) => mailAddress(address, 'the parameter "email"')))
  } catch (cause) {
    throw refusal((cause as Error).message)
  }
}

function tagsOf (came: unknown): readonly string[] {
  const tags = listOf('tags', came, mostTags)
  for (const tag of tags) {
    if (tag.length > longestTag || tag.trim() !== tag || !tag.isWellFormed()) throw wrong('tags', `words of 1 to ${longestTag} characters without a space at either end`, tag)
  }
  return tags
}

/** A list without repetitions; one text is a list of one. */
function listOf (parameter: Parameter, came: unknown, most: number): readonly string[] {
  if (came === undefined) return []
  const items = Array.isArray(came) ? came as unknown[] : [came]
  if (items.length > most) throw refusal(`the parameter "${parameter}" must have ${most} entries at most, not ${items.length}`)
  for (const item of items) {
    if (typeof item !== 'string' || item === '' || control.test(item)) throw wrong(parameter, 'a text, or a list of texts, without control characters', item)
  }
  return [...new Set(items as string[])]
}

function booleanOf (came: unknown): boolean {
  if (came !== undefined && typeof came !== 'boolean') throw wrong('critical', 'true or false', came)
  return came ?? true
}
