import type { Command } from 'commander'
import type { ExitCode } from '../exit.js'
import type { World } from '../world.js'
import { decommission } from './decommission.js'
import { recommission } from './recommission.js'
import { status } from './status.js'
import { wait } from './wait.js'

/**
 * Makes a command: `new Command(name)` with description, arguments, options and an action that settles when the command is done.
 *
 * @param world what the action sees of the process; it must end soon once `world.signal` aborts
 * @param exit says what the program will end with, which is 0 otherwise; it does not end it
 */
export type MakeCommand = (world: World, exit: (code: ExitCode) => void) => Command

/** The one list of commands, in the order of the help. */
export const commands: readonly MakeCommand[] = [status, wait, decommission, recommission]
