import { codedError, type CodedError } from '../core/errors.js'

// Fastify answers with the status, the headers and the message, so that none of them may hold a secret. The cause is for the log.

export function unreadable (cause: unknown): CodedError {
  return codedError('ERR_HTPASSWD_UNREADABLE', 'nobody is let in: the htpasswd file cannot be read', { cause, statusCode: 500 })
}

export function unverified (cause: unknown): CodedError {
  return codedError('ERR_AUTH_FAILED', 'the password could not be verified', { cause, statusCode: 503 })
}

/** @param seconds how long it takes until all that wait have had their turn */
export function busy (seconds: number): CodedError {
  const error = codedError('ERR_AUTH_BUSY', 'too many passwords wait to be verified: try again later', { statusCode: 429 })
  return Object.assign(error, { headers: { 'retry-after': String(Math.min(Math.max(Math.ceil(seconds), 1), 60)) } })
}
