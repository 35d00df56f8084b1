import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { checkCommand, type Shell } from './commands.js'
import { at, type Block } from './markdown.js'
import { freePort } from '../support/free-port.js'
import { answersOn, readersEnvironment, Running, type Ended } from './processes.js'
import { checkYaml } from './yaml.js'

/** The port that samples are written with; a free one takes its place. */
const writtenPort = /\b3000\b/g

const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true }

/** Runs the blocks of a page one after the other, in a folder of its own. */
export class Page implements Shell {
  readonly folder: string
  env: NodeJS.ProcessEnv
  readonly #paths: readonly string[]
  readonly #samples = new Map<string, Block>()
  readonly #port: number
  #server: { readonly running: Running, readonly sample: Block } | undefined
  #last: { readonly stdout: string } | undefined

  /** @param paths the values of PATH to try commands with `curl` with; others have the first */
  static async open (folder: string, paths: readonly string[]): Promise<Page> {
    return new Page(folder, paths, await freePort())
  }

  private constructor (folder: string, paths: readonly string[], port: number) {
    this.folder = folder
    this.#paths = paths
    this.#port = port
    this.env = { ...readersEnvironment(), npm_config_update_notifier: 'false' }
  }

  /** @throws an error that names file and line where a block does not do what the page says */
  async run (block: Block): Promise<void> {
    try {
      await this.#run(block)
    } catch (error) {
      const { message } = error as Error
      throw new Error(message.startsWith(`${block.file}:`) ? message : `${at(block)}: ${message}`)
    }
  }

  async #run (block: Block): Promise<void> {
    switch (block.language) {
      case 'js': case 'ts': return await this.#sample(block)
      case 'text': return await this.#output(block.text)
      case 'console': return await this.#console(block.text)
      case 'sh':
        for (const line of block.text.trim().split('\n')) await checkCommand(line, this)
        return
      case 'yaml': return checkYaml(block.text)
      default: throw new Error(`a block of "${block.language}" cannot be run or checked; js, ts, text, console, sh and yaml can`)
    }
  }

  async #sample (block: Block): Promise<void> {
    const { name = `sample-${block.line}.${block.language}`, text } = block
    const code = text.replace(writtenPort, String(this.#port))
    const file = join(this.folder, name)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, code)
    const script = name.replace(/\.ts$/, '.js')
    if (script !== name) writeFileSync(join(this.folder, script), ts.transpileModule(code, { compilerOptions }).outputText)
    this.#samples.set(script, block)
    await this.start(script)
  }

  async start (script: string): Promise<void> {
    const sample = this.#samples.get(script)
    if (sample === undefined) throw new Error(`the page has not shown a file ${script} yet`)
    // Any other port is the sample's own business.
    if (sample.text.includes('.listen(') && sample.text.match(writtenPort) !== null) {
      await this.stop()
      const server = new Running(`exec "${process.execPath}" "${script}"`, this.folder, this.env)
      this.#server = { running: server, sample }
      this.#last = server
      await server.until(() => answersOn(this.#port), `${script} answers on its port`)
      return
    }
    const ended = await new Running(`exec "${process.execPath}" "${script}"`, this.folder, this.env).ended()
    checkEnd(ended, script)
    this.#last = ended
  }

  async serve (command: string): Promise<void> {
    await this.stop()
    const server = new Running(`exec ${command.replace(writtenPort, String(this.#port))}`, this.folder, { ...this.env, PATH: this.#paths[0] })
    this.#server = { running: server, sample: { file: command, line: 1, language: 'sh', name: undefined, text: 'ends at SIGTERM' } }
    this.#last = server
    await server.until(() => answersOn(this.#port), `${command} answers on its port`)
  }

  /** What the sample before wrote; a server may write it only after something was asked of it. */
  async #output (expected: string): Promise<void> {
    if (this.#last === undefined) throw new Error('this output belongs to no sample')
    const last = this.#last
    const shown = (): string => this.#asWritten(last.stdout)
    if (last instanceof Running) await last.until(() => firstDifference(shown(), expected) === undefined, `its output\n${expected}instead of`, 10_000)
    else compare(shown(), expected)
  }

  /** Each command with the output that the page shows below it, with every curl there is. */
  async #console (text: string): Promise<void> {
    if (!text.startsWith('$ ')) throw new Error('a console block begins with "$ " and a command')
    for (const part of text.split(/^\$ /m).slice(1)) {
      const [, command, expected] = /^((?:.*\\\n)*.*)\n([\s\S]*)$/.exec(part) as RegExpExecArray
      for (const PATH of command.includes('curl ') ? this.#paths : [this.#paths[0]]) {
        const env = { ...this.env, PATH }
        // Errors stand where a terminal shows them.
        const { stdout } = await new Running(`exec 2>&1; ${command.replace(writtenPort, String(this.#port))}`, this.folder, env).ended()
        compare(this.#asWritten(stdout), expected, `${command}\n`)
      }
    }
  }

  #asWritten (text: string): string {
    return text.replaceAll('\r\n', '\n').replace(new RegExp(`\\b${this.#port}\\b`, 'g'), '3000')
  }

  /** Leaves nothing running, whatever it is up to. */
  async abandon (): Promise<void> {
    this.#server?.running.signal('SIGKILL')
    await this.#server?.running.ended()
  }

  /** Ends the server that runs. One that says what it does at SIGTERM has to do it well. */
  async stop (): Promise<void> {
    if (this.#server === undefined) return
    const { running, sample } = this.#server
    this.#server = undefined
    const clean = sample.text.includes('SIGTERM')
    running.signal(clean ? 'SIGTERM' : 'SIGKILL')
    const { code, stderr } = await running.ended()
    if (stderr !== '' || (clean && code !== 0)) throw new Error(`${at(sample)}: the server that was stopped: exit code ${code}\n${stderr}`)
  }
}

function checkEnd ({ code, stderr }: Ended, what: string): void {
  if (code !== 0 || stderr !== '') throw new Error(`${what}: exit code ${code}\n${stderr}`)
}

function compare (actual: string, expected: string, command = ''): void {
  const difference = firstDifference(actual, expected)
  if (difference !== undefined) throw new Error(`${command}the page shows\n${difference.expected}\nbut it is\n${difference.actual}`)
}

function firstDifference (actual: string, expected: string): { actual: string, expected: string } | undefined {
  const real = actual.trimEnd().split('\n')
  const shown = expected.trimEnd().split('\n')
  for (let index = 0; index < Math.max(real.length, shown.length); index++) {
    const line = { actual: real[index] ?? '(nothing more)', expected: shown[index] ?? '(nothing more)' }
    if (real[index] === undefined || shown[index] === undefined || !matches(real[index], shown[index])) return line
  }
}

/** `…` stands for any characters of a line: times, durations, tokens. */
function matches (line: string, shown: string): boolean {
  const pattern = shown.split('…').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')
  return new RegExp(`^${pattern}$`).test(line)
}
