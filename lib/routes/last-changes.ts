import type { Registry } from '../../types/registry.js'
import type { StatusChange } from '../../types/snapshot.js'

const most = 10

/** The last changes of state in a registry, the newest first, from the moment it is made. */
export class LastChanges {
  readonly #registry: Registry
  #changes: readonly StatusChange[] = []
  readonly #onChange = (change: StatusChange): void => {
    this.#changes = [change, ...this.#changes.slice(0, most - 1)]
  }

  constructor (registry: Registry) {
    this.#registry = registry
    registry.on('change', this.#onChange)
  }

  get list (): readonly StatusChange[] {
    return this.#changes
  }

  stop (): void {
    this.#registry.off('change', this.#onChange)
  }
}
