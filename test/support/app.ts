import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { statusPlugin, StatusRegistry, type StatusPluginOptions } from '../../lib/index.js'

export interface StatusApp {
  readonly app: FastifyInstance
  readonly registry: StatusRegistry
}

/** An app of its own with a registry of its own, closed when the test is over. */
export async function statusApp (t: Test, options: StatusPluginOptions = {}, server: FastifyServerOptions = {}): Promise<StatusApp> {
  const registry = new StatusRegistry()
  const app = Fastify(server)
  t.teardown(async () => await app.close())
  await app.register(statusPlugin, { registry, ...options })
  return { app, registry }
}

/** The port of an app that now listens on loopback. */
export async function listen (app: FastifyInstance): Promise<number> {
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
}

export const everybody = (): boolean => true

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [property: string]: unknown
}

/** A pino stream, as Fastify's `logger` option takes it, that keeps what was written. */
export function logLines (): { lines: LogLine[], stream: { write (line: string): void } } {
  const lines: LogLine[] = []
  return { lines, stream: { write: (line) => { lines.push(JSON.parse(line)) } } }
}

/** Waits for what comes about on its own; the bound is for a test that fails. */
export async function until (condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 10_000
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
