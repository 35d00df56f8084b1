import { Command, Option } from 'commander'
import type { State } from '../../../types/status.js'
import { isState, OK } from '../../core/state.js'
import { minute, second } from '../../core/units.js'
import { waitUntil } from '../../core/wait-until.js'
import { exitCodes, Interrupted, UsageError, worstCode, type ExitCode } from '../exit.js'
import { addresses, readersToken, teach } from '../help.js'
import { targetsOf, timeOption, tokenOptions, type AskingOptions } from '../options.js'
import { readOne, type Outcome } from '../outcomes.js'
import { plain } from '../plain.js'
import { stateOf } from '../reading.js'
import type { Target } from '../target.js'
import { tokenFor } from '../token.js'
import type { World } from '../world.js'
import type { MakeCommand } from './index.js'

interface WaitOptions extends AskingOptions {
  readonly state: State
  readonly name?: string
}

/** How long one answer may take, in milliseconds: a service that hangs may have been restarted meanwhile. */
const longestAnswer = second(10).milliseconds

const help = teach(`Examples:
  svc-status wait localhost:8080
  svc-status wait localhost:8080 --state OK --timeout 5m --name database
  svc-status wait https://a.example https://b.example --timeout 90s`, '', addresses, '', `Exit codes; of several services the highest counts:
  0  each of them was in that state
  3  the time was over, and the last try got no answer
  5  the time was over, and it was in another state, or has no such handler
  64 wrong command line; nothing was asked`, '', readersToken)

/** Waits until services are in a state. */
export const wait: MakeCommand = (world, exit) => new Command('wait')
  .description('Waits until a service, or a handler of it, is in a state; asks every second, also while the service is away.')
  .argument('[url...]', 'the services')
  .addOption(new Option('--state <state>', 'OK (or GREEN), YELLOW or RED').default(OK).argParser(stateOption))
  .addOption(timeOption('--timeout', 'for how long').default(minute(1).milliseconds, '60s'))
  .option('--name <handler>', 'wait for this handler instead of the whole')
  .addOption(tokenOptions()[0])
  .addOption(tokenOptions()[1])
  .addHelpText('after', help)
  .action(async (urls: string[], options: WaitOptions) => {
    const targets = targetsOf(urls)
    const token = await tokenFor(targets, options.tokenFile, {}, options.tokenOverHttp)
    exit(worstCode(await Promise.all(targets.map((target) => waitFor(target, options, token, world)))))
  })

function stateOption (text: string): State {
  const word = text.toUpperCase()
  if (isState(word)) return word
  if (word === 'GREEN') return OK
  throw new UsageError(`--state must be OK, YELLOW or RED; it is ${plain(JSON.stringify(text), 60)}`)
}

async function waitFor (target: Target, { state, timeout, name = target.handler }: WaitOptions, token: string | undefined, world: World): Promise<ExitCode> {
  const { stdout, stderr, clock, signal } = world
  const what = name === undefined ? target.base : `${plain(name, 100)} of ${target.base}`
  const started = clock.monotonic()
  // Ends the question under way when the time is over.
  const over = new AbortController()
  const end = (): void => over.abort(new Interrupted())
  signal.addEventListener('abort', end)
  let last: Outcome | undefined
  const asked = async (): Promise<boolean> => {
    last = await readOne(target, { timeout: Math.min(timeout, longestAnswer), token, signal: over.signal })
    return stateIn(last, name) === state
  }
  let reached = false
  try {
    reached = await waitUntil(asked, { interval: second(1), timeout, signal: over.signal })
  } finally {
    signal.removeEventListener('abort', end)
    end()
    const seconds = Math.round((clock.monotonic() - started) / 1_000)
    if (reached) stdout.write(`${what} is ${state}, after ${seconds} s\n`)
    else stderr.write(`svc-status: ${what} did not become ${state} in ${seconds} s: ${lastSeen(last, name)}\n`)
  }
  if (reached) return exitCodes.OK
  return last !== undefined && 'reading' in last ? exitCodes.late : exitCodes.unreachable
}

function stateIn (outcome: Outcome, name: string | undefined): State | undefined {
  if ('failure' in outcome) return undefined
  const { state, handlers } = outcome.reading
  if (name === undefined) return state
  return Object.hasOwn(handlers, name) ? stateOf(handlers[name]) : undefined
}

function lastSeen (outcome: Outcome | undefined, name: string | undefined): string {
  if (outcome === undefined) return 'there was no answer yet'
  if ('failure' in outcome) return `at last ${outcome.failure.message}`
  const { state, handlers } = outcome.reading
  const worse = Object.keys(handlers).filter((one) => stateOf(handlers[one]) === state)
  if (name === undefined) return `at last it was ${state}${state === OK ? '' : `: ${some(worse)}`}`
  if (!Object.hasOwn(handlers, name)) return `it has no handler of that name, but ${some(Object.keys(handlers)) || 'none'}`
  const { state: word, detail } = handlers[name]
  return `at last it was ${plain(word, 20)}${typeof detail === 'string' ? `: ${plain(detail, 200)}` : ''}`
}

function some (names: readonly string[]): string {
  const more = names.length - 10
  return names.slice(0, 10).map((name) => plain(name, 100)).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
