import type { Rendered } from '../../types/format.js'
import { mostInOneGo, sliceLength } from '../core/in-slices.js'

export interface Frame {
  readonly open: string
  readonly separator: string
  readonly close: string
}

/** The parts of all entries between `open` and `close`: one text, or slices where there are many. */
export function framed<T> (frame: Frame, entries: readonly T[], part: (entry: T) => string): Rendered {
  if (entries.length > mostInOneGo) return slices(frame, entries, part)
  return frame.open + entries.map(part).join(frame.separator) + frame.close
}

function * slices<T> (frame: Frame, entries: readonly T[], part: (entry: T) => string): Generator<string> {
  yield frame.open
  for (let start = 0; start < entries.length; start += sliceLength) {
    const text = entries.slice(start, start + sliceLength).map(part).join(frame.separator)
    yield start === 0 ? text : frame.separator + text
  }
  yield frame.close
}
