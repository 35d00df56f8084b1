import type { Socket } from 'node:net'
import { BlockList } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const forwarding = /^(forwarded|x-forwarded-.*|x-real-ip|via)$/

/**
 * Lets in programs on the same host: the peer of the socket is loopback or a Unix socket, `Host` says so too, and no
 * proxy and no browser page had a part in the request. `trustProxy` makes no difference.
 *
 * Not for a host with a proxy that adds none of `Forwarded`, `X-Forwarded-*`, `X-Real-IP`, `Via`, nor for one whose
 * other users or containers must not decommission: they are on the same host too.
 */
export function localOnly (): Auth {
  const auth: Auth = ({ raw }) =>
    isLocalProgram(raw) &&
    // HTTP/2 has the host in :authority: https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
    isLocalHost(String(raw.headers[':authority'] ?? raw.headers.host ?? '')) &&
    !Object.keys(raw.headers).some((name) => name === 'origin' || name.startsWith('sec-fetch-'))
  return Object.assign(auth, {
    expects: 'a request from a program on the same host, with a loopback Host header, through no proxy and no browser'
  })
}

/** Whether a request was made on this machine, through no proxy that says so; a browser may have made it for a page from anywhere. */
export function isLocalProgram ({ socket, headers }: Pick<FastifyRequest['raw'], 'socket' | 'headers'>): boolean {
  return isLocalPeer(socket) && !isForwarded({ headers })
}

/** Whether a proxy says that it passes a request on. */
export function isForwarded ({ headers }: Pick<FastifyRequest['raw'], 'headers'>): boolean {
  return Object.keys(headers).some((name) => forwarding.test(name))
}

function isLocalPeer (socket: Socket): boolean {
  const { remoteAddress } = socket
  if (remoteAddress !== undefined) return isLoopback(remoteAddress)
  // A Unix socket has no addresses at all; a TCP socket that was just reset has still its own.
  return !socket.destroyed && Object.keys(socket.address()).length === 0
}

/** Whether an address is one of this machine alone. */
export function isLoopback (address: string): boolean {
  return loopback.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}

/** Whether a `Host` header, or an address to listen on, names this machine alone. */
export function isLocalHost (host: string): boolean {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  if (name === 'localhost') return true
  if (/^\[.*\]$/.test(name)) return isLoopback(name.slice(1, -1))
  return /^127(\.\d{1,3}){3}$/.test(name) && isLoopback(name)
}
