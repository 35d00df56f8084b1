import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'

interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  readonly answer: string
}

const asks: readonly Ask[] = [
  { method: 'GET', path: '/quick', answer: 'quick' },
  { method: 'POST', path: '/posted', body: '{"posted":true}', answer: '{"posted":true}' },
  { method: 'GET', path: '/slow', answer: 'slow' },
  { method: 'GET', path: '/streamed', answer: 'streamed'.repeat(4) }
]

/** Clients with a kept connection each, which ask on and on and count. Nothing is asked a second time. */
export class Load {
  total = 0
  /** Connections that were opened, over all clients. */
  connections = 0
  readonly failures: string[] = []
  /** How many replies each instance gave. */
  readonly byInstance: Record<string, number> = {}
  readonly #origin: string
  readonly #clients: Array<Promise<void>>
  #stopped = false

  constructor (origin: string, clients: number) {
    this.#origin = origin
    this.#clients = Array.from({ length: clients }, async (_none, index) => await this.#client(index))
  }

  async stop (): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #client (index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let turn = index; !this.#stopped; turn++) {
      const ask = asks[turn % asks.length]
      try {
        const problem = await this.#ask(agent, ask)
        if (problem !== undefined) this.#failed(ask, problem)
      } catch (error) {
        this.#failed(ask, String((error as NodeJS.ErrnoException).code ?? error))
      }
      this.total++
    }
    agent.destroy()
  }

  #failed ({ method, path }: Ask, problem: string): void {
    this.failures.push(`${new Date().toISOString()} ${method} ${path}: ${problem}`)
  }

  async #ask (agent: Agent, { method, path, body, answer }: Ask): Promise<string | undefined> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
    return await new Promise((resolve, reject) => {
      const asked = request(`${this.#origin}${path}`, { agent, method, headers }, (reply) => {
        const instance = String(reply.headers['x-instance'])
        this.byInstance[instance] = (this.byInstance[instance] ?? 0) + 1
        if (!asked.reusedSocket) this.connections++
        text(reply).then((said) => resolve(reply.statusCode === 200 && said === answer ? undefined : `${reply.statusCode} ${said}`), reject)
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }
}
