import { domainToASCII } from 'node:url'
import { codedError, show } from '../../core/errors.js'
import { ofKind } from '../../core/options.js'

/** https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3: dot-atom, without quotes, comments and display names. */
const localPart = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
/** https://www.rfc-editor.org/rfc/rfc1123#page-13; no address in brackets. The last label is none of an IP address. */
const domainPart = /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*[a-z](?:[a-z\d-]{0,61}[a-z\d])?$/

/** https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1 */
const longestLocal = 64
const longestDomain = 253
const longestAddress = 254

/** How many receivers a registration may have. */
const mostReceivers = 10

const expected = 'one mail address such as alice@example.org, without a name, at most 254 characters'

/**
 * One mail address, its domain in ASCII and in lower case.
 *
 * @throws ERR_INVALID_OPTION with status code 400
 */
export function mailAddress (value: unknown, what: string): string {
  const address = typeof value === 'string' ? addressOf(value) : undefined
  if (address === undefined) throw codedError('ERR_INVALID_OPTION', `${what} must be ${expected}, not ${show(value)}`, { statusCode: 400 })
  return address
}

function addressOf (text: string): string | undefined {
  // Before anything reads it twice: what a stranger sends may be long.
  if (text.length > longestAddress) return undefined
  const at = text.lastIndexOf('@')
  const local = text.slice(0, at)
  const domain = domainOf(text.slice(at + 1))
  if (at < 1 || local.length > longestLocal || !localPart.test(local) || domain === undefined) return undefined
  const address = `${local}@${domain}`
  return address.length > longestAddress ? undefined : address
}

function domainOf (text: string): string | undefined {
  // What domainToASCII would decode, cut or map away is not what was written.
  if (/[\s\p{Cc}%/\\?#:@[\]]/u.test(text)) return undefined
  const domain = domainToASCII(text).toLowerCase()
  return domain.length <= longestDomain && domainPart.test(domain) ? domain : undefined
}

/** Whether anybody may name this address as a receiver. */
export type MailAllow = (address: string) => boolean

/**
 * Who may be a receiver, whoever asks: an address, `@` and a domain (without those below it), or `*` for all.
 *
 * @throws ERR_INVALID_OPTION
 */
export function mailAllow (patterns: unknown, what: string): MailAllow {
  ofKind(patterns ?? null, 'array', what)
  const allowed = new Set((patterns as unknown[]).map((pattern) => patternOf(pattern, what)))
  return (address) => {
    const lower = address.toLowerCase()
    return allowed.has('*') || allowed.has(lower) || allowed.has(lower.slice(lower.lastIndexOf('@')))
  }
}

function patternOf (pattern: unknown, what: string): string {
  if (pattern === '*') return pattern
  // An asterisk is a letter of addresses like any other, which is not what is meant here.
  const text = typeof pattern === 'string' && !pattern.includes('*') ? pattern : ''
  const domain = text.startsWith('@') ? domainOf(text.slice(1)) : undefined
  const allowed = domain === undefined ? addressOf(text) : `@${domain}`
  if (allowed === undefined) {
    throw codedError('ERR_INVALID_OPTION', `${what} must be mail addresses, domains such as @example.org, or *, not ${show(pattern)}`)
  }
  return allowed.toLowerCase()
}

/**
 * The receivers that a registration names, each once, or an error: this is what keeps the healthchecker from sending mail to
 * whomever a stranger likes.
 *
 * @param allow who anybody may name
 * @param trusted whether the registration carried the token
 * @throws ERR_INVALID_OPTION with status code 400; ERR_RECEIVER_REFUSED with status code 403
 */
export function mailReceivers (emails: unknown, allow: MailAllow, trusted: boolean): readonly string[] {
  if (!Array.isArray(emails) || emails.length > mostReceivers) {
    throw codedError('ERR_INVALID_OPTION', `"email" must be an array of at most ${mostReceivers} mail addresses, not ${Array.isArray(emails) ? `one of ${emails.length}` : show(emails)}`, { statusCode: 400 })
  }
  const receivers = emails.map((email) => mailAddress(email, '"email"'))
  const refused = receivers.find((receiver) => !trusted && !allow(receiver))
  if (refused !== undefined) {
    throw codedError('ERR_RECEIVER_REFUSED', `mails to ${show(refused)} are not allowed here: "--mail-allow" does not have it, and the registration did not carry the token`, { statusCode: 403 })
  }
  return distinct(receivers)
}

/** Each address once, in whatever case it is written. */
export function distinct (receivers: readonly string[]): readonly string[] {
  return [...new Map(receivers.toReversed().map((receiver) => [receiver.toLowerCase(), receiver])).values()].toReversed()
}
