/** Every error this package throws on purpose, by code. The reference in docs/reference/errors.md has one line for each. */
const table = {
  ERR_INVALID_NAME: TypeError,
  ERR_INVALID_HANDLER: TypeError,
  ERR_INVALID_STATE: TypeError,
  ERR_INVALID_OPTION: TypeError,
  ERR_OPTION_OUT_OF_RANGE: RangeError,
  ERR_UNKNOWN_OPTION: TypeError,
  ERR_DUPLICATE_HANDLER: Error,
  ERR_UNKNOWN_HANDLER: Error,
  ERR_HANDLER_TIMEOUT: Error,
  ERR_INVALID_DECOMMISSION: TypeError,
  ERR_STORE_FAILED: Error,
  ERR_STORE_CORRUPT: Error,
  ERR_INVALID_FORMAT: TypeError,
  ERR_HTPASSWD_UNREADABLE: Error,
  ERR_AUTH_BUSY: Error,
  ERR_AUTH_FAILED: Error,
  ERR_INVALID_SERVICE: TypeError,
  ERR_DUPLICATE_SERVICE: Error,
  ERR_SERVICE_DOWN: Error,
  ERR_SERVICE_TIMEOUT: Error,
  ERR_MONITOR_CLOSED: Error,
  ERR_UNKNOWN_ALIAS: Error,
  ERR_PACKAGE_MISSING: Error,
  ERR_TARGET_REFUSED: Error,
  ERR_TOO_MANY_APPS: Error,
  ERR_STORE_LOCKED: Error,
  ERR_STORE_NEWER: Error,
  ERR_FLEET_CLOSED: Error,
  ERR_RECEIVER_REFUSED: Error
} as const

export type ErrorCode = keyof typeof table
export type CodedError = Error & { readonly code: ErrorCode, readonly statusCode?: number }

export const errorCodes = Object.keys(table) as readonly ErrorCode[]

/**
 * An error with a code. Callers tell errors apart by `code`, not by class or message.
 *
 * @param statusCode what a route answers when this error reaches it
 */
export function codedError (code: ErrorCode, message: string, options: ErrorOptions & { statusCode?: number } = {}): CodedError {
  const { statusCode, ...errorOptions } = options
  const error = new table[code](message, errorOptions)
  return Object.assign(error, { code }, statusCode === undefined ? undefined : { statusCode })
}

/** A short word for what came, for error messages; never long, and never throws. */
export function show (value: unknown): string {
  if (typeof value === 'string') {
    // A URL where something else belongs is a common mistake, and errors are logged.
    const text = value.slice(0, 1_000).replace(/(:\/\/).*@/s, '$1…@')
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  }
  if (typeof value === 'bigint') return `${String(value)}n`
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}
