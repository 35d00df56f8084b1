import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parse } from 'csv-parse/sync'
import { temporaryFolder } from './folder.js'
import { freePort } from '../../support/free-port.js'
import { peer } from './peers.js'
import { Program } from './programs.js'
import { until } from './until.js'

type Tap = Parameters<typeof Program.start>[0]

/** A server that HAProxy checks, and by which address. */
export interface Checked {
  readonly port: number
  readonly path: string
}

/** HAProxy over some servers, which it checks several times a second; it tries nothing twice. */
export class HAProxy {
  readonly origin: string
  readonly program: Program
  readonly #socket: string

  private constructor (program: Program, origin: string, socket: string) {
    this.program = program
    this.origin = origin
    this.#socket = socket
  }

  /**
   * Balances over instances, whose `/probe_status` it checks every 200 ms.
   *
   * @param reuse how it shares its connections to the instances among its clients: `http-reuse`
   */
  static async start (t: Tap, instances: Readonly<Record<string, number>>, reuse: string): Promise<HAProxy> {
    return await HAProxy.#start(t, `
backend instances
  balance roundrobin
  http-reuse ${reuse}
  option httpchk GET /probe_status
  default-server inter 200ms fall 2 rise 2
${Object.entries(instances).map(([name, port]) => `  server ${name} 127.0.0.1:${port} check\n`).join('')}`)
  }

  /** Checks each server every 100 ms, by an address of its own. */
  static async watch (t: Tap, servers: Readonly<Record<string, Checked>>): Promise<HAProxy> {
    return await HAProxy.#start(t, `
backend instances
${Object.entries(servers).map(([name, { port, path }]) => `
backend ${name}
  option httpchk GET ${path}
  server ${name} 127.0.0.1:${port} check inter 100ms fall 2 rise 2
`).join('')}`)
  }

  static async #start (t: Tap, backends: string): Promise<HAProxy> {
    const command = peer('haproxy')
    const folder = await temporaryFolder(t)
    const port = await freePort()
    const socket = join(folder, 'socket')
    await writeFile(join(folder, 'haproxy.cfg'), configuration(port, socket) + backends)
    const program = await Program.start(t, command, ['-db', '-f', join(folder, 'haproxy.cfg')])
    const haproxy = new HAProxy(program, `http://127.0.0.1:${port}`, socket)
    await until('HAProxy answers', async () => {
      if (program.ended) throw new Error(program.stderr)
      return (await haproxy.#servers()).length > 0
    })
    return haproxy
  }

  /** Waits until its own statistics show a server as UP or DOWN by its checks. */
  async shows (name: string, status: 'UP' | 'DOWN'): Promise<void> {
    await until(`HAProxy shows ${name} as ${status}`, async () => {
      const server = (await this.#servers()).find(({ svname }) => svname === name)
      // Before its first check a server counts as UP.
      return server?.status === status && /^L[47]/.test(server.check_status)
    }, { every: 10 })
  }

  /** How often its checks found that a server had gone, and that it was back, as its log says. */
  transitions (name: string): { DOWN: number, UP: number } {
    const lines = this.program.stderr.split('\n')
    const count = (state: string): number => lines.filter((line) => new RegExp(`^Server \\S+/${name} is ${state}`).test(line)).length
    return { DOWN: count('DOWN'), UP: count('UP') }
  }

  /** Waits until its log has so many such lines: its statistics may be there first. */
  async logged (name: string, state: 'UP' | 'DOWN', times: number): Promise<void> {
    await until(`HAProxy logs ${times} times that ${name} is ${state}`, () => this.transitions(name)[state] >= times, { every: 10 })
  }

  /** The sum of a column of its statistics over all servers, such as `econ`: connections that failed. */
  async sum (column: string): Promise<number> {
    return (await this.#servers()).reduce((sum, server) => sum + Number(server[column]), 0)
  }

  async #servers (): Promise<Array<Record<string, string>>> {
    const connection = connect(this.#socket)
    connection.end('show stat\n')
    const statistics = await text(connection)
    const rows = parse(statistics.replace(/^# /, ''), { columns: true, skip_empty_lines: true }) as Array<Record<string, string>>
    return rows.filter(({ svname }) => svname !== 'FRONTEND' && svname !== 'BACKEND')
  }
}

function configuration (port: number, socket: string): string {
  return `
global
  stats socket ${socket} mode 600
  log stderr format raw local0 notice

defaults
  mode http
  log global
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout check 5s
  retries 0
  no option redispatch

frontend all
  bind 127.0.0.1:${port}
  default_backend instances
`
}
