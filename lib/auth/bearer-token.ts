import { createHash, timingSafeEqual } from 'node:crypto'
import type { Auth } from '../../types/auth.js'
import { codedError } from '../core/errors.js'

/** What arrives in a header as it was sent: ASCII, with spaces inside at most. */
const sendable = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Lets in who sends `Authorization: Bearer` with the token, or with one of several while one takes the place of
 * another. Compares in constant time.
 *
 * @throws ERR_INVALID_OPTION when a token could not arrive in a header: no ASCII, or a space at one end
 */
export function bearerToken (token: string | readonly string[]): Auth {
  const tokens = typeof token === 'string' ? [token] : token
  if (!Array.isArray(tokens) || tokens.length === 0 || !tokens.every((one) => typeof one === 'string' && sendable.test(one))) {
    // What came is not shown: it may be most of a secret.
    throw codedError('ERR_INVALID_OPTION', 'the token of bearerToken() must be a string of ASCII characters without a space at either end, or an array of such')
  }
  const wanted = tokens.map(digest)
  const auth: Auth = ({ headers }) => {
    // https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    const { authorization = '' } = headers
    const scheme = /^Bearer +/i.exec(authorization)
    const came = digest(authorization.slice(scheme?.[0].length).trimEnd())
    // Every token is compared, so that the time does not tell which one was near.
    const matches = wanted.filter((one) => timingSafeEqual(one, came))
    return scheme !== null && matches.length > 0
  }
  return Object.assign(auth, {
    challenge: 'Bearer realm="svc_status"',
    expects: 'the header "Authorization: Bearer" with the token'
  })
}

/** Of the same length whatever the token's, as timingSafeEqual wants. */
function digest (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
