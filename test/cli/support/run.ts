import { Writable } from 'node:stream'
import type { Test } from 'tap'
import type { FastifyServerOptions } from 'fastify'
import type { StatusPluginOptions } from '../../../lib/index.js'
import type { MakeCommand } from '../../../lib/cli/commands/index.js'
import { systemClock } from '../../../lib/core/clock.js'
import { run } from '../../../lib/cli/run.js'
import { listen, statusApp, type StatusApp } from '../../support/app.js'

export interface Surroundings {
  readonly env?: Record<string, string>
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  readonly commands?: readonly MakeCommand[]
  /** What a write to stdout fails with. */
  readonly broken?: NodeJS.ErrnoException
  /** What stdout throws, as no stream does. */
  readonly throws?: Error
  /** A signal that came before anything else. */
  readonly aborted?: string
}

/** What was written, and a terminal where one is asked for. */
class Recorder extends Writable {
  text = ''
  readonly isTTY: boolean
  readonly columns: number | undefined
  readonly rows: number | undefined
  readonly #broken: Error | undefined
  readonly #throws: Error | undefined

  constructor ({ isTTY = false, columns, rows, broken, throws }: Surroundings = {}) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
    this.columns = columns
    this.rows = rows
    this.#broken = broken
    this.#throws = throws
  }

  override _write (text: string, _encoding: string, done: (error?: Error) => void): void {
    this.text += text
    done(this.#broken)
    if (this.#throws !== undefined && text !== '') throw this.#throws
  }
}

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A command line while it runs. */
export class Started {
  readonly ended: Promise<Ended>
  readonly #stdout: Recorder
  readonly #stderr = new Recorder()
  readonly #ending = new AbortController()

  constructor (args: readonly string[], { env = {}, commands, aborted, ...output }: Surroundings = {}) {
    if (aborted !== undefined) this.end(aborted)
    this.#stdout = new Recorder(output)
    const world = { stdout: this.#stdout, stderr: this.#stderr, env, clock: systemClock, signal: this.#ending.signal }
    this.ended = run(args, world, commands).then((code) => ({ code, out: this.out, err: this.err }))
  }

  get out (): string {
    return this.#stdout.text
  }

  get err (): string {
    return this.#stderr.text
  }

  /** As main does for a signal. */
  end (reason: string): void {
    this.#ending.abort(reason)
  }
}

export async function svcStatus (args: readonly string[], surroundings?: Surroundings): Promise<Ended> {
  return await new Started(args, surroundings).ended
}

export interface Service extends StatusApp {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string
}

/** A service that listens on loopback. */
export async function service (t: Test, options?: StatusPluginOptions, server?: FastifyServerOptions): Promise<Service> {
  const { app, registry } = await statusApp(t, options, server)
  return { app, registry, url: `http://127.0.0.1:${await listen(app)}` }
}
