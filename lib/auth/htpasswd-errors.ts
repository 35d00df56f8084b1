/** What a caller gets: Fastify answers with the status, the headers and the message, so that none of them may hold a secret. */
type Failure = Error & { readonly code: string, readonly statusCode: number, readonly headers?: Readonly<Record<string, string>> }

/** @param cause for the log; callers are not shown it */
export function unreadable (cause: unknown): Failure {
  return failure('ERR_HTPASSWD_UNREADABLE', 500, 'nobody is let in: the htpasswd file cannot be read', cause)
}

/** @param cause for the log; callers are not shown it */
export function unverified (cause: unknown): Failure {
  return failure('ERR_AUTH_FAILED', 503, 'the password could not be verified', cause)
}

/** @param seconds how long it takes until all that wait have had their turn */
export function busy (seconds: number): Failure {
  const error = failure('ERR_AUTH_BUSY', 429, 'too many passwords wait to be verified: try again later')
  return Object.assign(error, { headers: { 'retry-after': String(Math.min(Math.max(Math.ceil(seconds), 1), 60)) } })
}

function failure (code: string, statusCode: number, message: string, cause?: unknown): Failure {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code, statusCode })
}
