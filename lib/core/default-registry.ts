import type { StatusHandler, StatusHandlerOptions } from '../../types/handler.js'
import type { AskOptions, WaitOptions } from '../../types/registry.js'
import type { State, Status } from '../../types/status.js'
import { StatusRegistry } from './registry.js'

/** The registry that the functions of this module act on and that the plugin serves unless it is given another. */
export const defaultRegistry = new StatusRegistry()

/** `defaultRegistry.addStatusHandler`: any module can add a handler without knowing the app. */
export function addStatusHandler (name: string, handler: StatusHandler, options?: StatusHandlerOptions): void {
  defaultRegistry.addStatusHandler(name, handler, options)
}

/** `defaultRegistry.removeStatusHandler` */
export function removeStatusHandler (name: string): boolean {
  return defaultRegistry.removeStatusHandler(name)
}

/** `defaultRegistry.getStatus` */
export async function getStatus (name: string, options?: AskOptions): Promise<Readonly<Status>> {
  return await defaultRegistry.getStatus(name, options)
}

/** `defaultRegistry.isInState` */
export async function isInState (name: string, state: State): Promise<boolean> {
  return await defaultRegistry.isInState(name, state)
}

/** `defaultRegistry.waitForStatus` */
export async function waitForStatus (name: string, state: State, options?: WaitOptions): Promise<boolean> {
  return await defaultRegistry.waitForStatus(name, state, options)
}
