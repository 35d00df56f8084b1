import type { FastifyRequest } from 'fastify'
import type { Registry } from './registry.js'
import type { Auth } from './auth.js'
import type { DecommissionStore } from './decommission.js'
import type { Format } from './format.js'
import type { StatusHandler, StatusHandlerOptions } from './handler.js'
import type { Time } from './time.js'

export interface CsvOptions {
  /** A first line with the names of the columns. Default false. */
  header?: boolean
  /** What separates two columns: one character, no quote and no line break. Default a tab. */
  delimiter?: string
  /** A third column with the detail, for readers that may see it. Default false. */
  detail?: boolean
}

export interface HealthOptions {
  /** The public version of the service, such as `1`. */
  version?: string
  /** The release that runs, such as `1.2.2`. */
  releaseId?: string
  /** A unique name of the service. */
  serviceId?: string
  /** One line for people. */
  description?: string
  notes?: readonly string[]
}

export interface HtmlOptions {
  /** The heading of the page. Default `Service status`. */
  title?: string
  /** How often the handlers are asked while somebody has the page open. Default `second(10)`, at least `second(1)`. */
  refresh?: Time
  /**
   * How many readers may follow the page live at once, each over a connection of its own: 0 to 10,000, default 100.
   * The pages of all others load themselves again every `refresh`.
   */
  listeners?: number
}

/** Anything that prints metrics: prom-client's `Registry` is one. */
export interface MetricsRegistry {
  metrics (): string | Promise<string>
  readonly contentType: string
}

export interface MetricsOptions {
  /** Registries whose metrics follow ours. Default: prom-client's own `register`. */
  registries?: readonly MetricsRegistry[]
  /** Print `svc_status_state{name, state}` as well, one series of three being 1. Default false. */
  states?: boolean
  /** How long a registry may take before its metrics are left out. Default `second(5)`. */
  timeout?: Time
}

export interface SvcStatusOptions {
  /** Default `/svc_status`. */
  path?: string
  /** Serve `application/health+json` at a path of its own too: `true` is `/health`. Default false. */
  health?: boolean | string
  /** Names of the formats that answer 503 while the overall state is RED. Default `['health']`. */
  unavailableOnRed?: readonly string[]
  csv?: CsvOptions
  healthJson?: HealthOptions
  html?: HtmlOptions
}

export interface ProbeStatusOptions {
  /** Default `/probe_status`. */
  path?: string
  /** Who may decommission. Default: the bearer token in the environment variable `SVC_STATUS_TOKEN`; nobody where that is not set. */
  auth?: Auth
  /** Where a decommission is kept. Default `memoryStore()`, which a restart empties. */
  store?: DecommissionStore
  /** Names or tags of handlers whose RED makes the probe 503. Default none: what all instances share must not take all of them out. */
  requires?: readonly string[]
  /** Names or tags of handlers that have to be OK once; until then the probe is 503 `STARTING`. Default none. */
  startup?: readonly string[]
  /** How long between two rounds of asking the handlers above, in the background. Default `second(5)`. */
  interval?: Time
}

export interface LiveStatusOptions {
  /** Default `/live_status`. */
  path?: string
}

/** A handler in the plugin's options: bare, or with its options. */
export type HandlerOption = StatusHandler | (StatusHandlerOptions & { handler: StatusHandler })

export interface StatusPluginOptions {
  /** The registry to serve. Default `defaultRegistry`. */
  registry?: Registry
  /** Handlers by name. They leave the registry when the app closes, and those with a `stop()` are stopped. */
  handlers?: Readonly<Record<string, HandlerOption>>
  /** Put before the path of every route. Default none. */
  prefix?: string
  /** Formats of your own; one with the name of a built-in format takes its place. */
  formats?: readonly Format[]
  /** `false`: no such routes. */
  svcStatus?: false | SvcStatusOptions
  /** `false`: no such route. */
  probeStatus?: false | ProbeStatusOptions
  /** `false`: no such route. */
  liveStatus?: false | LiveStatusOptions
  metrics?: MetricsOptions
  /** Who may see `detail` and further properties: all, nobody, or whom the function lets. Default `'always'`. */
  details?: 'always' | 'never' | ((request: FastifyRequest) => boolean | Promise<boolean>)
  /** How long a handler without a timeout of its own may take when these routes ask it. Default: the registry's. */
  timeout?: Time
  /** The log level of the routes. Default `warn`: a probe or a scrape writes no line. */
  logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
}
