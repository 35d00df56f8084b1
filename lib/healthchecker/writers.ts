import type { FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'
import { bearerToken } from '../auth/bearer-token.js'
import { isForwarded, isLocalHost, isLocalProgram } from '../auth/local-only.js'

/** Who may change what is watched. */
export interface Writers {
  /** Asked of every request that changes something. */
  readonly auth: Auth
  /** Whether there is a token, which then has to come with each of them. */
  readonly token: boolean
  /** Whether a token that was typed into a form is the right one; true where there is none. */
  readonly isRight: (token: string) => boolean
  /** Whether a request carries the token: never where there is none. */
  readonly isTrusted: (request: FastifyRequest) => boolean
  /** Whether a request comes from another machine, or may. */
  readonly isRemote: (request: FastifyRequest) => boolean
}

/**
 * With a token, who has it. Without one, everybody but a page of somebody else that a browser has open: its requests come from
 * this machine too.
 *
 * @param loopback whether only this machine can be meant: then a name of another, which may be made to lead here, is refused
 */
export function writers (token: string | undefined, loopback: boolean): Writers {
  const isRemote = ({ raw }: FastifyRequest): boolean => isForwarded(raw) || !(isLocalProgram(raw) || isOwnAddress(raw))
  if (token === undefined) return { auth: ownPages(loopback), token: false, isRight: () => true, isTrusted: () => false, isRemote }
  const auth = bearerToken(token)
  const carries = (authorization: string | undefined): boolean => auth({ headers: { authorization } } as FastifyRequest) === true
  return {
    auth,
    token: true,
    isRight: (typed) => carries(`Bearer ${typed}`),
    isTrusted: ({ headers }) => carries(headers.authorization),
    isRemote
  }
}

/** An app that found the healthchecker over mDNS may come by the address that others have for this machine. From outside nobody comes from it. */
function isOwnAddress ({ socket: { remoteAddress, localAddress } }: FastifyRequest['raw']): boolean {
  return remoteAddress !== undefined && remoteAddress === localAddress
}

function ownPages (loopback: boolean): Auth {
  const auth: Auth = ({ headers }) => {
    const { host = '', origin, 'sec-fetch-site': site } = headers
    // https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site: 'none' is the person at the browser.
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return false
    return !loopback || isLocalHost(host)
  }
  return Object.assign(auth, {
    expects: loopback
      ? 'a request to this machine by its loopback name or address, and not from a page of another site'
      : 'a request that is not from a page of another site'
  })
}
