import type { Registration, StoredApp, Transition } from '../../../types/healthchecker.js'
import { Health } from '../../../lib/healthchecker/health.js'

/** When everything in these tests happens, in milliseconds since the epoch. */
export const noon = Date.UTC(2030, 0, 1, 12)

export function registration (name: string, given: Partial<Registration> = {}): Registration {
  return {
    name,
    protocol: 'HTTP',
    host: '127.0.0.1',
    port: 80,
    path: '/healthcheck',
    timeout: 2,
    interval: 5,
    unhealthyThreshold: 2,
    healthyThreshold: 2,
    expectStatus: [200],
    email: [],
    tags: [],
    critical: true,
    ...given
  }
}

export function stored (name: string, given: Partial<StoredApp> = {}): StoredApp {
  return { registration: registration(name), registeredAt: noon, trusted: false, remote: false, health: Health.unknown, since: noon, ...given }
}

export function transition (id: number, app: string, given: Partial<Transition> = {}): Transition {
  return { id, kind: 'state', app, from: 'UNKNOWN', to: 'DEGRADING', at: noon, ...given }
}
