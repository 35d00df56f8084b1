import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { readersEnvironment, Running } from './processes.js'
import { root } from './sources.js'

/** What a page's `sh` blocks act on. */
export interface Shell {
  readonly folder: string
  env: NodeJS.ProcessEnv
  /** Starts a sample that the page showed before, again where it runs already. */
  start (file: string): Promise<void>
}

interface Command {
  readonly pattern: RegExp
  /** Why that is enough. */
  readonly covered: string
  readonly check: (match: RegExpExecArray, shell: Shell) => void | Promise<void>
}

const { name, scripts, devDependencies, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Every command that a page may tell the reader to type, and how it is known to work. */
const commands: readonly Command[] = [
  {
    pattern: /^npm ci && npm start$/,
    covered: 'npm ci brought what this runs on, and the build before npm start is the build before npm test; the rest is run',
    check: async () => {
      equal(scripts.prestart, scripts.pretest)
      await startAndStop()
    }
  },
  {
    pattern: /^npm ci && npm test$/,
    covered: 'it is what runs this',
    check: () => equal(scripts.test, 'tap')
  },
  {
    pattern: /^npm (?:run )?(\S+)$/,
    covered: 'there is such a script; .ci/run runs them all but the bench, which prints figures',
    check: ([, script]) => { if (scripts[script] === undefined) throw new Error(`package.json has no script "${script}"`) }
  },
  {
    pattern: /^npm install ((?:\S+ ?)+)$/,
    covered: 'test/pack installs the packed package beside fastify; here both are linked, so that the page goes on as after an installation',
    check: ([, packages], { folder }) => install(packages.split(' '), folder)
  },
  {
    pattern: /^npm (?:init --yes|pkg set type=module)$/,
    covered: 'it is run',
    check: async ([command], { folder, env }) => {
      // Without a package.json of its own, npm would change that of the checkout.
      if (!command.startsWith('npm init') && !existsSync(join(folder, 'package.json'))) throw new Error('there is no package.json yet')
      await run(command, folder, env)
    }
  },
  {
    pattern: /^export ([A-Z_]+)=(.*)$/,
    covered: 'the shell is asked for the value, and every later command has it',
    check: async ([command, variable], shell) => {
      shell.env = { ...shell.env, [variable]: await run(`${command} && printf %s "$${variable}"`, shell.folder, shell.env) }
    }
  },
  {
    pattern: /^cp -r node_modules\/fastify-svc-status\/(\S+) \S+$/,
    covered: 'it is run; what is linked there is the checkout, and test/pack sees that the package holds the folder',
    check: async ([command, packed], { folder, env }) => {
      if (!files.includes(packed)) throw new Error(`package.json does not pack ${packed}`)
      await run(command, folder, env)
    }
  },
  {
    pattern: /^(?:promtool (?:check config|check rules|test rules) |amtool check-config |(?:prometheus|alertmanager) --config\.file=)(\S+)$/,
    covered: 'the file is where the page has put it; test/system/alerting.test.ts runs the programs with those files',
    check: ([, file], { folder }) => { if (!existsSync(join(folder, file))) throw new Error(`there is no ${file}`) }
  },
  {
    pattern: /^node (\S+)$/,
    covered: 'the sample of that name is started',
    check: async ([, file], shell) => await shell.start(file)
  }
]

/** @throws where a command is unknown or does not do what the page says */
export async function checkCommand (line: string, shell: Shell): Promise<void> {
  for (const { pattern, check } of commands) {
    const match = pattern.exec(line)
    if (match !== null) return await check(match, shell)
  }
  throw new Error(`nothing is known of the command "${line}": test/docs/commands.ts holds how each is covered`)
}

function equal (actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
}

async function run (command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await new Running(command, cwd, env).ended()
  if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stdout}${stderr}`)
  return stdout
}

function install (packages: readonly string[], folder: string): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  for (const one of packages) {
    if (one !== name && devDependencies[one] === undefined) throw new Error(`${one} is neither this package nor one it is tested with`)
    const link = join(folder, 'node_modules', one)
    if (!existsSync(link)) symlinkSync(one === name ? root : join(root, 'node_modules', one), link)
  }
}

/** `npm start` without the build before it, which would take dist away from everything that runs now. */
async function startAndStop (): Promise<void> {
  const example = new Running('exec npm start --ignore-scripts', root, { ...readersEnvironment(), PORT: '0', DRAIN_DELAY: '10' })
  try {
    let address: string | undefined
    await example.until(() => {
      address = /^http:\/\/127\.0\.0\.1:\d+\/svc_status$/m.exec(example.stdout)?.[0]
      return address !== undefined && /\/live_status\n/.test(example.stdout)
    }, 'the addresses of npm start')
    for (const [shown] of example.stdout.matchAll(/^http:\S+$/gm)) equal((await fetch(shown)).status, 200)
  } finally {
    example.signal('SIGINT')
  }
  const { stderr } = await example.ended()
  // A line of a stack trace; npm itself may complain that the script was interrupted.
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) throw new Error(`npm start did not stop cleanly:\n${stderr}`)
}
