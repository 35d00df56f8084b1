import type { Registry } from '../../types/registry.js'
import type { Service } from './service.js'

/** A service under its name. */
export interface Named {
  readonly name: string
  readonly service: Service
  /** How long a reader waits for it. */
  readonly timeout: number
}

/** The registries that show the services of a monitor. */
export class ShownServices {
  readonly #registries = new Set<Registry>()

  /**
   * All of them, or none where one is refused.
   *
   * @throws ERR_DUPLICATE_HANDLER
   */
  showIn (registry: Registry, services: readonly Named[]): void {
    if (this.#registries.has(registry)) return
    addAll(services.map((named) => ({ registry, ...named })))
    this.#registries.add(registry)
  }

  /**
   * In all registries, or in none where one refuses.
   *
   * @throws ERR_DUPLICATE_HANDLER
   */
  add (named: Named): void {
    addAll([...this.#registries].map((registry) => ({ registry, ...named })))
  }

  remove (name: string, service: Service): void {
    for (const registry of this.#registries) {
      if (registry.handler(name) === service) registry.removeStatusHandler(name)
    }
  }
}

function addAll (pairs: ReadonlyArray<Named & { readonly registry: Registry }>): void {
  const added: typeof pairs[number][] = []
  try {
    for (const pair of pairs) {
      pair.registry.addStatusHandler(pair.name, pair.service, { timeout: pair.timeout })
      added.push(pair)
    }
  } catch (error) {
    for (const { registry, name } of added) registry.removeStatusHandler(name)
    throw error
  }
}
