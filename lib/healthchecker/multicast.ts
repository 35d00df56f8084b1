import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { Bonjour } from 'bonjour-service'
import { driver } from '../core/driver.js'

/** https://www.rfc-editor.org/rfc/rfc6762#section-3 */
const group = '224.0.0.251'
export const multicastPort = 5353

/** https://www.rfc-editor.org/rfc/rfc6762#section-11 */
const timeToLive = 255

/** What announces and what looks for it agree on. */
export const serviceType = 'healthchecker'
/** How the origin is found: an instance of this name among the services of HTTP. */
export const originsName = '_healthchecker'
export const originsType = 'http'

/** @throws ERR_PACKAGE_MISSING where bonjour-service is not installed */
export async function loadBonjour (): Promise<typeof Bonjour> {
  return (await driver('bonjour-service', async () => await import('bonjour-service'))).Bonjour
}

/**
 * Multicast DNS on the interface of one address, and on no other.
 *
 * @param onError hears of answers that could not be sent; whoever only asks sends none
 * @param own all addresses that one process speaks from: what comes from another of them is not heard
 * @throws what the system says where the port cannot be had
 */
export async function multicastOn (Class: typeof Bonjour, address: string, onError: ((error: unknown) => void) | undefined, port = multicastPort, own: readonly string[] = []): Promise<Bonjour> {
  const socket = await socketOn(address, port)
  hearNone(socket, own.filter((other) => other !== address))
  // A socket of ours: that of bonjour-service cannot be bound to hear multicast on one interface alone, and ends the process where its port is taken.
  const options = { socket, bind: false, port, disableIPv6: true }
  return new Class(options, onError)
}

async function socketOn (address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  try {
    const bound = once(socket, 'listening')
    socket.bind(port)
    await bound
    socket.addMembership(group, address)
    socket.setMulticastInterface(address)
    socket.setMulticastTTL(timeToLive)
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

/**
 * Linux gives a socket what comes on any interface of which somebody listens to the group (IP_MULTICAST_ALL of
 * https://man7.org/linux/man-pages/man7/ip.7.html). Our own name on another interface would be taken for somebody else's, and
 * withdrawn on both.
 */
function hearNone (socket: Socket, others: readonly string[]): void {
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean
  socket.emit = (event: string, ...values: unknown[]) =>
    !(event === 'message' && others.includes((values[1] as RemoteInfo).address)) && emit(event, ...values)
}

/** An IPv4 address of each interface that somebody who listens on these addresses can be reached by. */
export function interfacesOf (addresses: readonly string[], all: ReturnType<typeof networkInterfaces> = networkInterfaces()): readonly string[] {
  const firsts = Object.values(all).map((one) => one?.find(({ family }) => family === 'IPv4')?.address).filter((address) => address !== undefined)
  if (addresses.includes('0.0.0.0') || addresses.includes('::')) return firsts
  return [...new Set(addresses.filter((address) => !address.includes(':')))]
}
