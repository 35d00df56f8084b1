import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { requireAuth } from '../../../lib/auth/require-auth.js'
import type { Auth } from '../../../types/auth.js'
import { headersOf } from './basic.js'

/** What a line of the app's log holds. */
export type LogLine = Record<string, unknown> & { level: number, msg: string }

/** An app with a route that is for those whom `auth` lets in and one that is for all, and what it logs. */
export async function guardedApp (t: Test, auth: Auth): Promise<{ app: FastifyInstance, log: LogLine[], text: () => string }> {
  let written = ''
  const log: LogLine[] = []
  const stream = { write: (line: string) => { written += line; log.push(JSON.parse(line)) } }
  const app = Fastify({ logger: { level: 'trace', stream } })
  t.teardown(async () => await app.close())
  app.get('/', { onRequest: requireAuth(auth) }, async () => 'let in')
  app.get('/open', async () => 'open')
  return { app, log, text: () => written }
}

/** The status of a request with the name and the password, or without. */
export async function ask (app: FastifyInstance, authorization?: string): Promise<number> {
  const { statusCode } = await app.inject({ url: '/', headers: headersOf(authorization) })
  return statusCode
}
