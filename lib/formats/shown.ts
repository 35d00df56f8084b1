import type { SnapshotEntry } from '../../types/snapshot.js'
import type { Status } from '../../types/status.js'
import { notAsked } from '../core/status.js'

/** What a format shows of an entry: one that was never asked is not known to be OK. */
export function shown (entry: SnapshotEntry): Readonly<Status> {
  return entry.status ?? notAsked
}
