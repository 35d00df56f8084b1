import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { commands, type MakeCommand } from './commands/index.js'
import { exitCodes, Interrupted, UsageError, type ExitCode } from './exit.js'
import { teach } from './help.js'
import { plain } from './plain.js'
import { sizeOf, type Output, type World } from './world.js'

// By its own name: the bundle is in another folder than this file.
const { version } = createRequire(import.meta.url)('fastify-svc-status/package.json') as { version: string }

const help = teach(`Examples:
  svc-status status localhost:8080
  svc-status wait localhost:8080 --timeout 60s
  svc-status decommission localhost:8080 --for 30m --reason 'kernel update'
  svc-status recommission localhost:8080
  svc-status help decommission`, '', `Exit codes:
  0 to 5  say how it went: see the help of a command
  64      wrong command line; nothing was asked
  70      a fault of this program
  74      the result could not be written
  130     interrupted by Ctrl-C, 143 by SIGTERM`, '', `Environment:
  SVC_STATUS_TOKEN     the token of decommission and recommission
  NO_COLOR             no colours
  FORCE_COLOR          1: colours also where stdout is no terminal
  NODE_EXTRA_CA_CERTS  a file of certificate authorities to trust as well`)

/**
 * Runs a command line to its end.
 *
 * @param args without the names of node and of the script
 * @returns what the process is to end with, once everything is written
 */
export async function run (args: readonly string[], world: World, all: readonly MakeCommand[] = commands): Promise<ExitCode> {
  const { stdout, stderr } = world
  const ending = new AbortController()
  const abort = (): void => ending.abort(world.signal.reason)
  if (world.signal.aborted) abort()
  world.signal.addEventListener('abort', abort)
  const unwritten: NodeJS.ErrnoException[] = []
  const failed = (error: NodeJS.ErrnoException): void => {
    unwritten.push(error)
    ending.abort(error)
  }
  stdout.on('error', failed)
  stderr.on('error', failed)
  try {
    const code = await runCommand(args, { ...world, signal: ending.signal }, all)
    await Promise.all([written(stdout), written(stderr)])
    // Whoever read it may have gone, as in `svc-status … | head`: they have seen enough.
    const lost = unwritten.find(({ code }) => code !== 'EPIPE')
    if (lost === undefined) return code
    stderr.write(`svc-status: the result could not be written: ${lost.code}\n`)
    return exitCodes.output
  } finally {
    world.signal.removeEventListener('abort', abort)
  }
}

async function runCommand (args: readonly string[], world: World, all: readonly MakeCommand[]): Promise<ExitCode> {
  const { stderr, signal } = world
  let code: ExitCode = exitCodes.OK
  try {
    await programOf(world, all, (said) => { code = said }).parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.OK : exitCodes.usage
    if (error instanceof UsageError) {
      stderr.write(`svc-status: ${error.message}\n`)
      return exitCodes.usage
    }
    if (!(error instanceof Interrupted)) {
      stderr.write(`svc-status: a fault of this program, please report it: ${(error as Error).stack}\n`)
      return exitCodes.fault
    }
    if (signal.reason === 'SIGINT' || signal.reason === 'SIGTERM') return exitCodes[signal.reason as 'SIGINT' | 'SIGTERM']
  }
  return code
}

function programOf (world: World, all: readonly MakeCommand[], exit: (code: ExitCode) => void): Command {
  const { stdout, stderr } = world
  const program = new Command('svc-status')
    .description('Asks services how they are, and takes them out of service.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('svc-status --help shows what there is')
    .configureOutput({
      writeOut: (text) => { stdout.write(text) },
      writeErr: (text) => { stderr.write(text) },
      outputError: (text, write) => write(`svc-status: ${harmless(text)}\n`),
      getOutHelpWidth: () => sizeOf(stdout).columns,
      getErrHelpWidth: () => sizeOf(stderr).columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false
    })
    .addHelpText('after', help)
  for (const make of all) {
    const command = make(world, exit).copyInheritedSettings(program)
    program.addCommand(command.showHelpAfterError(`svc-status help ${command.name()} shows how`))
  }
  for (const command of [program, ...program.commands]) refuseToken(command)
  return program
}

/** Every user of a machine can read the command lines of the others. */
function refuseToken (command: Command): void {
  command.addOption(new Option('--token [value]').hideHelp()).on('option:token', () => {
    throw new UsageError('a token is no argument, as every user of this machine can read a command line: set SVC_STATUS_TOKEN, or name a file that holds it with --token-file FILE. One that was given here is known now: change it')
  })
}

/** An error of commander, without the value of an option that it does not know: it may be a secret under a mistyped name. */
function harmless (text: string): string {
  return plain(text.replace(/^error: /, '')).replace(/^(unknown option '[^=]*)=.*'/, "$1'")
}

/** Once everything before is written, or cannot be. */
async function written (output: Output): Promise<void> {
  await new Promise<void>((resolve) => output.write('', () => resolve()))
}
