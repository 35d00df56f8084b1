import type { ErrorClass, OutageErrorOptions } from '../../types/failover.js'
import { invalid, ofKind, stringList } from '../core/options.js'

/** Tells whether an error tells of an outage. */
export type IsOutage = (error: unknown) => boolean

/** What says that nobody could be reached, or that somebody has gone. */
export const defaultErrorCodes: readonly string[] = [
  // The system's: https://nodejs.org/api/errors.html#common-system-errors
  'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN',
  // undici's: https://undici.nodejs.org/#/docs/api/Errors
  'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET',
  // PostgreSQL's: https://www.postgresql.org/docs/current/errcodes-appendix.html
  '08000', '08001', '08003', '08004', '08006', '08007', '57P01', '57P02', '57P03',
  // mysql2's, and the server's: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
  'PROTOCOL_CONNECTION_LOST', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR', 'ER_SERVER_SHUTDOWN'
]

/** What drivers say of a lost connection without giving a code. */
const lostConnection: readonly string[] = [
  // pg and pg-pool
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error and is not queryable',
  // mysql2
  "Can't add new command when connection is in closed state",
  "Can't write in closed state",
  // ioredis
  'Connection is closed.',
  "Stream isn't writeable and enableOfflineQueue options is false"
]

/** The errors of drivers that can be told by their text alone, as a class. */
export class LostConnection {
  static [Symbol.hasInstance] (error: unknown): boolean {
    return error instanceof Error && (lostConnection.includes(error.message) || error.name === 'MaxRetriesPerRequestError')
  }
}

/** The options of everything that looks at errors. */
export const outageErrorOptions = ['errorClasses', 'extraErrorClasses', 'errorCodes'] as const

/** How many errors are looked at, of one and all that caused it. */
const most = 100

/**
 * @throws ERR_INVALID_OPTION
 */
export function outageErrors ({ errorClasses = [LostConnection], extraErrorClasses = [], errorCodes = defaultErrorCodes }: OutageErrorOptions): IsOutage {
  const classes = [...classList(errorClasses, 'errorClasses'), ...classList(extraErrorClasses, 'extraErrorClasses')]
  stringList(errorCodes, 'the option "errorCodes"')
  const codes = new Set<unknown>(errorCodes)
  const tells = (error: unknown, seen: Set<object>): boolean => {
    if (typeof error !== 'object' || error === null || seen.has(error) || seen.size >= most) return false
    seen.add(error)
    const { code, cause, errors } = error as { code?: unknown, cause?: unknown, errors?: unknown }
    return codes.has(code) || classes.some((one) => error instanceof one) || tells(cause, seen) ||
      (Array.isArray(errors) && errors.some((one) => tells(one, seen)))
  }
  return (error) => {
    // An error may have getters that throw, and is then no news of an outage.
    try { return tells(error, new Set()) } catch { return false }
  }
}

function classList (classes: readonly ErrorClass[], option: string): readonly ErrorClass[] {
  ofKind(classes, 'array', `the option "${option}"`)
  for (const one of classes as readonly unknown[]) {
    if (typeof one !== 'function') throw invalid(`the option "${option}"`, 'an array of classes', one)
  }
  return classes
}
