import { isIP } from 'node:net'
import { connect, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { TLSCheckOptions } from '../../types/checks.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import { invalid, knownOptions } from '../core/options.js'
import { OK, RED, YELLOW } from '../core/state.js'
import { day, milliseconds } from '../core/units.js'
import { certificatesOf } from './certificates.js'
import { Label } from './label.js'
import { seconds } from './pace.js'
import { attemptTimeout, hostAndPort, hostOf, peerOf, peerOptions, reasonOf, type Peer } from './peer.js'
import { checkServerIdentity } from './server-identity.js'
import { portOf } from './service-port.js'
import { TimeLimit, type Abortable } from './time-limit.js'
import { statusOf, type Verdict } from './verdict.js'

/** Words for the verdicts one meets most: https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes */
const words: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired, or one of its issuers has',
  CERT_NOT_YET_VALID: 'is not valid yet, or one of its issuers is not',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'has an unknown issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'has an unknown issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has an unknown issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has an unknown issuer'
}

/**
 * Makes a TLS connection and closes it: RED where there is no handshake, or where the certificate has expired, is for another
 * name or has an unknown issuer; YELLOW where it ends within `warnBefore`. The metrics are `handshake_seconds` and `certificate_days_left`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * addStatusHandler('certificate', new TLSCheck({ host: 'example.org', port: 443, warnBefore: day(30) }))
 */
export class TLSCheck implements StatusProvider {
  readonly name: string
  readonly #label: Label
  readonly #peer: Peer
  readonly #target: string
  readonly #connect: ConnectionOptions
  readonly #named: boolean
  /** In days. */
  readonly #warnBefore: number

  constructor (options: TLSCheckOptions) {
    const known = knownOptions(options, ['host', 'port', 'servername', 'ca', 'warnBefore', ...peerOptions], 'TLSCheck')
    this.#peer = peerOf(known)
    const host = hostOf(known.host, 'the option "host"')
    const port = portOf(known.port, 'the option "port"')
    this.#target = hostAndPort(host, port)
    this.#named = isIP(host) === 0
    this.#warnBefore = milliseconds(known.warnBefore === undefined ? day(14) : known.warnBefore, 'the option "warnBefore"', 0, Infinity) / day(1).milliseconds
    this.#connect = {
      host,
      port,
      servername: servernameOf(known.servername, host),
      secureContext: createSecureContext({ ca: certificatesOf(known.ca) }),
      // The verdict is read below, to say why; nothing is sent on this connection.
      rejectUnauthorized: false,
      checkServerIdentity,
      autoSelectFamilyAttemptTimeout: attemptTimeout(this.#peer.timeout)
    } as ConnectionOptions
    this.#label = new Label('TLSCheck', this.#target, known.name)
    this.name = this.#label.name
  }

  getStatus (context?: Abortable): Promise<Status> {
    const { clock, names, timeout } = this.#peer
    return new Promise((resolve) => {
      const started = clock.monotonic()
      const query = this.#named ? names.query() : undefined
      const socket = connect(query === undefined ? this.#connect : { ...this.#connect, lookup: query.lookup })
      const fail = (reason: string): void => {
        query?.forget()
        socket.destroy()
        resolve({ state: RED, detail: `no TLS connection to ${this.#target}: ${reason}` })
      }
      const limit = new TimeLimit(timeout, context, fail)
      socket.on('close', () => limit.end())
      socket.on('error', (error) => fail(reasonOf(error)))
      socket.on('secureConnect', () => {
        resolve(this.#judge(socket, clock.monotonic() - started))
        // Not before the last of the handshake is sent, for a server logs a handshake that was broken off. The limit stands until then.
        socket.destroySoon()
      })
    })
  }

  toString (): string {
    return this.#label.text
  }

  #judge (socket: TLSSocket, took: number): Status {
    const { clock, pace } = this.#peer
    const end = Date.parse(socket.getPeerCertificate().valid_to)
    const left = (end - clock.now()) / day(1).milliseconds
    return statusOf([this.#judgeCertificate(socket, new Date(end), left), pace.judge('the TLS connection', took)], {
      handshake_seconds: seconds(took),
      certificate_days_left: Math.floor(left * 100) / 100
    })
  }

  #judgeCertificate (socket: TLSSocket, end: Date, daysLeft: number): Verdict {
    const whose = `the certificate of ${this.#target}`
    // A code, whatever its type says: https://nodejs.org/docs/latest-v20.x/api/tls.html#tlssocketauthorizationerror
    const problem = String(socket.authorizationError)
    if (daysLeft <= 0) return { state: RED, detail: `${whose} expired on ${dateOf(end)}` }
    if (!socket.authorized) return { state: RED, detail: `${whose} ${words[problem] ?? 'is not trusted'} (${problem})` }
    if (daysLeft < this.#warnBefore) return { state: YELLOW, detail: `${whose} ends in ${Math.floor(daysLeft)} days, on ${dateOf(end)}` }
    return { state: OK }
  }
}

function dateOf (time: Date): string {
  return time.toISOString().slice(0, 10)
}

/** An IP address is no name to ask for: https://www.rfc-editor.org/rfc/rfc6066#section-3 */
function servernameOf (servername: unknown, host: string): string | undefined {
  if (servername === undefined) return isIP(host) === 0 ? host.replace(/\.$/, '') : undefined
  const name = hostOf(servername, 'the option "servername"')
  if (isIP(name) !== 0) throw invalid('the option "servername"', 'a host name', servername)
  return name.replace(/\.$/, '')
}
