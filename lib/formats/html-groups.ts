import type { SnapshotEntry } from '../../types/snapshot.js'
import type { State } from '../../types/status.js'
import { OK, RED, severity, states, worst, YELLOW } from '../core/state.js'
import { shown } from './shown.js'

export type Counts = Record<State, number>

/** The handlers with one tag, or those without any. */
export interface Group {
  /** Its place in the order of the tags: it stays what it is while states change. */
  readonly number: number
  /** Absent for those without a tag. */
  readonly tag?: string
  readonly counts: Counts
  /** The worst state of all; a handler that is not critical counts as YELLOW at worst, as in the overall state. */
  readonly state: State
  /** Where its handlers stand in the snapshot: the worst first, then by name. */
  readonly members: readonly number[]
}

interface Gathered {
  readonly tag?: string
  state: State
  readonly byState: Readonly<Record<State, number[]>>
}

const gathered = (tag?: string): Gathered => ({ tag, state: OK, byState: { OK: [], YELLOW: [], RED: [] } })

/**
 * The handlers by their tags, in the order of the tags; those without a tag come last. A handler with several tags is in each of their
 * groups: who looks for a tag shall find all that has it.
 */
export class Grouping {
  /** Of all handlers, each counted once. */
  readonly counts: Counts = { OK: 0, YELLOW: 0, RED: 0 }
  readonly #entries: readonly SnapshotEntry[]
  readonly #tagged = new Map<string, Gathered>()
  readonly #untagged = gathered()

  constructor (entries: readonly SnapshotEntry[]) {
    this.#entries = entries
  }

  /** Looks at some of them, in their order: at a hundred thousand at once would take too long. */
  gather (from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const entry = this.#entries[index]
      this.counts[shown(entry).state]++
      if (entry.tags.length === 0) add(this.#untagged, entry, index)
      for (const tag of entry.tags) {
        let group = this.#tagged.get(tag)
        if (group === undefined) this.#tagged.set(tag, group = gathered(tag))
        add(group, entry, index)
      }
    }
  }

  get groups (): Group[] {
    // By code unit: the same order everywhere, whatever the locale.
    const groups = [...this.#tagged.keys()].sort().map((tag) => this.#tagged.get(tag) as Gathered)
    if (sizeOf(this.#untagged) > 0) groups.push(this.#untagged)
    return groups.map(({ tag, state, byState }, number) => ({
      number,
      tag,
      state,
      counts: { OK: byState.OK.length, YELLOW: byState.YELLOW.length, RED: byState.RED.length },
      members: [...byState.RED, ...byState.YELLOW, ...byState.OK]
    }))
  }
}

/** The groups with the worst states first, and otherwise as they were. */
export function worstFirst (groups: readonly Group[]): Group[] {
  return [...groups].sort((a, b) => severity(b.state) - severity(a.state))
}

function add (group: Gathered, entry: SnapshotEntry, index: number): void {
  const { state } = shown(entry)
  const members = group.byState[state]
  // A tag may have been given twice.
  if (members.at(-1) === index) return
  members.push(index)
  group.state = worst(group.state, state === RED && !entry.critical ? YELLOW : state)
}

function sizeOf ({ byState }: Gathered): number {
  return states.reduce((sum, state) => sum + byState[state].length, 0)
}
