import type { Logger } from '../types/logger.js'
import type { Registry } from '../types/registry.js'

/** The logs of the apps that serve a registry without a logger of its own, the first one first. */
const lent = new WeakMap<Registry, Logger[]>()

/** Lends a registry the log of an app, unless it has one of its own. Gives the function that takes it back. */
export function lendLogger (registry: Registry, logger: Logger): () => void {
  const loggers = lent.get(registry) ?? []
  if (registry.logger !== undefined && registry.logger !== loggers[0]) return () => {}
  lent.set(registry, loggers)
  loggers.push(logger)
  registry.logger = loggers[0]
  return () => {
    loggers.splice(loggers.indexOf(logger), 1)
    registry.logger = loggers[0]
  }
}
