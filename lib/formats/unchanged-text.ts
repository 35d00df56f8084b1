import type { RenderContext, Rendered } from '../../types/format.js'
import type { Snapshot, SnapshotEntry } from '../../types/snapshot.js'
import { mostInOneGo } from '../core/in-slices.js'
import { framed, type Frame } from './slices.js'

interface Kept {
  readonly entries: readonly SnapshotEntry[]
  readonly parts: readonly string[]
  readonly text: string
}

/**
 * A text with one part an entry, each made of the entry's name and status alone. A part is made again only
 * when its status is another object, the whole only when one of its parts is: an unchanged status stays the same object.
 * The text of a snapshot so large that it is sliced is not kept.
 */
export class UnchangedText {
  readonly #frame: Frame
  readonly #part: (entry: SnapshotEntry, context: RenderContext) => string
  readonly #kept = new Map<boolean, Kept>()

  constructor (frame: Frame, part: (entry: SnapshotEntry, context: RenderContext) => string) {
    this.#frame = frame
    this.#part = part
  }

  render ({ entries }: Snapshot, context: RenderContext): Rendered {
    if (entries.length > mostInOneGo) return framed(this.#frame, entries, (entry) => this.#part(entry, context))
    const kept = this.#kept.get(context.details)
    if (kept !== undefined && isUnchanged(entries, kept.entries)) return kept.text
    const parts = entries.map((entry, index) => isSame(entry, kept?.entries[index])
      ? (kept as Kept).parts[index]
      : this.#part(entry, context))
    const { open, separator, close } = this.#frame
    const text = open + parts.join(separator) + close
    this.#kept.set(context.details, { entries, parts, text })
    return text
  }
}

function isUnchanged (entries: readonly SnapshotEntry[], last: readonly SnapshotEntry[]): boolean {
  return entries === last || (entries.length === last.length && entries.every((entry, index) => isSame(entry, last[index])))
}

function isSame (entry: SnapshotEntry, last: SnapshotEntry | undefined): boolean {
  return last !== undefined && entry.status === last.status && entry.name === last.name
}
