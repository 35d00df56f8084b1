import type { Protocol } from './healthchecker.js'
import type { Time } from './time.js'

export interface HealthcheckerClientOptions {
  /** The name that the app is watched under: 1 to 100 characters. */
  app: string
  /** Where the app is, as seen from the healthchecker: `http://10.0.0.5:9090`, `tcp://10.0.0.5:5432`. */
  url?: string
  /** Where the healthchecker is, such as `http://checker.lan:8080`. Default: it is looked for over mDNS, by bonjour-service. */
  server?: string
  /** The healthchecker's token. It never goes to one that was merely found, unless `trustDiscovery` is set. Default: none. */
  token?: string
  /** Whether whoever answers over mDNS gets the token: everybody in the network can. Default false. */
  trustDiscovery?: boolean
  /** How long a call may take, the search included. Default `second(10)`; at least 1 ms. */
  timeout?: Time
}

/** How an app is to be watched; what is absent has the healthchecker's default. Times are SECONDS, as on the wire. */
export interface MonitorParameters {
  /** Where the app is, in place of the client's `url`. */
  url?: string
  /** Default: as in the url. */
  protocol?: Protocol
  /** Path that is asked for over HTTP. Default `/healthcheck`. */
  path?: string
  /** Seconds that a check may take: 2 to 60, below `interval`. Default 5. */
  timeout?: number
  /** Seconds from check to check: 5 to 300. Default 30. */
  interval?: number
  /** So many failures in a row make it UNHEALTHY: 2 to 10. Default 2. */
  unhealthyThreshold?: number
  /** So many successes in a row make it HEALTHY: 2 to 10. Default 10. */
  healthyThreshold?: number
  /** The status codes that are healthy. Default 200 alone. */
  expectStatus?: number | readonly number[]
  /** Who gets mail of changes. Default nobody. */
  email?: string | readonly string[]
  /** Words to select by. Default none. */
  tags?: string | readonly string[]
  /** Whether UNHEALTHY makes the whole fleet RED. Default true. */
  critical?: boolean
}

/** What became of a call. It is a result whatever happens: an app must not end because nobody watches it. */
export interface ClientResult {
  /** Whether it was done. */
  readonly ok: boolean
  /** Whether a healthchecker was found, and answered. */
  readonly found: boolean
  /** Where it is. */
  readonly server?: string
  /** The status code of its answer. */
  readonly statusCode?: number
  /** What went wrong, for people. */
  readonly message?: string
  /** Of `monitor`: what the registration changed. */
  readonly registered?: 'created' | 'changed' | 'unchanged'
  /** What it knows of the app, as in the reply of `GET /apps/NAME`. */
  readonly app?: Readonly<Record<string, unknown>>
}

export interface HealthcheckerPluginOptions extends HealthcheckerClientOptions, Omit<MonitorParameters, 'url' | 'timeout'> {
  /** Seconds that a check may take: 2 to 60, below `interval`. Default 5. */
  checkTimeout?: number
  /** How long to wait before a healthchecker that was not there is asked again. Default `second(30)`; at least 1 ms. */
  retryAfter?: Time
  /** Whether the app is deregistered when it closes, with its history. Default true. */
  withdraw?: boolean
}
