import { show } from '../core/errors.js'
import { UsageError } from './exit.js'
import { plain } from './plain.js'

/** A service, by where its routes begin. */
export interface Target {
  /** Without a slash at the end, such as `http://localhost:8080` or `https://host/prefix`. */
  readonly base: string
  /** The name of a handler whose own address was given. */
  readonly handler?: string
}

/** The addresses of the plugin, which tell nothing but where they are. */
const route = /(?:\/(?:svc_status(?:\.[^/]*|\/([^/]*))?|probe_status|live_status))?\/*$/

const expected = 'an address such as localhost:8080, https://host, or http://host/prefix'

/**
 * The service that somebody means by an address: with a scheme or without (then it is http), at the root or below a prefix,
 * or the address of any route of the plugin.
 *
 * @throws UsageError
 */
export function targetOf (text: string): Target {
  // What has an @ may have a password before it.
  const came = text.includes('@') ? '' : `, not ${plain(show(text))}`
  const written = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  // A number alone would be an IPv4 address.
  if (/^:?\d*$/.test(text) || !URL.canParse(written)) throw new UsageError(`a service is named by ${expected}${came}`)
  const url = new URL(written)
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('an address with a user or a password is refused, as every user of this machine can read a command line: a token goes into SVC_STATUS_TOKEN or --token-file FILE')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new UsageError(`a service is asked by http or https, not by ${plain(url.protocol, 20)}`)
  if (url.search !== '') throw new UsageError(`an address has no query: leave out what begins with "?"${came}`)
  const [end, name] = route.exec(url.pathname) as RegExpExecArray
  return {
    base: url.origin + url.pathname.slice(0, url.pathname.length - end.length),
    ...name !== undefined && name !== '' && { handler: decoded(name) }
  }
}

function decoded (name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
