import { Command } from 'commander'
import { addresses, operatorsToken, orderCodes, teach } from '../help.js'
import { asOrder, give } from '../order.js'
import type { AskingOptions } from '../options.js'
import type { MakeCommand } from './index.js'

const help = teach(`Examples:
  svc-status recommission localhost:8080
  svc-status recommission https://a.example https://b.example \\
    --token-file ~/.svc-status-token`, '', addresses, '', orderCodes, '', operatorsToken)

/** Puts services back in service. */
export const recommission: MakeCommand = (world, exit) => asOrder(new Command('recommission'))
  .description('Puts services back in service: ends their decommission, whoever made it.')
  .addHelpText('after', help)
  .action(async (urls: string[], options: AskingOptions) => {
    await give({ query: { body: 'OK' }, done: 'is recommissioned' }, urls, options, world, exit)
  })
