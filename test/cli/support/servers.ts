import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { Test } from 'tap'

/** The address of a server that is no service of ours, such as `127.0.0.1:41234`. */
export async function listening (t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The URL of one that answers so. */
export async function answering (t: Test, answer: RequestListener): Promise<string> {
  return `http://${await listening(t, createServer({ keepAlive: false }, answer))}`
}
