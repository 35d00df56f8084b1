import type { Format, RenderContext } from '../../types/format.js'
import type { Snapshot } from '../../types/snapshot.js'
import type { Part } from './live-parts.js'

/** A format whose readers can follow it. */
export interface LiveFormat extends Format {
  /** How many may follow it at once. */
  readonly listeners: number
  /** How often the handlers are asked while somebody follows, in milliseconds. */
  readonly refresh: number
  /** The element that changes, in its parts. */
  parts (snapshot: Snapshot, context: RenderContext): Iterable<Part>
}

export function isLive (format: Format): format is LiveFormat {
  return 'parts' in format && 'listeners' in format
}

/** The last part of the address that readers follow: `svc_status.live`. No format may have that name. */
export const liveName = 'live'
