import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { commands, type MakeCommand } from './commands/index.js'
import { exitCodes, UsageError, type ExitCode } from './exit.js'
import type { Output, World } from './world.js'

// By its own name: the bundle is in another folder than this file.
const { version } = createRequire(import.meta.url)('fastify-svc-status/package.json') as { version: string }

/**
 * Runs a command line to its end.
 *
 * @param args without the names of node and of the script
 * @returns what the process is to end with, once everything is written
 */
export async function run (args: readonly string[], world: World, all: readonly MakeCommand[] = commands): Promise<number> {
  const ending = new AbortController()
  const abort = (): void => ending.abort(world.signal.reason)
  // Whoever read it has gone, as in `svc-status … | head`: there is nothing left to do.
  const onOutputError = (error: NodeJS.ErrnoException): void => ending.abort(error)
  world.signal.addEventListener('abort', abort)
  world.stdout.on('error', onOutputError)
  world.stderr.on('error', onOutputError)
  try {
    const code = await runCommand(args, { ...world, signal: ending.signal }, all)
    await Promise.all([written(world.stdout), written(world.stderr)])
    return code
  } finally {
    world.signal.removeEventListener('abort', abort)
  }
}

async function runCommand (args: readonly string[], world: World, all: readonly MakeCommand[]): Promise<number> {
  let code: ExitCode = exitCodes.OK
  const program = programOf(world)
  for (const make of all) program.addCommand(make(world, (said) => { code = said }).copyInheritedSettings(program))
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.OK : exitCodes.usage
    if (error instanceof UsageError) {
      world.stderr.write(`svc-status: ${error.message}\n`)
      return exitCodes.usage
    }
    throw error
  }
}

function programOf ({ stdout, stderr }: World): Command {
  return new Command('svc-status')
    .description('Asks services how they are, and takes them out of service.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => { stdout.write(text) },
      writeErr: (text) => { stderr.write(text) },
      getOutHelpWidth: () => stdout.columns ?? 80,
      getErrHelpWidth: () => stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false
    })
}

/** Once everything before is written, or cannot be. */
async function written (output: Output): Promise<void> {
  await new Promise<void>((resolve) => output.write('', () => resolve()))
}
