import { open } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { FastifyBaseLogger } from 'fastify'
import type { Fleet, FleetOptions, WatchedApp } from '../../../types/healthchecker.js'
import { isOpenToAll } from '../../core/open-to-all.js'
import { worst } from '../../core/state.js'
import { configFileOf, readConfig, type ConfigInput, type Settings } from '../../healthchecker/config.js'
import { configOptions, type ConfigOption, type OptionName } from '../../healthchecker/config-options.js'
import { WatchedFleet } from '../../healthchecker/fleet.js'
import { urlOf } from '../../healthchecker/registration-target.js'
import { Healthchecker } from '../../healthchecker/server.js'
import { memoryFleetStore } from '../../healthchecker/stores/memory-fleet-store.js'
import { sqliteFleetStore } from '../../healthchecker/stores/sqlite-fleet-store.js'
import { everywhere } from '../everywhere.js'
import { exitCodes, UsageError } from '../exit.js'
import { teach } from '../help.js'
import { aligned, paint, wantsColor, type Line } from '../lines.js'
import { plain } from '../plain.js'
import { printConfig } from '../print-config.js'
import { mailOf, tokenOf } from '../serve-secrets.js'
import type { World } from '../world.js'
import type { MakeCommand } from './index.js'

/** Makes the fleet of a healthchecker that keeps what it knows in a file, or nowhere for `:memory:`. */
export type MakeFleet = (store: string, options: Pick<FleetOptions, 'allowTargets' | 'maxApps' | 'owe' | 'logger'>) => Fleet

const makeFleet: MakeFleet = (store, options) => new WatchedFleet({ ...options, store: store === ':memory:' ? memoryFleetStore() : sqliteFleetStore(store) })

const help = teach(`Examples:
  svc-status serve
  svc-status serve -p 3000 --store /var/lib/svc-status/healthchecker.db
  svc-status serve --bind-addr 0.0.0.0 --token-file /etc/svc-status/token
  svc-status serve --print-config
  svc-status serve --test`, '', `Every option is also taken from the environment, and from the config file, one
name=value a line. The command line goes before the environment, the environment
before the file, and the file before the default:
${variables()}`, '', `Secrets come from files or from the environment, never from an argument: those
can be read by every user of the machine. SVC_STATUS_TOKEN is the token,
SVC_STATUS_SMTP_URL the mail server, GMAIL_TOKEN the app password of a Gmail
account.`, '', `Exit codes:
  0   ended by SIGINT or SIGTERM; with --test: all apps are OK
  1   with --test: one is YELLOW
  2   with --test: one is RED
  64  wrong command line, environment or config file
  69  it could not begin: port taken, or its store locked or unreadable`)

/** The healthchecker: watches apps, until it is told to end. */
export function serveWith (makeFleet: MakeFleet): MakeCommand {
  return (world, exit) => {
    const command = new Command('serve')
      .description('Watches other apps: they register, are checked, and are shown on a status page.')
      .addHelpText('after', help)
    for (const option of configOptions) {
      if ('secret' in option) refuseSecret(command, option)
      else command.addOption(commandOption(option))
    }
    return command.action(async () => {
      const settings = await settingsOf(command, world)
      const at = <T>(name: OptionName): T => settings.get(name)?.value as T
      if (at('print-config')) {
        world.stdout.write(printConfig(settings))
        return
      }
      const log = await logger(world, at('debug') ? 'debug' : at('verbose') ? 'info' : 'warn')
      const mailer = await usage(async () => await mailOf(settings, log))
      const fleet = makeFleet(at('store'), { allowTargets: allowed(at('allow-targets')), maxApps: at('max-apps'), owe: mailer?.owe, logger: log })
      if (at('test')) return exit(exitCodes[await begin(world, exit, async () => await testOnce(fleet, world)) ?? 'unavailable'])
      const checker = await usage(async () => new Healthchecker({
        fleet,
        host: at('bind-addr'),
        port: at('port'),
        token: await tokenOf(settings),
        open: at('open'),
        announce: at('announce'),
        mailAllow: at('mail-allow'),
        mailer,
        fastify: { loggerInstance: log }
      }))
      const address = await begin(world, exit, async () => await checker.listen())
      if (address === undefined) return
      const others = everywhere(at('bind-addr'), address)
      world.stdout.write(`${address}\n${others === undefined ? '' : `${others}\n`}watching ${fleet.size} ${fleet.size === 1 ? 'app' : 'apps'}, kept in ${plain(at('store'))}\n`)
      await aborted(world.signal)
      await checker.close()
    })
  }
}

function commandOption ({ name, short, value, description, usual, kind }: ConfigOption): Option {
  const flags = `${short === undefined ? '' : `-${short}, `}--${usual === true ? 'no-' : ''}${name}`
  const option = new Option(value === undefined ? flags : `${flags} <${value}>`, usual === true ? `do not ${description}` : description)
  // The last of two would silently take the place of the first.
  return kind === 'list' ? option.argParser((text: string, before: readonly string[] = []) => [...before, text]) : option
}

/** Named only to be refused: one that was merely unknown would invite another try. That of the token is refused by every command. */
function refuseSecret (command: Command, { name, env }: ConfigOption): void {
  if (name === 'token') return
  command.addOption(new Option(`--${name} [value]`).hideHelp()).on(`option:${name}`, () => {
    const file = name === 'smtp-url' ? ', or name a file that holds it with --smtp-url-file FILE' : ''
    throw new UsageError(`--${name} is no argument, as every user of this machine can read a command line: set ${env}${file}. One that was given here is known now: change it`)
  })
}

function variables (): string {
  const named = (configOptions as readonly ConfigOption[]).filter(({ env, secret = false }) => env !== '' && !secret)
  return named.map(({ name, env }) => `  ${name.padEnd(16)}${env}`).join('\n')
}

async function settingsOf (command: Command, world: World): Promise<Settings> {
  const args: Record<string, string | boolean | readonly string[]> = {}
  for (const { name } of configOptions) {
    const attribute = name.replace(/-./g, (text) => text[1].toUpperCase())
    if (command.getOptionValueSource(attribute) === 'cli') args[name] = command.getOptionValue(attribute) as string | boolean | readonly string[]
  }
  const { env } = world
  return await usage(async () => readConfig({ args, env, file: await configFile(configFileOf({ args, env })) }))
}

async function configFile ({ name, required }: { name: string, required: boolean }): Promise<ConfigInput['file']> {
  try {
    const file = await open(name)
    try {
      return { name, text: await file.readFile('utf8'), open: isOpenToAll(await file.stat()) }
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    // A folder of that name is somebody else's.
    if (!required && (code === 'ENOENT' || code === 'EISDIR')) return undefined
    throw new UsageError(`the config file ${plain(name, 200)} cannot be read: ${code}`)
  }
}

/** What is wrong with an option is wrong with the command line. */
async function usage<T> (make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    const { code, message } = error as { code?: unknown, message: string }
    if (code === 'ERR_INVALID_OPTION' || code === 'ERR_OPTION_OUT_OF_RANGE' || code === 'ERR_UNKNOWN_OPTION') throw new UsageError(plain(message, 1_000))
    throw error
  }
}

/** What keeps it from beginning, in words; nothing then. */
async function begin<T> ({ stderr }: World, exit: Parameters<MakeCommand>[1], start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start()
  } catch (error) {
    const { code, message, cause } = error as Error & { code?: unknown }
    if (typeof code !== 'string') throw error
    stderr.write(`svc-status: ${plain(message, 1_000)}${cause instanceof Error ? ` (${plain(cause.message, 1_000)})` : ''}${code === 'EADDRINUSE' ? '. Another program listens there: --port chooses another port' : ''}\n`)
    exit(exitCodes.unavailable)
  }
}

async function logger ({ stderr }: World, level: string): Promise<FastifyBaseLogger> {
  const { fastify } = await import('fastify')
  return fastify({ logger: { level, stream: { write: (line: string) => { stderr.write(line) } } } }).log
}

function allowed (networks: readonly string[]): readonly string[] | undefined {
  return networks.length === 0 ? undefined : networks
}

async function testOnce (fleet: Fleet, world: World): Promise<'OK' | 'YELLOW' | 'RED'> {
  try {
    await fleet.checkOnce()
    const apps = [...fleet]
    const colored = wantsColor(world)
    for (const line of tableOf(apps)) world.stdout.write(`${paint(line, colored)}\n`)
    return apps.map(({ status }) => status.state).reduce(worst, 'OK')
  } finally {
    await fleet.close()
  }
}

function tableOf (apps: readonly WatchedApp[]): readonly Line[] {
  if (apps.length === 0) return [[{ text: 'no app is registered' }]]
  return aligned([['NAME', 'STATE', 'TOOK', 'ADDRESS', 'DETAIL'].map((text) => ({ text })), ...apps.map(rowOf)])
}

function rowOf ({ registration, state, status, paused, lastCheck }: WatchedApp): Line {
  return [
    { text: plain(registration.name) },
    { text: paused === undefined ? state : 'PAUSED', color: status.state },
    { text: lastCheck === undefined ? '-' : `${Math.round(lastCheck.duration)} ms` },
    { text: plain(urlOf(registration)) },
    { text: plain(lastCheck?.error ?? status.detail ?? '') }
  ]
}

/** The healthchecker with the real fleet. */
export const serve = serveWith(makeFleet)

async function aborted (signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
