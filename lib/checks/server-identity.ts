import { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { checkServerIdentity as check, type PeerCertificate } from 'node:tls'

/**
 * Whether a certificate is for a host. Node's own check finds no IPv6 address in any certificate in its releases of June 2026
 * (22.23, 24.17 and 24.18): https://github.com/nodejs/node/issues/64144
 */
export function checkServerIdentity (host: string, certificate: PeerCertificate): Error | undefined {
  // A zone (fe80::1%eth0) is this machine's name of a link, which no certificate knows.
  if (isIPv6(host) && new X509Certificate(certificate.raw).checkIP(host.replace(/%.*/, '')) !== undefined) return undefined
  return check(host, certificate)
}
