import { networkInterfaces } from 'node:os'

/**
 * Where else than at `address`, which leads to this machine alone, a server can be reached that was bound to all addresses: for
 * people; nothing where it was bound to one.
 */
export function everywhere (host: string, address: string, interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string | undefined {
  const six = host.includes(':') && /^[0:]+$/.test(host)
  if (!six && host !== '0.0.0.0' && host !== '0') return undefined
  const reached = Object.values(interfaces).flatMap((ends = []) => ends)
    // A link-local address is one on its own link only, and a browser takes none.
    .filter(({ internal, family, address }) => !internal && (family === 'IPv4' || (six && !address.startsWith('fe80:'))))
    .map(({ family, address: end }) => {
      const url = new URL(address)
      url.hostname = family === 'IPv4' ? end : `[${end}]`
      return url.origin
    })
  return `on all addresses of this machine${reached.length === 0 ? '' : `: ${reached.join(' ')}`}`
}
