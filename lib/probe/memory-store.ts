import type { Decommission, DecommissionStore } from '../../types/decommission.js'

/** Keeps a decommission in this process: a restart comes back in service. */
export function memoryStore (): DecommissionStore {
  let stored: Decommission | undefined
  return {
    name: 'memory',
    async open () { return stored },
    async write (decommission) { stored = decommission },
    async close () {}
  }
}
