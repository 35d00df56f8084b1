import t from 'tap'
import type { SnapshotEntry } from '../../types/snapshot.js'
import type { State } from '../../types/status.js'
import { Grouping, worstFirst, type Group } from '../../lib/formats/html-groups.js'

const entry = (name: string, state: State | undefined, tags: string[] = [], critical = true): SnapshotEntry =>
  ({ name, status: state && { state }, tags, critical })

function grouped (entries: SnapshotEntry[]): Grouping {
  const grouping = new Grouping(entries)
  grouping.gather(0, 1)
  grouping.gather(1, entries.length)
  return grouping
}

const groupsOf = (entries: SnapshotEntry[]): Group[] => grouped(entries).groups

t.test('handlers without a tag are one group without a name', async (t) => {
  t.strictSame(groupsOf([entry('a', 'OK'), entry('b', 'RED'), entry('c', 'YELLOW'), entry('d', 'RED')]), [
    { number: 0, tag: undefined, state: 'RED', counts: { OK: 1, YELLOW: 1, RED: 2 }, members: [1, 3, 2, 0] }
  ])
  t.strictSame(new Grouping([]).groups, [])
})

t.test('groups are in the order of their tags, and those without a tag come last', async (t) => {
  const groups = groupsOf([entry('a', 'OK'), entry('b', 'RED', ['z', 'y']), entry('c', 'OK', ['y']), entry('d', 'YELLOW', ['é', 'Z'])])
  t.strictSame(groups.map(({ number, tag, members }) => [number, tag, members]), [[0, 'Z', [3]], [1, 'y', [1, 2]], [2, 'z', [1]], [3, 'é', [3]], [4, undefined, [0]]])
})

t.test('the state of a group is its worst, of which one that is not critical is no worse than YELLOW', async (t) => {
  const groups = groupsOf([entry('a', 'RED', ['x'], false), entry('b', 'OK', ['x']), entry('c', 'OK', ['y']), entry('d', undefined, ['z'])])
  t.strictSame(groups.map(({ tag, state, counts }) => [tag, state, counts]), [
    ['x', 'YELLOW', { OK: 1, YELLOW: 0, RED: 1 }],
    ['y', 'OK', { OK: 1, YELLOW: 0, RED: 0 }],
    ['z', 'YELLOW', { OK: 0, YELLOW: 1, RED: 0 }]
  ])
})

t.test('a tag that was given twice counts once', async (t) => {
  t.strictSame(groupsOf([entry('a', 'OK', ['x', 'x'])]).map(({ members }) => members), [[0]])
})

t.test('the worst groups come first, and equals stay in their order', async (t) => {
  const groups = groupsOf([entry('a', 'OK', ['p']), entry('b', 'RED', ['q']), entry('c', 'OK', ['r']), entry('d', 'YELLOW', ['s']), entry('e', 'RED', ['t'])])
  t.strictSame(worstFirst(groups).map(({ tag }) => tag), ['q', 't', 's', 'p', 'r'])
  t.strictSame(groups.map(({ tag }) => tag), ['p', 'q', 'r', 's', 't'], 'what was given is as it was')
})

t.test('a handler that was never asked counts as YELLOW', async (t) => {
  t.strictSame(grouped([entry('a', undefined, ['x', 'y']), entry('b', 'OK'), entry('c', 'RED', [], false)]).counts, { OK: 1, YELLOW: 1, RED: 1 })
})
