import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

export const usage = `npm run bench -- [options]

  --only WORD      only groups and rows with WORD in their id; may be repeated
  --launches N     fresh processes per figure (default 3)
  --rounds N       rounds per launch (default 9)
  --quick          one launch, three rounds: for a first look, not for a claim
  --library DIR    measure another build of the library (default dist/lib)
  --cpu-prof DIR   write a CPU profile of every measured process there
  --list           print the ids and stop
  --help           print this and stop
`

/** The options of the command line; throws at one that there is not. */
export function readOptions (argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      launches: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      library: { type: 'string' },
      'cpu-prof': { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const { quick } = values
  return {
    only: values.only,
    quick,
    launches: positive(values.launches, 'launches') ?? (quick ? 1 : 3),
    rounds: positive(values.rounds, 'rounds') ?? (quick ? 3 : 9),
    library: values.library === undefined
      ? new URL('../../../dist/lib/', import.meta.url).href
      : pathToFileURL(`${values.library}/`).href,
    profiles: values['cpu-prof'],
    list: values.list,
    help: values.help
  }
}

function positive (text, option) {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${option} must be a whole number above 0, not ${text}`)
  return number
}
