export { WatchedFleet } from './fleet.js'
export { Health } from './health.js'
export { memoryFleetStore } from './stores/memory-fleet-store.js'
export { sqliteFleetStore } from './stores/sqlite-fleet-store.js'

export type { Thresholds } from './health.js'
export type * from '../../types/healthchecker.js'
