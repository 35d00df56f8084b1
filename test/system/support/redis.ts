import { temporaryFolder } from './folder.js'
import { freePort } from '../../support/free-port.js'
import { peer } from './peers.js'
import { Program } from './programs.js'
import { until } from './until.js'

type Tap = Parameters<typeof Program.start>[0]

/** A Redis that can be killed and started again on its port, with a password, and with what it kept on its disk. */
export class RedisServer {
  readonly url: string
  readonly #t: Tap
  readonly #args: readonly string[]
  #program: Program | undefined

  static async start (t: Tap, { password = 'system-test', keeps = true } = {}): Promise<RedisServer> {
    const server = new RedisServer(t, await freePort(), password, await temporaryFolder(t), keeps)
    await server.start()
    return server
  }

  private constructor (t: Tap, port: number, password: string, folder: string, keeps: boolean) {
    this.url = `redis://:${password}@127.0.0.1:${port}`
    this.#t = t
    this.#args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--requirepass', password,
      '--save', '', '--appendonly', keeps ? 'yes' : 'no', '--appendfsync', 'always']
  }

  async start (): Promise<void> {
    this.#program = await Program.start(this.#t, peer('redis-server'), this.#args)
    await this.#program.says('that it is ready', ({ stdout }) => stdout.includes('Ready to accept connections') ? 'ready' : undefined)
  }

  signal (signal: NodeJS.Signals): void {
    this.#program?.signal(signal)
  }

  async kill (): Promise<void> {
    this.signal('SIGKILL')
    await until('Redis has ended', () => this.#program?.ended)
  }
}
