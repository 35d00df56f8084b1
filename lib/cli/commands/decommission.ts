import { Command } from 'commander'
import { writtenTime } from '../../core/written-time.js'
import { newDecommission } from '../../probe/decommission.js'
import { UsageError } from '../exit.js'
import { addresses, operatorsToken, orderCodes, teach } from '../help.js'
import { asOrder, give } from '../order.js'
import type { AskingOptions } from '../options.js'
import { plain } from '../plain.js'
import type { MakeCommand } from './index.js'

interface DecommissionOptions extends AskingOptions {
  readonly body: string
  readonly reason?: string
  readonly for?: string
}

const help = teach(`Examples:
  svc-status decommission localhost:8080
  svc-status decommission localhost:8080 --for 30m --reason 'kernel update'
  svc-status decommission https://a.example https://b.example \\
    --token-file ~/.svc-status-token`, '', addresses, '', orderCodes, '', operatorsToken)

/** Takes services out of service. */
export const decommission: MakeCommand = (world, exit) => asOrder(new Command('decommission')
  .description('Takes services out of service: their probe answers 503, so that balancers send nobody there. They go on running.')
  .option('--body <text>', 'what the probe answers', 'OFF')
  .option('--reason <text>', 'why, for people; with who you are it is shown to others')
  .option('--for <time>', 'after how long it ends by itself, such as 30m; else when somebody recommissions'))
  .addHelpText('after', help)
  .action(async (urls: string[], options: DecommissionOptions) => {
    const { body, reason, for: time } = options
    check(options)
    const query = { body, ...time !== undefined && { for: time }, ...reason !== undefined && { reason } }
    const done = `is out of service: its probe answers ${plain(body)}${time === undefined ? '' : `, for ${time}`}`
    await give({ query, done }, urls, options, world, exit)
  })

/** As the service will, before it is sent to anybody. */
function check ({ body, reason, for: time }: DecommissionOptions): void {
  const length = time === undefined ? undefined : writtenTime(time)
  if (time !== undefined && (length === undefined || time.endsWith('ms'))) {
    throw new UsageError(`--for must be a whole number and a unit (s, m, h or d), such as 30m; it is ${plain(JSON.stringify(time), 60)}`)
  }
  try {
    newDecommission(body, { reason, for: length }, 0)
  } catch (error) {
    throw new UsageError(plain((error as Error).message))
  }
}
