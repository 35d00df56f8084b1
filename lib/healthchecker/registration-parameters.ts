import { codedError, show, type CodedError } from '../core/errors.js'

/** What a registration may have, as it comes over the wire: times are seconds. */
export const parameters = [
  'name', 'url', 'host', 'port', 'protocol', 'path', 'timeout', 'interval', 'unhealthyThreshold', 'healthyThreshold', 'expectStatus', 'email', 'tags', 'critical'
] as const

export type Parameter = typeof parameters[number]
export type Input = Readonly<Partial<Record<Parameter, unknown>>>

export function refusal (message: string): CodedError {
  return codedError('ERR_INVALID_REGISTRATION', message, { statusCode: 400 })
}

export function wrong (parameter: string, expected: string, came: unknown): CodedError {
  return refusal(`the parameter "${parameter}" must be ${expected}, not ${show(came)}`)
}
