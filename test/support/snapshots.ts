import { StatusRegistry } from '../../lib/core/registry.js'
import type { Format, RenderContext, Rendered } from '../../types/format.js'
import type { StatusHandler } from '../../types/handler.js'
import type { Snapshot } from '../../types/snapshot.js'
import type { StatusResult } from '../../types/status.js'

/** A registry in which each name answers what is given beside it. */
export function registryOf (answers: ReadonlyArray<readonly [name: string, answer: unknown]>): StatusRegistry {
  const registry = new StatusRegistry()
  for (const [name, answer] of answers) {
    registry.addStatusHandler(name, typeof answer === 'function' ? answer as StatusHandler : () => answer as StatusResult)
  }
  return registry
}

export async function snapshotOf (answers: ReadonlyArray<readonly [name: string, answer: unknown]>): Promise<Snapshot> {
  return await registryOf(answers).snapshot()
}

/** `length` handlers, in the order in which a snapshot has them. */
export function many (length: number, answer: (index: number) => unknown = () => true): Array<[string, unknown]> {
  return Array.from({ length }, (_, index) => [`h${String(index).padStart(6, '0')}`, answer(index)])
}

export function contextOf (format: Pick<Format, 'contentTypes'>, given: Partial<RenderContext> = {}): RenderContext {
  return {
    details: true,
    contentType: format.contentTypes[0],
    path: 'svc_status',
    formats: ['csv', 'json', 'prometheus', 'health', 'html'],
    warn: (about, message) => { throw new Error(`unexpected warning: ${message} ${JSON.stringify(about)}`) },
    ...given
  }
}

export function concatenated (rendered: Rendered): string {
  return typeof rendered === 'string' ? rendered : [...rendered].join('')
}

export async function textOf (format: Format, snapshot: Snapshot, given: Partial<RenderContext> = {}): Promise<string> {
  return concatenated(await format.render(snapshot, contextOf(format, given)))
}
