import type { Test } from 'tap'
import { Service, ServiceMonitor } from '../../../lib/failover/index.js'
import type { FailoverLogger, ServiceContext, ServiceMonitorOptions, ServiceOptions } from '../../../types/failover.js'
import { FakeTime } from '../../policies/support/fake-time.js'

export interface Line {
  readonly level: string
  readonly about: Record<string, unknown>
  readonly message: string
}

/** A logger that keeps what was written. */
export function recorder (): { lines: Line[], logger: FailoverLogger } {
  const lines: Line[] = []
  const record = (level: string) => (about: unknown, message?: string): void => { lines.push({ level, about: about as Record<string, unknown>, message: message as string }) }
  return { lines, logger: { info: record('info'), warn: record('warn'), error: record('error'), fatal: record('fatal') } }
}

export const context: ServiceContext & { readonly name: string } = {
  name: 'x', signal: new AbortController().signal, log: recorder().logger, settings: {}
}

/** A service whose ping says what the test wants, and that notes what is done with it. */
export class Scripted extends Service {
  up = true
  /** When it was pinged, by the fake clock. */
  readonly pings: number[] = []
  readonly #clock: FakeTime

  constructor (clock: FakeTime, options: ServiceOptions = {}) {
    super({ name: 'db', failoverSettings: { host: 'standby' }, ...options })
    this.#clock = clock
  }

  override ping (): void {
    this.pings.push(this.#clock.monotonic())
    if (!this.up) throw Object.assign(new Error('the password is 1234'), { code: 'ECONNREFUSED' })
  }
}

export interface Scene {
  readonly clock: FakeTime
  readonly monitor: ServiceMonitor
  readonly settings: Record<string, unknown>
  readonly lines: Line[]
}

/** A monitor under a clock of its own; the timers of the process go by it, too. */
export function scene (t: Test, options: ServiceMonitorOptions = {}): Scene {
  const clock = new FakeTime()
  const restore = clock.install()
  const settings: Record<string, unknown> = { host: 'primary' }
  const { lines, logger } = recorder()
  const monitor = new ServiceMonitor({ settings, logger, clock, ...options })
  t.teardown(async () => {
    const closing = monitor.close()
    await clock.advance(60_000)
    await closing
    restore()
  })
  return { clock, monitor, settings, lines }
}

/** What a page shows of a service. */
export async function shown (service: Service): Promise<Record<string, unknown>> {
  return await service.getStatus(context)
}
