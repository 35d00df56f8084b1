import { connect } from 'node:net'
import { connect as connectByTLS } from 'node:tls'
import { hostAndPort, reasonOf } from '../../checks/peer.js'
import { codedError } from '../../core/errors.js'

/** A server that speaks in lines. */
export interface Peer {
  readonly host: string
  readonly port: number
  /** Speak TLS, with these options. */
  readonly tls?: object
  /** A Unix socket, in place of host and port. */
  readonly path?: string
}

/** More than a line of any of these protocols has. */
const longestLine = 1_024

/**
 * Connects, says a line and gives the first line of the answer. The connection is closed at once.
 *
 * @throws ERR_SERVICE_DOWN
 */
export function askLine ({ host, port, tls, path }: Peer, line: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const to = path === undefined ? { host, port } : { path }
    const socket = tls === undefined ? connect(to) : connectByTLS({ ...to, ...tls })
    let answer = ''
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', off)
      socket.destroy()
      settle()
    }
    const fail = (reason: string): void => end(() => reject(codedError('ERR_SERVICE_DOWN', `no answer from ${hostAndPort(host, port)}: ${reason}`)))
    const off = (): void => fail('called off')
    if (signal.aborted) return off()
    signal.addEventListener('abort', off)
    socket.setEncoding('latin1')
    socket.on('error', (error) => fail(reasonOf(error)))
    socket.on('end', () => fail('it closed the connection'))
    socket.on('connect', () => socket.write(`${line}\r\n`))
    socket.on('data', (text: string) => {
      answer += text
      const length = answer.indexOf('\r\n')
      if (length >= 0) end(() => resolve(answer.slice(0, length)))
      else if (answer.length > longestLine) fail('it says something else')
    })
  })
}
