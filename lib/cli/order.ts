import type { Command } from 'commander'
import { exitCodes, Failure, Interrupted, worstCode, type ExitCode } from './exit.js'
import { whatCame, whyNot } from './explain.js'
import { requestTimeout, targetsOf, tokenOptions, type AskingOptions } from './options.js'
import { ask, type Asking, type Reply } from './request.js'
import type { Target } from './target.js'
import { tokenFor } from './token.js'
import type { World } from './world.js'

const path = '/probe_status'

/** What services are told to do. */
export interface Order {
  /** For `POST /probe_status`; the reply has to be its `body`. */
  readonly query: Readonly<Record<string, string>> & { readonly body: string }
  /** What a service then is, after its address. */
  readonly done: string
}

/** The arguments and options that every order has. */
export function asOrder (command: Command): Command {
  const [file, overHttp] = tokenOptions()
  return command.argument('[url...]', 'the services').addOption(requestTimeout()).addOption(file).addOption(overHttp)
}

/** Tells all of them at once, and each of them as it comes what became of it: the failure of one hides nothing of the others. */
export async function give (order: Order, urls: readonly string[], options: AskingOptions, world: World, exit: (code: ExitCode) => void): Promise<void> {
  const { stdout, stderr, env, signal } = world
  const targets = targetsOf(urls)
  const token = await tokenFor(targets, options.tokenFile, env, options.tokenOverHttp)
  const codes = await Promise.all(targets.map(async (target) => {
    try {
      await tell(target, order, { timeout: options.timeout, token, signal })
      stdout.write(`${target.base} ${order.done}\n`)
      return exitCodes.OK
    } catch (error) {
      if (!(error instanceof Failure || error instanceof Interrupted)) throw error
      const { message, code } = error instanceof Failure ? error : { message: 'interrupted', code: exitCodes.unreachable }
      const unsure = error instanceof Interrupted || error.unsure ? `; whether it took effect is not known: svc-status status ${target.base} shows it` : ''
      stderr.write(`svc-status: ${target.base}: ${message}${unsure}\n`)
      return code
    }
  }))
  if (signal.aborted) throw new Interrupted()
  exit(worstCode(codes))
}

/** @throws Failure, Interrupted */
async function tell (target: Target, { query }: Order, asking: Asking): Promise<void> {
  const reply = await ask('POST', `${target.base}${path}?${new URLSearchParams(query).toString()}`, asking)
  if (reply.status !== 200) throw new Failure(exitCodes.refused, whyNotDone(reply, target, asking.token !== undefined))
  // Some servers answer 200 to everything.
  if (reply.body !== query.body) throw new Failure(exitCodes.unreachable, `${path} ${whatCame(reply)}, which is no answer of a probe_status; is it another service?`)
}

/** That a store failed, and nothing was changed, the service says itself. */
function whyNotDone (reply: Reply, target: Target, hasToken: boolean): string {
  const why = whyNot(reply, target, path, hasToken)
  return reply.status === 503 ? `${why}: try again, and see what svc-status status ${target.base} tells` : why
}
