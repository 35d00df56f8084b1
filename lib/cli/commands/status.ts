import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { second } from '../../core/units.js'
import { writtenTime } from '../../core/written-time.js'
import { Interrupted } from '../exit.js'
import { addresses, readersToken, stateCodes, teach } from '../help.js'
import { paint, wantsColor, type Line } from '../lines.js'
import { requestTimeout, targetsOf, timeOf, tokenOptions, type AskingOptions } from '../options.js'
import { codeOf, documentOf, linesOf, readAll, type Outcome } from '../outcomes.js'
import { jsonText } from '../plain.js'
import { Screen } from '../screen.js'
import { tokenFor } from '../token.js'
import type { World } from '../world.js'
import type { MakeCommand } from './index.js'

interface StatusOptions extends AskingOptions {
  readonly json?: true
  /** True where no interval was given. */
  readonly watch?: string | true
}

const help = teach(`Examples:
  svc-status status localhost:8080
  svc-status status https://a.example https://b.example
  svc-status status localhost:8080 --watch 5s
  svc-status status localhost:8080 --json | jq .services[0].handlers`, '', addresses, '', stateCodes, '', readersToken)

/** Shows how services are. */
export const status: MakeCommand = (world, exit) => new Command('status')
  .description('Shows how services are: their handlers, the worst first, the whole, and whether they are in service.')
  .argument('[url...]', 'the services')
  .option('--json', 'one JSON document; with --watch one a line')
  .option('--watch [interval]', 'look again and again, every 2s by default, until Ctrl-C')
  .addOption(requestTimeout())
  .addOption(tokenOptions()[0])
  .addOption(tokenOptions()[1])
  .addHelpText('after', help)
  .action(async (given: string[], options: StatusOptions) => {
    const json = options.json === true
    const { interval, urls } = watched(options.watch, given)
    const targets = targetsOf(urls)
    const token = await tokenFor(targets, options.tokenFile, {}, options.tokenOverHttp)
    const look = async (): Promise<Outcome[]> => {
      const outcomes = await readAll(targets, { timeout: options.timeout, token, signal: world.signal })
      exit(codeOf(outcomes))
      return outcomes
    }
    if (interval === undefined) return show(await look(), json, world)
    await watch(look, interval, json, world)
  })

/** `--watch localhost:8080` means the service: what begins like a number without being a host is an interval. */
function watched (watch: StatusOptions['watch'], urls: readonly string[]): { interval?: number, urls: readonly string[] } {
  if (watch === undefined) return { urls }
  if (watch === true) return { interval: second(2).milliseconds, urls }
  const isInterval = writtenTime(watch) !== undefined || /^\d[^.:/]*$/.test(watch)
  return isInterval ? { interval: timeOf(watch, '--watch'), urls } : { interval: second(2).milliseconds, urls: [watch, ...urls] }
}

function show (outcomes: readonly Outcome[], json: boolean, world: World): void {
  const { stdout, stderr, clock } = world
  if (json) {
    stdout.write(`${jsonText(documentOf(outcomes, clock.now()), 2)}\n`)
    return
  }
  stdout.write(text(linesOf(outcomes.filter((outcome) => 'reading' in outcome)), world))
  for (const outcome of outcomes) {
    if ('failure' in outcome) stderr.write(`svc-status: ${outcome.target.base}: ${outcome.failure.message}\n`)
  }
}

function text (lines: readonly Line[], world: World): string {
  const colored = wantsColor(world)
  return lines.map((line) => `${paint(line, colored)}\n`).join('')
}

/** Until the program is to end, whatever becomes of the services; the exit code is that of the last look. */
async function watch (look: () => Promise<Outcome[]>, interval: number, json: boolean, world: World): Promise<void> {
  const { stdout, env, clock, signal } = world
  const screen = !json && stdout.isTTY === true && env.TERM !== 'dumb' ? new Screen(stdout, wantsColor(world)) : undefined
  let looks = 0
  try {
    for (;;) {
      const outcomes = await look()
      looks++
      const lines = [[{ text: `${new Date(clock.now()).toISOString().slice(0, 19).replace('T', ' ')} UTC, again every ${interval / 1_000} s` }], [], ...linesOf(outcomes)]
      if (screen !== undefined) screen.draw(lines)
      else stdout.write(json ? `${jsonText(documentOf(outcomes, clock.now()))}\n` : text([...lines, []], world))
      await pause(interval, undefined, { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
    if (looks === 0) throw new Interrupted()
  } finally {
    screen?.close()
  }
}
