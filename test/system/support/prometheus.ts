import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from './folder.js'
import { freePort } from '../../support/free-port.js'
import { peer } from './peers.js'
import { Program } from './programs.js'
import { until } from './until.js'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A Prometheus server that scrapes `/svc_status` of each job's origin several times a second. */
export class Prometheus {
  readonly #program: Program
  readonly #origin: string

  private constructor (program: Program, origin: string) {
    this.#program = program
    this.#origin = origin
  }

  static async start (t: Parameters<typeof Program.start>[0], jobs: Readonly<Record<string, string>>): Promise<Prometheus> {
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'prometheus.yml'), configuration(jobs))
    return await Prometheus.startIn(t, folder)
  }

  /** One with the `prometheus.yml` of a folder. */
  static async startIn (t: Parameters<typeof Program.start>[0], folder: string): Promise<Prometheus> {
    const address = `127.0.0.1:${await freePort()}`
    const program = await Program.start(t, peer('prometheus'), [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn'
    ])
    const prometheus = new Prometheus(program, `http://${address}`)
    await until('Prometheus is ready', async () => {
      if (program.ended) throw new Error(program.stderr)
      return (await fetch(`http://${address}/-/ready`)).ok
    })
    return prometheus
  }

  /** What an instant query gives now, by its own HTTP API. */
  async query (query: string): Promise<Sample[]> {
    const { result } = await this.#ask('query', { query }) as { result: Array<{ metric: Record<string, string>, value: [number, string] }> }
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1].replace('Inf', 'Infinity')) }))
  }

  /** The values of a label of the series that a selector selects. */
  async labelValues (selector: string, label: string): Promise<string[]> {
    return await this.#ask(`label/${label}/values`, { 'match[]': selector }) as string[]
  }

  async #ask (path: string, parameters: Record<string, string>): Promise<unknown> {
    const reply = await fetch(`${this.#origin}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const { status, error, data } = await reply.json() as { status: string, error?: string, data: unknown }
    if (status !== 'success') throw new Error(`${JSON.stringify(parameters)}: ${error}\n${this.#program.stderr}`)
    return data
  }

  /** Waits until a query gives exactly these values; with none, until it gives nothing. */
  async shows (query: string, ...values: number[]): Promise<void> {
    let last: number[] | undefined
    const what = `Prometheus shows ${query} as ${JSON.stringify(values)}`
    await until(what, async () => {
      last = (await this.query(query)).map(({ value }) => value).sort()
      return JSON.stringify(last) === JSON.stringify(values)
    }, { within: 20_000 }).catch((cause) => { throw new Error(`${what}, but ${JSON.stringify(last)}\n${this.#program.stderr}`, { cause }) })
  }
}

function configuration (jobs: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
    scrape_configs: Object.entries(jobs).map(([name, origin]) => ({
      job_name: name,
      metrics_path: '/svc_status',
      static_configs: [{ targets: [new URL(origin).host] }]
    }))
  })
}
