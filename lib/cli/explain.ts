import type { Target } from './target.js'
import type { Reply } from './request.js'
import { plain } from './plain.js'

const untrusted = 'its certificate is from nobody whom this machine trusts: NODE_EXTRA_CA_CERTS names a file with further authorities'
const noWay = 'there is no way to HOST: is it up, and does a firewall let you through?'
const noTls = 'it speaks no https there: is it http:// that is meant?'

/** What happened and what to do next, by the code of Node's error; HOST and PORT stand for those that were asked. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there: is the service running, and is PORT its port?',
  ENOTFOUND: 'there is no host HOST: is its name right, and known to this machine?',
  EAI_AGAIN: 'the name HOST cannot be looked up at the moment: does DNS work here?',
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ETIMEDOUT: noWay,
  ECONNRESET: 'it closed the connection without an answer: is it https:// that is meant, or is it just starting or ending?',
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired: it needs a new one, or this machine the right time',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is not for HOST: ask for it by the name that it has'
}

/** Why there is no answer. */
export function whyNoAnswer ({ code, message }: NodeJS.ErrnoException, { hostname, port, protocol }: URL): string {
  if (code === undefined) return plain(message, 200)
  if (code.startsWith('HPE_')) return `what listens there speaks no HTTP (${code}): is it another port that is meant?`
  const reason = Object.hasOwn(reasons, code) ? `${reasons[code]} (${code})` : plain(`${code} ${message}`, 200)
  return reason.replace('HOST', () => hostname).replace('PORT', () => port === '' ? protocol === 'https:' ? '443' : '80' : port)
}

/** What came instead of what was asked for at `path`. */
export function whyNot (reply: Reply, { base }: Target, path: string, hasToken: boolean): string {
  const { status, location } = reply
  if (status >= 300 && status < 400 && location !== undefined) return `it redirects ${path} to ${destination(location, base)}: give the address that is meant`
  if (status === 401 || status === 403) return `${path} answered ${status}: ${plain(messageOf(reply), 300)}; ${aboutToken(reply, hasToken)}`
  if (status === 404) return `it has no ${path}: is the plugin registered there, and under a prefix? Then give the address with it, such as ${base}/PREFIX`
  return `${path} answered ${status}: ${plain(messageOf(reply), 300)}`
}

/** Why an answer cannot be read. */
export function whatCame ({ status, contentType, body }: Reply): string {
  return `answered ${status}${contentType === '' ? '' : ` ${plain(contentType, 60)}`}: ${plain(body, 60) || 'nothing'}`
}

function aboutToken ({ status, challenge = '' }: Reply, hasToken: boolean): string {
  if (/^\s*basic\b/i.test(challenge)) return 'it wants a user and a password, which svc-status does not send: ask it with curl -u USER'
  if (hasToken) return 'it does not take the token of SVC_STATUS_TOKEN or --token-file: is it the one that the service has?'
  return status === 401
    ? 'set SVC_STATUS_TOKEN to its token, or name a file that holds it with --token-file FILE'
    : 'where it takes a token, set SVC_STATUS_TOKEN or name a file that holds it with --token-file FILE'
}

/** What an error of Fastify says, or how the body begins. */
function messageOf ({ body }: Reply): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown }
    if (typeof message === 'string') return message
  } catch {}
  return plain(body, 60) || 'nothing'
}

/** Without user, password and query. */
function destination (location: string, base: string): string {
  if (!URL.canParse(location, base)) return 'what is no address'
  const { protocol, host, pathname } = new URL(location, base)
  return plain(`${protocol}//${host}${pathname}`, 200)
}
