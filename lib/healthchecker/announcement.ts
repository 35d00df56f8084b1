import { hostname } from 'node:os'
import type { Bonjour, Service } from 'bonjour-service'
import type { Logger } from '../../types/logger.js'
import { within } from '../core/within.js'
import { interfacesOf, loadBonjour, multicastOn, multicastPort, originsName, originsType, serviceType } from './multicast.js'

/** How long somebody else of the origin's name has to say so, in milliseconds: https://www.rfc-editor.org/rfc/rfc6762#section-8.1 */
const longestSilence = 750

/** How long a good-bye may take, in milliseconds. */
const longestGoodbye = 1_000

/** Says over mDNS where a healthchecker is. What fails here is logged, and is no reason not to check. */
export class Announcement {
  readonly #log: Logger
  readonly #responders: Bonjour[] = []
  readonly #timers: NodeJS.Timeout[] = []

  /** @param addresses what it listens on: it is announced on these interfaces alone */
  static async begin (addresses: readonly string[], port: number, log: Logger, mdnsPort = multicastPort): Promise<Announcement> {
    const announcement = new Announcement(log)
    const interfaces = interfacesOf(addresses)
    if (interfaces.length === 0) log.warn({ addresses }, 'not announced over mDNS: that takes an IPv4 address to listen on')
    for (const address of interfaces) await announcement.#announceOn(address, interfaces, port, mdnsPort)
    return announcement
  }

  private constructor (log: Logger) {
    this.#log = log
  }

  async #announceOn (address: string, own: readonly string[], port: number, mdnsPort: number): Promise<void> {
    try {
      const responder = await multicastOn(await loadBonjour(), address, (err) => this.#log.warn({ err, address }, 'an mDNS question could not be answered'), mdnsPort, own)
      this.#responders.push(responder)
      // Nobody else has it: neither the system's own announcement of this host, nor a second healthchecker on it, nor another host of the same name.
      const label = hostname().split('.')[0].slice(0, 24)
      const dashed = address.replaceAll('.', '-')
      const about = { port, host: `healthchecker-${port}-${dashed}-${label}.local`, txt: { path: '/' } }
      onlyAt(address, responder.publish({ ...about, name: `healthchecker on ${label} ${dashed} ${port}`, type: serviceType }))
      this.#announceOrigins(responder, () => onlyAt(address, responder.publish({ ...about, name: originsName, type: originsType })))
    } catch (err) {
      this.#log.warn({ err, address }, 'not announced over mDNS')
    }
  }

  /** The origin's name is the same for all: where another has it already, clients of the origin go on finding that one. */
  #announceOrigins (responder: Bonjour, publish: () => void): void {
    const browser = responder.find({ type: originsType })
    this.#timers.push(setTimeout(() => {
      browser.stop()
      if (browser.services.some(({ name }) => name === originsName)) this.#log.info({}, `another healthchecker is announced as ${originsName}._${originsType}._tcp already`)
      else publish()
    }, longestSilence).unref())
  }

  /** Says good-bye, and is gone within a second or so. */
  async close (): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#responders.splice(0).map(async (responder) => {
      await within(longestGoodbye, new Promise<void>((resolve) => responder.unpublishAll(() => resolve()))).catch(() => {})
      await within(longestGoodbye, new Promise<void>((resolve) => responder.destroy(() => resolve()))).catch(() => {})
    }))
  }
}

/** bonjour-service would say all addresses of the machine, and none where it listens on loopback. */
function onlyAt (address: string, service: Service): void {
  const records = service.records.bind(service)
  service.records = () => [...records().filter(({ type }) => type !== 'A' && type !== 'AAAA'), { name: service.host, type: 'A', ttl: 120, data: address }]
}
