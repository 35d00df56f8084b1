import { fileURLToPath } from 'node:url'
import { Program } from './programs.js'
import { until } from './until.js'

type Tap = Parameters<typeof Program.start>[0]

const file = fileURLToPath(new URL('./instance.ts', import.meta.url))
// Of what the test runner loads, the part that reads TypeScript.
const loader = process.execArgv.filter((option) => option.includes('support/typescript.js'))
const token = 'system-test'

/** An instance that can be stopped and started again on its port. */
export class Instance {
  readonly origin: string
  readonly #start: () => Promise<Program>
  #program: Program | undefined

  constructor (t: Tap, name: string, port: number, drainDelay: number, more: NodeJS.ProcessEnv = {}) {
    this.origin = `http://127.0.0.1:${port}`
    const env = { NAME: name, PORT: String(port), TOKEN: token, DRAIN_DELAY: String(drainDelay), ...more }
    this.#start = async () => await Program.start(t, process.execPath, [...loader, file], { env })
  }

  async start (): Promise<void> {
    this.#program = await this.#start()
    await this.#program.says('its address', ({ stdout }) => stdout === '' ? undefined : stdout)
  }

  /** Ends it as a process manager does, which has less patience than a kept connection: that may last 72 s. */
  async stop (): Promise<void> {
    const program = this.#program as Program
    program.signal('SIGTERM')
    await until('the instance has ended', () => program.ended, { within: 20_000 })
    const { code, signal } = await program.end
    if (code !== 0) throw new Error(`the instance ended with ${code ?? signal}: ${program.stderr}`)
  }

  async post (query: string): Promise<number> {
    const reply = await fetch(`${this.origin}/probe_status${query}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    return reply.status
  }
}
