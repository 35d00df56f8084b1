import { codedError, show } from './errors.js'

/** Fastify matches no more characters in a route parameter: https://fastify.dev/docs/latest/Reference/Server/#maxparamlength */
const longestName = 100

/** Control characters: no page, terminal or exposition format shows them as what they are. */
const control = /\p{Cc}/u

/** What makes a spreadsheet take a cell for a formula: https://owasp.org/www-community/attacks/CSV_Injection */
const formula = /^[=+\-@＝＋－＠]/

/**
 * Refuses a name that some format could not show as it is.
 *
 * @throws ERR_INVALID_NAME
 */
export function checkName (name: unknown): asserts name is string {
  const problem = problemOf(name)
  if (problem !== undefined) {
    throw codedError('ERR_INVALID_NAME', `the name of a status handler must ${problem}; it is ${show(name)}`)
  }
}

function problemOf (name: unknown): string | undefined {
  if (typeof name !== 'string') return 'be a string'
  if (name.length === 0 || name.length > longestName) return `have 1 to ${longestName} characters`
  if (control.test(name)) return 'have no control characters'
  if (!name.isWellFormed()) return 'be well-formed Unicode'
  if (name === '.' || name === '..') return 'not be . or .., which no address can hold'
  if (formula.test(name)) return 'not begin with =, +, - or @, which spreadsheets take for a formula'
}

/**
 * @throws ERR_INVALID_HANDLER
 */
export function checkHandler (name: string, handler: unknown): void {
  if (typeof handler === 'function') return
  if (typeof handler === 'object' && handler !== null && typeof (handler as { getStatus?: unknown }).getStatus === 'function') return
  throw codedError('ERR_INVALID_HANDLER', `the status handler ${show(name)} must be a function or an object with a method getStatus; it is ${show(handler)}`)
}
