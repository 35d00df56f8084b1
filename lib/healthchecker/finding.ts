import { isIPv4 } from 'node:net'
import type { Bonjour } from 'bonjour-service'
import { interfacesOf, loadBonjour, multicastOn, multicastPort, serviceType } from './multicast.js'

/**
 * Looks for a healthchecker over mDNS, on all interfaces: its address, or nothing where none answers in time or mDNS cannot be had.
 *
 * @param timeout in milliseconds
 * @throws ERR_PACKAGE_MISSING where bonjour-service is not installed
 */
export async function findHealthchecker (timeout: number, signal: AbortSignal, mdnsPort = multicastPort): Promise<string | undefined> {
  const Class = await loadBonjour()
  const askers: Bonjour[] = []
  const ending = new AbortController()
  const giveUp = (): void => ending.abort()
  const timer = setTimeout(giveUp, timeout)
  signal.addEventListener('abort', giveUp)
  if (signal.aborted) giveUp()
  try {
    for (const address of interfacesOf(['0.0.0.0'])) {
      // An interface without multicast is one less to look at.
      const asker = await multicastOn(Class, address, undefined, mdnsPort).catch(() => undefined)
      if (asker !== undefined) askers.push(asker)
    }
    return await new Promise<string | undefined>((resolve) => {
      const none = (): void => resolve(undefined)
      if (ending.signal.aborted || askers.length === 0) return none()
      ending.signal.addEventListener('abort', none)
      for (const asker of askers) {
        asker.find({ type: serviceType }, ({ addresses, port }) => {
          const address = addresses?.find(isIPv4)
          if (address !== undefined) resolve(`http://${address}:${port}`)
        })
      }
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    for (const asker of askers) asker.destroy()
  }
}
