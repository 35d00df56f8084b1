import type { Auth } from '../types/auth.js'
import type { DecommissionStore } from '../types/decommission.js'
import type { Format } from '../types/format.js'
import type { StatusHandler, StatusHandlerOptions } from '../types/handler.js'
import type { LiveStatusOptions, ProbeStatusOptions, StatusPluginOptions, SvcStatusOptions } from '../types/options.js'
import type { Time } from '../types/time.js'
import { bearerToken } from './auth/bearer-token.js'
import { defaultRegistry } from './core/default-registry.js'
import { codedError, show } from './core/errors.js'
import { invalid, knownOptions, ofKind, stringList, withMethods } from './core/options.js'
import { StatusRegistry } from './core/registry.js'
import { milliseconds, second } from './core/units.js'
import { allFormats } from './formats/index.js'
import type { ReadinessSettings } from './probe/readiness.js'

/** The plugin's options, checked and with their defaults. */
export interface Settings {
  readonly registry: StatusRegistry
  readonly handlers: ReadonlyArray<{ name: string, handler: StatusHandler, options: StatusHandlerOptions }>
  readonly formats: readonly Format[]
  readonly svcStatus?: { readonly path: string, readonly health?: string, readonly unavailableOnRed: readonly string[] }
  readonly probeStatus?: { readonly path: string, readonly auth: Auth, readonly readiness: ReadinessSettings }
  readonly liveStatus?: { readonly path: string }
  /** Absent where none was given. */
  readonly store?: DecommissionStore
  readonly details: NonNullable<StatusPluginOptions['details']>
  readonly timeout?: Time
  readonly logLevel: NonNullable<StatusPluginOptions['logLevel']>
}

const known = ['registry', 'handlers', 'prefix', 'formats', 'svcStatus', 'probeStatus', 'liveStatus', 'metrics', 'details', 'timeout', 'logLevel'] as const
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/**
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function checkOptions (options: StatusPluginOptions): Settings {
  const { registry = defaultRegistry, handlers = {}, prefix = '', formats = [], svcStatus, probeStatus, liveStatus, metrics, details = 'always', timeout, logLevel = 'warn' } =
    knownOptions(options, known, 'the status plugin')
  if (!(registry instanceof StatusRegistry)) throw invalid('the option "registry"', 'a StatusRegistry', registry)
  ofKind(handlers, 'object', 'the option "handlers"')
  ofKind(formats, 'array', 'the option "formats"')
  if (details !== 'always' && details !== 'never' && typeof details !== 'function') {
    throw invalid('the option "details"', '"always", "never" or a function of the request', details)
  }
  if (!logLevels.includes(logLevel)) throw invalid('the option "logLevel"', logLevels.join(', '), logLevel)
  if (timeout !== undefined) milliseconds(timeout, 'the option "timeout"', 1)
  const start = prefix === '' ? '' : address(prefix, 'prefix')
  const svc = svcStatusOf(svcStatus, start)
  const all = allFormats({ ...svc?.formats, metrics }, formats)
  checkNames(svc?.unavailableOnRed ?? [], all)

  return {
    registry,
    handlers: Object.entries(handlers).map(([name, option]) => handlerOf(name, option)),
    formats: all,
    svcStatus: svc,
    probeStatus: probeStatus === false ? undefined : probeStatusOf(probeStatus, start),
    liveStatus: liveStatus === false ? undefined : liveStatusOf(liveStatus, start),
    store: probeStatus === false ? undefined : storeOf(probeStatus?.store),
    details,
    timeout,
    logLevel
  }
}

function handlerOf (name: string, option: NonNullable<StatusPluginOptions['handlers']>[string]): Settings['handlers'][number] {
  if (typeof option === 'object' && option !== null && 'handler' in option && !('getStatus' in option)) {
    const { handler, ...options } = option
    return { name, handler, options }
  }
  return { name, handler: option as StatusHandler, options: {} }
}

function svcStatusOf (options: false | SvcStatusOptions | undefined, start: string): (Settings['svcStatus'] & { formats: object }) | undefined {
  if (options === false) return undefined
  const { path = '/svc_status', health = false, unavailableOnRed = ['health'], ...formats } =
    knownOptions(options, ['path', 'health', 'unavailableOnRed', 'csv', 'healthJson', 'html'], 'the option "svcStatus"')
  if (typeof health !== 'boolean' && typeof health !== 'string') throw invalid('the option "svcStatus.health"', 'true, false or a path', health)
  stringList(unavailableOnRed, 'the option "svcStatus.unavailableOnRed"')
  const at = start + address(path, 'svcStatus.path')
  const healthAt = health === false ? undefined : start + address(health === true ? '/health' : health, 'svcStatus.health')
  if (healthAt === at) throw invalid('the option "svcStatus.health"', 'another path than "svcStatus.path"', health)
  return {
    path: at,
    health: healthAt,
    unavailableOnRed,
    formats
  }
}

function probeStatusOf (options: ProbeStatusOptions | undefined, start: string): Settings['probeStatus'] {
  const { path = '/probe_status', auth = authOfEnvironment(), requires = [], startup = [], interval = second(5) } =
    knownOptions(options, ['path', 'auth', 'store', 'requires', 'startup', 'interval'], 'the option "probeStatus"')
  ofKind(auth, 'function', 'the option "probeStatus.auth"')
  stringList(requires, 'the option "probeStatus.requires"')
  stringList(startup, 'the option "probeStatus.startup"')
  return {
    path: start + address(path, 'probeStatus.path'),
    auth,
    readiness: { requires, startup, interval: milliseconds(interval, 'the option "probeStatus.interval"', 1) }
  }
}

function liveStatusOf (options: LiveStatusOptions | undefined, start: string): Settings['liveStatus'] {
  const { path = '/live_status' } = knownOptions(options, ['path'], 'the option "liveStatus"')
  return { path: start + address(path, 'liveStatus.path') }
}

/** Nobody is let in unasked: a proxy on the same host makes the whole world look like loopback. */
function authOfEnvironment (): Auth {
  const token = process.env.SVC_STATUS_TOKEN ?? ''
  if (token !== '') {
    try {
      return bearerToken(token)
    } catch (cause) {
      throw codedError('ERR_INVALID_OPTION', 'the environment variable SVC_STATUS_TOKEN must be a token of ASCII characters without a space or a line end around it', { cause })
    }
  }
  return Object.assign(() => false, {
    expects: 'an operator who was named: set probeStatus.auth, for example to bearerToken(…) or localOnly(), or the environment variable SVC_STATUS_TOKEN'
  })
}

function storeOf (store: DecommissionStore | undefined): DecommissionStore | undefined {
  if (store === undefined) return undefined
  const what = 'the option "probeStatus.store"'
  withMethods(store, ['open', 'write', 'close'], what)
  if (typeof store.name !== 'string') throw invalid(`name of ${what}`, 'a string', store.name)
  return store
}

function address (path: unknown, option: string): string {
  if (typeof path !== 'string' || !/^(\/[^/:*?#;\s]+)+\/?$/.test(path)) {
    throw invalid(`the option "${option}"`, 'a path such as "/status", without parameters', path)
  }
  return path.replace(/\/$/, '')
}

function checkNames (names: readonly string[], formats: readonly Format[]): void {
  for (const name of names) {
    if (!formats.some((format) => format.name === name)) {
      throw codedError('ERR_INVALID_OPTION', `the option "svcStatus.unavailableOnRed" names the format ${show(name)}; there is ${formats.map((format) => format.name).join(', ')}`)
    }
  }
}
