import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Schedule } from '../../../types/healthchecker.js'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export const healthy: Answer = (_request, response) => { response.end('OK') }
export const broken: Answer = (_request, response) => { response.writeHead(500).end() }

/** An app on loopback that answers as the test says. */
export interface Target {
  readonly port: number
  readonly server: Server
  /** How often it was asked. */
  asked: number
  answer: Answer
}

export async function target (t: Test, answer = healthy): Promise<Target> {
  const server = createServer((request, response) => {
    found.asked++
    found.answer(request, response)
  })
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const found: Target = { server, port: (server.address() as AddressInfo).port, asked: 0, answer }
  return found
}

/** A schedule by which nobody has a turn unless the test gives it. */
export class HandSchedule implements Schedule {
  readonly intervals = new Map<string, number>()
  readonly soon: string[] = []
  #due: ((name: string, since: number) => void) | undefined

  get running (): boolean {
    return this.#due !== undefined
  }

  set (name: string, interval: number, soon = false): void {
    this.intervals.set(name, interval)
    if (soon) this.soon.push(name)
  }

  delete (name: string): void { this.intervals.delete(name) }
  next (name: string): number | undefined { return this.intervals.has(name) ? performance.now() + 1_000 : undefined }
  start (due: (name: string, since: number) => void): void { this.#due = due }
  stop (): void { this.#due = undefined }
  turn (name: string): void { this.#due?.(name, performance.now()) }
}
