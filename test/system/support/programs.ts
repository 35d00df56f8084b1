import { spawn, type ChildProcess, type Serializable, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { until } from './until.js'

/** What the end of a process said: one of the two is null. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

type Teardown = { teardown (action: () => Promise<void>): unknown }

/** A program that a test starts and that does not outlive it. */
export class Program {
  readonly end: Promise<End>
  readonly #child: ChildProcess
  readonly #group: boolean
  #stdout = ''
  #stderr = ''

  private constructor (child: ChildProcess, group: boolean) {
    this.#child = child
    this.#group = group
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { this.#stdout += text })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#stderr += text })
    // 'close' comes when all output has been read, which may be after the process is gone.
    this.end = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  }

  /** @param options.detached a process group of its own, which gets all signals: `npm start` with its shell and its node */
  static async start (t: Teardown, command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Program> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, env: environment(options.env) })
    const program = new Program(child, options.detached === true)
    await once(child, 'spawn')
    t.teardown(() => program.#stop())
    return program
  }

  get stdout (): string {
    return this.#stdout
  }

  get stderr (): string {
    return this.#stderr
  }

  get ended (): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Whether somebody was there to get it. */
  signal (signal: NodeJS.Signals): boolean {
    if (!this.#group) return this.#child.kill(signal)
    try {
      return process.kill(-(this.#child.pid as number), signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
      throw error
    }
  }

  /** Sends it a message, and gives its answer: for a node that was started with an `ipc` channel. */
  async ask (message: Serializable): Promise<unknown> {
    const answer = once(this.#child, 'message').then(([answer]) => answer as unknown)
    this.#child.send(message)
    return await Promise.race([answer, this.end.then(() => { throw new Error(`the program ended before it answered\n${this.#stderr}`) })])
  }

  /** Waits until it has said something; one that ends before is an error that shows what it said instead. */
  async says (what: string, look: (program: this) => string | undefined, within?: number): Promise<string> {
    const said = await until(what, () => look(this) ?? (this.ended && null), { within })
    if (said === null) throw new Error(`the program ended before it said ${what}\n${this.#stdout}\n${this.#stderr}`)
    return said
  }

  /** Ends what is left of it when the test is over: politely, so that it can clean up, and then not. */
  async #stop (): Promise<void> {
    if (!this.signal('SIGTERM')) return
    const late = setTimeout(() => this.signal('SIGKILL'), 5_000)
    await this.end
    clearTimeout(late)
    if (this.#group) this.signal('SIGKILL')
  }
}

/** Runs a program to its end. */
export async function run (t: Teardown, command: string, args: readonly string[], options: SpawnOptions & { input?: string } = {}): Promise<End & { stdout: string, stderr: string }> {
  const { input, ...rest } = options
  const child = spawn(command, args, { ...rest, stdio: ['pipe', 'pipe', 'pipe'], env: environment(rest.env) })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  t.teardown(async () => { child.kill('SIGKILL') })
  child.stdin.end(input)
  const [code, signal] = await once(child, 'close')
  return { code, signal, stdout, stderr }
}

/** What a shell would give: nothing of the test runner's and of the npm that runs it. */
function environment (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|TAP|_TAPJS|SVC_STATUS_|PORT$|HOST$|DB_FILE$|UPSTREAM_URL$|DRAIN_DELAY$|INIT_CWD$|FORCE_COLOR$|NO_COLOR$)/i.test(name))
  // What runs from dist/ must not count for the coverage of lib/.
  return { ...Object.fromEntries(kept), _TAPJS_PROCESSINFO_COVERAGE_: '0', ...more }
}
