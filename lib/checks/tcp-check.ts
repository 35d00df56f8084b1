import { connect, isIP, type TcpNetConnectOpts } from 'node:net'
import type { TCPCheckOptions } from '../../types/checks.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import { invalid, knownOptions } from '../core/options.js'
import { RED } from '../core/state.js'
import { whole } from '../core/units.js'
import { Label } from './label.js'
import { seconds } from './pace.js'
import { attemptTimeout, hostAndPort, hostOf, peerOf, peerOptions, reasonOf, type Peer } from './peer.js'
import { portOf } from './service-port.js'
import { TimeLimit, type Abortable } from './time-limit.js'

/**
 * Connects, and closes the connection at once: OK with the time it took as the metric `connect_seconds`,
 * RED with the reason, such as `no connection to db:5432: ECONNREFUSED`.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 * @example
 * addStatusHandler('mail', new TCPCheck({ host: 'mail.example.org', port: 'smtp', timeout: second(2), yellowAfter: 500 }))
 */
export class TCPCheck implements StatusProvider {
  readonly name: string
  readonly #label: Label
  readonly #peer: Peer
  readonly #target: string
  readonly #connect: TcpNetConnectOpts
  readonly #named: boolean

  constructor (options: TCPCheckOptions) {
    const known = knownOptions(options, ['host', 'port', 'sourceHost', 'sourcePort', ...peerOptions], 'TCPCheck')
    this.#peer = peerOf(known)
    const host = hostOf(known.host, 'the option "host"')
    const port = portOf(known.port, 'the option "port"')
    this.#target = hostAndPort(host, port)
    this.#named = isIP(host) === 0
    this.#connect = {
      host,
      port,
      autoSelectFamilyAttemptTimeout: attemptTimeout(this.#peer.timeout),
      ...sourceOf(known, host)
    }
    this.#label = new Label('TCPCheck', this.#target, known.name)
    this.name = this.#label.name
  }

  getStatus (context?: Abortable): Promise<Status> {
    const { clock, names, pace, timeout } = this.#peer
    return new Promise((resolve) => {
      const started = clock.monotonic()
      const query = this.#named ? names.query() : undefined
      const socket = connect(query === undefined ? this.#connect : { ...this.#connect, lookup: query.lookup })
      const end = (status: Status): void => {
        limit.end()
        query?.forget()
        socket.destroy()
        resolve(status)
      }
      const limit = new TimeLimit(timeout, context, (reason) => end(this.#failed(reason)))
      socket.on('error', (error) => end(this.#failed(reasonOf(error))))
      socket.on('connect', () => {
        const took = clock.monotonic() - started
        // A reset leaves no TIME_WAIT, in which the port could not be used again.
        if (this.#connect.localPort !== undefined) socket.resetAndDestroy()
        end({ ...pace.judge('the connection', took), metrics: { connect_seconds: seconds(took) } })
      })
    })
  }

  toString (): string {
    return this.#label.text
  }

  #failed (reason: string): Status {
    return { state: RED, detail: `no connection to ${this.#target}: ${reason}` }
  }
}

function sourceOf ({ sourceHost, sourcePort }: TCPCheckOptions, host: string): Partial<TcpNetConnectOpts> {
  const localPort = sourcePort === undefined ? undefined : whole(sourcePort, 'the option "sourcePort"', 1, 65_535)
  if (sourceHost === undefined) return { localPort }
  const family = typeof sourceHost === 'string' ? isIP(sourceHost) : 0
  if (family === 0) throw invalid('the option "sourceHost"', 'an IP address of this machine', sourceHost)
  if (isIP(host) !== 0 && isIP(host) !== family) throw invalid('the option "sourceHost"', `an IPv${isIP(host)} address, as the option "host" is`, sourceHost)
  return { localAddress: sourceHost, family, localPort }
}
