import type { Agent } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { Clock, Time } from './time.js'

/** How slow is too slow. The time counts from the start of the check, name resolution included. */
export interface PaceOptions {
  /** Slower than this is YELLOW. Default: never; from 0 to `timeout`. */
  yellowAfter?: Time
  /** Slower than this is RED. Default: only past `timeout`; from `yellowAfter` to `timeout`. */
  redAfter?: Time
}

/** What every check has that asks another machine. */
export interface PeerCheckOptions extends PaceOptions {
  /** The whole time a check may take, name resolution included. Default `second(4)`; at least 1 ms. */
  timeout?: Time
  /** What to call the check in its `toString()` and in policies around it. Default: kind and target. */
  name?: string
  /** How a host name becomes addresses. Default `dns.lookup` of Node. */
  lookup?: LookupFunction
  /** Where the time comes from. Default: the system. */
  clock?: Clock
}

export interface TCPCheckOptions extends PeerCheckOptions {
  /** A host name, or an IPv4 or IPv6 address. */
  host: string
  /** 1 to 65535, or the name of a TCP service such as `smtp`. */
  port: number | string
  /** The address of this machine to connect from. Default: the system's choice. */
  sourceHost?: string
  /** The port of this machine to connect from, 1 to 65535. Default: any free one. With it, a connection ends with a reset, so that the port is free for the next. */
  sourcePort?: number
}

export interface TLSCheckOptions extends PeerCheckOptions {
  /** A host name, or an IPv4 or IPv6 address. */
  host: string
  /** 1 to 65535, or the name of a TCP service such as `https`. */
  port: number | string
  /** The host name to ask for and to find in the certificate. Default: `host`. */
  servername?: string
  /** Certificates of issuers to trust, in PEM. They take the place of those that Node trusts. */
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
  /** A certificate that ends sooner than this is YELLOW. Default `day(14)`; 0 or more. */
  warnBefore?: Time
}

/** A status code, or the first and the last of a range of them. */
export type StatusCodes = number | readonly [from: number, to: number]

export interface HTTPCheckOptions extends PeerCheckOptions {
  /** What to ask, `http:` or `https:`. A user name and a password in it are sent as Basic authorization, and shown nowhere. */
  url: string | URL
  /** Default `GET`. */
  method?: string
  /** Sent with the request, but not where a redirect leads to another origin. Default: an `Accept` that prefers what can be read as a tri-state, and a `User-Agent`. */
  headers?: Readonly<Record<string, string | number | readonly string[]>>
  /** Sent with the request. */
  body?: string | Uint8Array
  /** The status codes that are not RED: one, or a list of codes and ranges such as `[[200, 299], 404]`. Default 200 to 299. */
  expectStatus?: number | readonly StatusCodes[]
  /** How many redirects to follow. Default 0; at most 20. */
  followRedirects?: number
  /** How many bytes of a body to read. What is longer is cut off, and its connection closed. Default 65,536; at most 2^28. */
  maxBody?: number
  /** Makes the connections, instead of an agent of the check's own. It is not closed by `stop()`. */
  agent?: Agent
  /** Certificates of issuers to trust, in PEM. They take the place of those that Node trusts. Not with `agent`. */
  ca?: string | Buffer | ReadonlyArray<string | Buffer>
}

export interface EventLoopDelayCheckOptions {
  /** Which delay to look at: of 100 timers, so many were no later. Default 99; more than 0, at most 100. */
  percentile?: number
  /** A longer delay is YELLOW. Default 100 ms. */
  yellowAfter?: Time
  /** A longer delay is RED. Default `second(1)`. */
  redAfter?: Time
  /** How far back to look: at least this, at most twice as long, or since the last answer where that was longer ago. Default `second(10)`. */
  window?: Time
  /** How often to measure. Default 20 ms; whole milliseconds from 1 to 1000. */
  resolution?: Time
  name?: string
  clock?: Clock
}

/** A threshold is passed by more than its value. */
export interface MemoryCheckOptions {
  /** The part of V8's heap limit in use that is YELLOW, 0 to 1. Default 0.85 where no threshold is given. */
  yellowHeapRatio?: number
  /** The part of V8's heap limit in use that is RED, 0 to 1. Default 0.95 where no threshold is given. */
  redHeapRatio?: number
  /** The resident set size in bytes that is YELLOW. */
  yellowRssBytes?: number
  /** The resident set size in bytes that is RED. */
  redRssBytes?: number
  name?: string
}

/** A threshold is passed by less than its value. */
export interface DiskSpaceCheckOptions {
  /** A file or folder on the file system to look at. */
  path: string
  /** The free part of the file system that is YELLOW, 0 to 1. Default 0.1 where no threshold is given. */
  yellowFreeRatio?: number
  /** The free part of the file system that is RED, 0 to 1. Default 0.05 where no threshold is given. */
  redFreeRatio?: number
  /** The free bytes that are YELLOW. */
  yellowFreeBytes?: number
  /** The free bytes that are RED. */
  redFreeBytes?: number
  name?: string
}
