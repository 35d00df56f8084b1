import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { freePort } from '../../support/free-port.js'
import { peer } from './peers.js'
import { Program } from './programs.js'
import { until } from './until.js'

type Tap = Parameters<typeof Program.start>[0]

export interface Alert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** What Alertmanager sends to a webhook: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export interface Message {
  /** The path it was sent to. */
  readonly to: string
  readonly status: 'firing' | 'resolved'
  readonly groupLabels: Readonly<Record<string, string>>
  readonly alerts: readonly Alert[]
}

/** A webhook that keeps what it is sent. */
export class Webhook {
  readonly messages: Message[] = []
  readonly host: string

  static async start (t: Tap): Promise<Webhook> {
    const server = createServer()
    const webhook = await new Promise<Webhook>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(new Webhook(`127.0.0.1:${(server.address() as AddressInfo).port}`)))
    })
    server.on('request', async (request, reply) => {
      const body = await json(request) as Omit<Message, 'to'>
      webhook.messages.push({ ...body, to: request.url as string })
      reply.end()
    })
    t.teardown(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
    return webhook
  }

  private constructor (host: string) {
    this.host = host
  }

  /** Waits for a message after the first `seen`. */
  async gets (what: string, seen: number, look: (message: Message) => boolean): Promise<Message> {
    return await until(`the webhook gets ${what}`, () => this.messages.slice(seen).find(look), { within: 45_000 })
      .catch((cause) => { throw new Error(`the webhook did not get ${what}, but ${JSON.stringify(this.messages.slice(seen), null, 1)}`, { cause }) })
  }
}

/** An Alertmanager with a configuration file. */
export class Alertmanager {
  readonly host: string

  private constructor (host: string) {
    this.host = host
  }

  /** @param port a free one, where it has to be known before */
  static async start (t: Tap, folder: string, file: string, port?: number): Promise<Alertmanager> {
    const host = `127.0.0.1:${port ?? await freePort()}`
    const program = await Program.start(t, peer('prometheus-alertmanager'), [
      `--config.file=${file}`, `--storage.path=${folder}`, `--web.listen-address=${host}`, '--cluster.listen-address=', '--log.level=warn'
    ])
    await until('Alertmanager is ready', async () => {
      if (program.ended) throw new Error(program.stderr)
      return (await fetch(`http://${host}/-/ready`)).ok
    })
    return new Alertmanager(host)
  }

  /** Tells it of alerts, as Prometheus does. */
  async post (alerts: ReadonlyArray<Readonly<Record<string, string>>>): Promise<void> {
    const reply = await fetch(`http://${this.host}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts.map((labels) => ({ labels })))
    })
    if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`)
  }

  /** Of each alert, whether it is `active` or `suppressed`. */
  async states (): Promise<Array<{ readonly labels: Readonly<Record<string, string>>, readonly state: string }>> {
    const alerts = await (await fetch(`http://${this.host}/api/v2/alerts`)).json() as Array<{ labels: Record<string, string>, status: { state: string } }>
    return alerts.map(({ labels, status }) => ({ labels, state: status.state }))
  }
}
