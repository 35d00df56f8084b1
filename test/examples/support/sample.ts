import { fileURLToPath } from 'node:url'
import { checkout } from '../../system/support/example.js'
import { Program, type End } from '../../system/support/programs.js'
import { until } from '../../system/support/until.js'
import { Backend } from '../../support/backend.js'

type Teardown = Parameters<typeof Program.start>[0]

const fakeTime = fileURLToPath(new URL('./fake-time.js', import.meta.url))

/** A sample of `docs/examples` as a user runs it, but for its time, and the backend that it watches. */
export class Sample {
  readonly backend: Backend
  readonly address: string
  readonly #program: Program

  private constructor (backend: Backend, program: Program, address: string) {
    this.backend = backend
    this.#program = program
    this.address = address
  }

  /** @param more arguments between the backend's address and the sample's own port */
  static async start (t: Teardown, name: string, ...more: string[]): Promise<Sample> {
    const backend = await Backend.start(t)
    const args = [`dist/docs/examples/${name}.js`, '127.0.0.1', String(backend.port), ...more, '0']
    const program = await Program.start(t, process.execPath, ['--import', fakeTime, ...args], { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    const address = await program.says('its address', ({ stdout }) => /^(http:\S+)\n/.exec(stdout)?.[1])
    return new Sample(backend, program, address)
  }

  /** What so many requests are answered, one after the other, as in `503 FAIL`. */
  async answers (count: number, init?: RequestInit): Promise<string[]> {
    const answers: string[] = []
    for (let asked = 0; asked < count; asked++) {
      const reply = await fetch(this.address, init)
      answers.push(`${reply.status} ${await reply.text()}`)
    }
    return answers
  }

  async post (headers: { authorization?: string } = {}): Promise<Response> {
    return await fetch(this.address, { method: 'POST', headers })
  }

  /** Lets so many milliseconds pass for the sample. */
  async pass (milliseconds: number): Promise<void> {
    await this.#program.ask(milliseconds)
  }

  /** Waits until the sample has a timer that goes off in so many milliseconds of its time. */
  async waitsFor (milliseconds: number): Promise<void> {
    let timers: unknown
    const what = `the sample waits for ${milliseconds} ms`
    await until(what, async () => {
      timers = await this.#program.ask(0)
      return (timers as number[]).includes(milliseconds)
    }, { every: 2 }).catch((cause) => { throw new Error(`${what}, but for ${JSON.stringify(timers)}`, { cause }) })
  }

  /** Ends it as an operator does: what came of it, and what it complained of. */
  async stop (): Promise<End & { stderr: string }> {
    this.#program.signal('SIGTERM')
    await until('the sample has ended', () => this.#program.ended)
    return { ...await this.#program.end, stderr: this.#program.stderr }
  }
}
