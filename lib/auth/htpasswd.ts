import { resolve } from 'node:path'
import type { FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'
import type { HtpasswdOptions } from '../../types/htpasswd.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { invalid, knownOptions } from '../core/options.js'
import { milliseconds, second, whole } from '../core/units.js'
import { basicCredentials } from './htpasswd-credentials.js'
import { busy, unreadable, unverified } from './htpasswd-errors.js'
import { HtpasswdReader } from './htpasswd-reader.js'
import type { Users } from './htpasswd-users.js'
import { verifier as ofTheProcess, type Verifier } from './htpasswd-verifier.js'

/**
 * Lets in the users of a file that Apache's `htpasswd` makes, by name and password (HTTP Basic,
 * https://www.rfc-editor.org/rfc/rfc7617, in UTF-8). Use it over TLS only: the password is sent as it is.
 *
 * The file is read again when it has changed. It may have bcrypt up to cost 14 (`htpasswd -B`, the one to use), apr1-MD5
 * (`-m`), SHA-1 (`-s`) and crypt (`-d`). A line of another kind, a malformed one and the second line of a user are logged by
 * number and let nobody in. The first line of a user counts, also where it lets nobody in.
 *
 * bcrypt looks at 72 bytes of a password: longer ones are refused for such a line, although Apache takes them.
 * crypt looks at 8 bytes and ignores the rest, here as there.
 *
 * Passwords are verified one at a time, in a thread of its own that all files of the process share; a name that is not in
 * the file takes as long as one that is. A rate limit is still a good thing to have in front.
 *
 * @param path of the file, from the working directory
 * @throws ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE, ERR_UNKNOWN_OPTION; and to the caller of a route:
 * ERR_HTPASSWD_UNREADABLE (500) where there is no such file or it cannot be read, ERR_AUTH_BUSY (429, with `Retry-After`)
 * where too many wait, ERR_AUTH_FAILED (503) where a password could not be verified in time
 * @example
 * await fastify.register(statusPlugin, { probeStatus: { auth: htpasswdFile('/etc/myservice/htpasswd') } })
 */
export function htpasswdFile (path: string, options?: HtpasswdOptions): Auth {
  return htpasswdAuth(path, options, ofTheProcess, systemClock)
}

/** The same with a verifier and a clock of one's own. */
export function htpasswdAuth (path: string, options: HtpasswdOptions | undefined, verifier: Pick<Verifier, 'verify' | 'took'>, clock: Clock): Auth {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw invalid('the path of htpasswdFile()', 'the path of a file', path)
  const { queue, timeout } = checkOptions(options)
  const reader = new HtpasswdReader(resolve(path), clock)
  let asked = 0

  const auth: Auth = async ({ headers, log, raw: { socket } }: FastifyRequest) => {
    // The file comes first: without one there is nobody to ask for a password.
    const users = await within(timeout, reader.users(log))
    const credentials = basicCredentials(headers.authorization)
    const check = credentials === undefined ? undefined : users.checkOf(credentials)
    if (check === undefined) return false
    if (asked > queue) throw busy(asked * verifier.took / 1_000)
    asked++
    try {
      return await verifier.verify(check, timeout, () => !socket.destroyed).catch((err: unknown) => {
        log.error({ err }, 'a password could not be verified')
        throw unverified(err)
      })
    } finally {
      asked--
    }
  }
  return Object.assign(auth, {
    challenge: 'Basic realm="svc_status", charset="UTF-8"',
    expects: 'the name and the password of a user in its htpasswd file (HTTP Basic)',
    who: ({ headers }: FastifyRequest) => basicCredentials(headers.authorization)?.name
  })
}

function checkOptions (options: HtpasswdOptions | undefined): { queue: number, timeout: number } {
  const { queue = 16, timeout = second(15) } = knownOptions(options, ['queue', 'timeout'], 'htpasswdFile()')
  return {
    queue: whole(queue, 'the option "queue"', 0, 1_000),
    timeout: milliseconds(timeout, 'the option "timeout"', 1_000)
  }
}

/** The users, or the error for the caller: also when the file system hangs. */
export async function within (timeout: number, users: Promise<Users>): Promise<Users> {
  let limit: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    limit = setTimeout(() => reject(new Error(`the htpasswd file was not read in ${timeout} ms`)), timeout)
  })
  try {
    return await Promise.race([users, late]).catch((err: unknown) => { throw unreadable(err) })
  } finally {
    clearTimeout(limit)
  }
}
