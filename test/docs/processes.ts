import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** How long anything that a page shows may take before it counts as hanging. */
const patience = 30_000

/** The environment of a reader's terminal: without what npm and tap tell their scripts, and what the samples are configured by. */
export function readersEnvironment (): NodeJS.ProcessEnv {
  const ours = /^(npm_|SVC_STATUS_|(HOST|PORT|NO_COLOR|FORCE_COLOR|INIT_CWD|DB_FILE|UPSTREAM_URL|DRAIN_DELAY)$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command of a page while it runs, with what it wrote so far. */
export class Running {
  readonly process: ChildProcess
  readonly #ended: Promise<Ended>
  #closed = false
  stdout = ''
  stderr = ''

  /**
   * Runs a command by the shell, in a process group of its own, without the test runner's options for node: these are
   * samples, whose coverage nobody counts.
   */
  constructor (command: string, cwd: string, env: NodeJS.ProcessEnv) {
    this.process = spawn('sh', ['-c', `unset NODE_OPTIONS; ${command}`], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => { this.stdout += text })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
    this.#ended = once(this.process, 'close').then(([code]) => {
      this.#closed = true
      return { code, stdout: this.stdout, stderr: this.stderr }
    })
  }

  /** What came of it; one that hangs is killed. */
  async ended (): Promise<Ended> {
    const timer = setTimeout(() => this.signal('SIGKILL'), patience)
    try {
      return await this.#ended
    } finally {
      clearTimeout(timer)
    }
  }

  /** To the shell and everything that it started, as a terminal does it. */
  signal (signal: NodeJS.Signals): void {
    try {
      // Also when the shell has gone and what it started has not; closed means that nobody is left.
      if (!this.#closed) process.kill(-(this.process.pid as number), signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** Waits until something holds. Throws when it ends before, or when it takes too long. */
  async until (condition: () => boolean | Promise<boolean>, what: string, within = patience): Promise<void> {
    const end = Date.now() + within
    while (!await condition()) {
      const { exitCode, signalCode } = this.process
      if (exitCode !== null || signalCode !== null || Date.now() > end) {
        throw new Error(`${what}: not seen; exit code ${exitCode}\n${this.stdout}${this.stderr}`)
      }
      await pause(20)
    }
  }
}

export async function answersOn (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
