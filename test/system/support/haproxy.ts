import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parse } from 'csv-parse/sync'
import { temporaryFolder } from './folder.js'
import { freePort } from './free-port.js'
import { peer } from './peers.js'
import { Program } from './programs.js'
import { until } from './until.js'

/** HAProxy over some instances, which it probes every 200 ms; it tries nothing twice. */
export class HAProxy {
  readonly origin: string
  readonly program: Program
  readonly #socket: string

  private constructor (program: Program, origin: string, socket: string) {
    this.program = program
    this.origin = origin
    this.#socket = socket
  }

  /** @param reuse how it shares its connections to the instances among its clients: `http-reuse` */
  static async start (t: Parameters<typeof Program.start>[0], instances: Readonly<Record<string, number>>, reuse: string): Promise<HAProxy> {
    const command = peer('haproxy')
    const folder = await temporaryFolder(t)
    const port = await freePort()
    const socket = join(folder, 'socket')
    await writeFile(join(folder, 'haproxy.cfg'), configuration(port, socket, instances, reuse))
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

  /** The sum of a column of its statistics over all servers, such as `econ`: connections that failed. */
  async sum (column: string): Promise<number> {
    return (await this.#servers()).reduce((sum, server) => sum + Number(server[column]), 0)
  }

  async #servers (): Promise<Array<Record<string, string>>> {
    const connection = connect(this.#socket)
    connection.end('show stat\n')
    const statistics = await text(connection)
    const rows = parse(statistics.replace(/^# /, ''), { columns: true, skip_empty_lines: true }) as Array<Record<string, string>>
    return rows.filter(({ pxname, svname }) => pxname === 'instances' && svname !== 'BACKEND')
  }
}

function configuration (port: number, socket: string, instances: Readonly<Record<string, number>>, reuse: string): string {
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
  http-reuse ${reuse}

frontend all
  bind 127.0.0.1:${port}
  default_backend instances

backend instances
  balance roundrobin
  option httpchk GET /probe_status
  default-server inter 200ms fall 2 rise 2
${Object.entries(instances).map(([name, port]) => `  server ${name} 127.0.0.1:${port} check\n`).join('')}`
}
