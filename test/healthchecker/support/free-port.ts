import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** A port that no mDNS responder has, so that no test is heard in the network. */
export async function freePort (): Promise<number> {
  const socket = createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return port
}
