import type { LookupAddress, LookupOptions } from 'node:dns'
import type { Names } from '../checks/names.js'

/** A resolver that says nothing for so long is not waited for where it is known what it said last, in milliseconds. */
const patience = 500

/** So many names are remembered. */
const most = 100_000

type Callback = (error: Error | null, addresses: readonly LookupAddress[]) => void

/**
 * Resolves host names, and remembers where they led. The system's resolver has few threads: some names whose name servers do
 * not answer hold all of them, and meanwhile no app that has a name could be asked. What was known is forgotten when the
 * resolver says that it is so no more.
 */
export class KnownAddresses {
  readonly #names: Names
  readonly #known = new Map<string, readonly LookupAddress[]>()

  constructor (names: Names) {
    this.#names = names
  }

  lookup (hostname: string, options: LookupOptions, callback: Callback): void {
    const key = `${hostname} ${options.family}`
    const known = this.#known.get(key)
    let told = false
    const tell: Callback = (error, addresses) => {
      clearTimeout(late)
      if (!told) callback(error, addresses)
      told = true
    }
    const late = known === undefined ? undefined : setTimeout(() => tell(null, known), patience).unref()
    this.#names.query().lookup(hostname, { ...options, all: true }, (error, found) => {
      const addresses = error === null ? found as LookupAddress[] : []
      if (error === null) this.#remember(key, addresses)
      else this.#known.delete(key)
      tell(error, addresses)
    })
  }

  #remember (key: string, addresses: readonly LookupAddress[]): void {
    if (this.#known.size >= most) this.#known.clear()
    this.#known.set(key, addresses)
  }
}
