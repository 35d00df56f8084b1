import type { FleetOptions, FleetStore, Owe, Schedule } from '../../types/healthchecker.js'
import type { Logger } from '../../types/logger.js'
import type { Registry } from '../../types/registry.js'
import type { Clock } from '../../types/time.js'
import { systemClock } from '../core/clock.js'
import { knownOptions, ofKind, withMethods } from '../core/options.js'
import { StatusRegistry } from '../core/registry.js'
import { day, milliseconds, whole } from '../core/units.js'
import { SpreadSchedule } from './spread-schedule.js'
import { memoryFleetStore } from './stores/memory-fleet-store.js'
import { TargetGuard } from './target-guard.js'

const optionNames = ['store', 'schedule', 'registry', 'logger', 'owe', 'pauseAfter', 'allowTargets', 'maxApps', 'maxConcurrent', 'ca', 'clock'] as const

const ignore = (): void => {}
const silent: Logger = { info: ignore, warn: ignore, error: ignore }

/** The options of a fleet, checked, with their defaults. */
export interface FleetSettings {
  readonly store: FleetStore
  readonly schedule: Schedule
  readonly registry: Registry
  readonly logger: Logger
  readonly owe: Owe | undefined
  /** In milliseconds. */
  readonly pauseAfter: number
  readonly guard: TargetGuard
  readonly maxApps: number
  readonly maxConcurrent: number
  readonly ca: FleetOptions['ca']
  readonly clock: Clock
}

/** @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE */
export function settingsOf (options: FleetOptions | undefined): FleetSettings {
  const known = knownOptions(options, optionNames, 'the fleet')
  const { store = memoryFleetStore(), registry = new StatusRegistry(), logger = silent, clock = systemClock, pauseAfter = day(1), maxApps = 100_000, maxConcurrent = 1_000, owe, ca } = known
  withMethods(store, ['open', 'write', 'hours', 'close'], 'the option "store"')
  withMethods(known.schedule, ['set', 'delete', 'next', 'start', 'stop'], 'the option "schedule"')
  withMethods(registry, ['addStatusHandler', 'removeStatusHandler'], 'the option "registry"')
  withMethods(logger, ['info', 'warn', 'error'], 'the option "logger"')
  withMethods(clock, ['now', 'monotonic'], 'the option "clock"')
  ofKind(owe, 'function', 'the option "owe"')
  return {
    store,
    schedule: known.schedule ?? new SpreadSchedule(clock),
    registry,
    logger,
    owe,
    pauseAfter: milliseconds(pauseAfter, 'the option "pauseAfter"', 0, Infinity),
    guard: new TargetGuard(known.allowTargets),
    maxApps: whole(maxApps, 'the option "maxApps"', 1, 1_000_000),
    maxConcurrent: whole(maxConcurrent, 'the option "maxConcurrent"', 1, 100_000),
    ca,
    clock
  }
}
