import { fileURLToPath } from 'node:url'
import type { Program } from './programs.js'

/** The folder of the checkout. */
export const checkout = fileURLToPath(new URL('../../..', import.meta.url))

/** What the example prints, in its order. */
export const paths = ['/svc_status', '/svc_status.json', '/svc_status.prometheus', '/probe_status', '/live_status']

/** The addresses that the example has printed, once it has printed them all. */
export async function addressesOf (example: Program, within?: number): Promise<string[]> {
  let addresses: string[] = []
  await example.says('its addresses', ({ stdout }) => {
    addresses = stdout.split('\n').slice(0, -1).filter((line) => line.startsWith('http://'))
    return addresses.length === paths.length ? 'all' : undefined
  }, within)
  return addresses
}

/** What a failure looks like in an output: a stack trace, a warning of Node's, an unhandled rejection. */
export const trouble = /^\s+at .+:\d+|unhandled|uncaught|warning:|"level":[56]0/im
