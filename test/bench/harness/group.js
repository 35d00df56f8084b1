import { measures, startTarget } from './measures.js'
import { isInstalled } from './program.js'
import { between, median, ratioOf } from './statistics.js'

/**
 * Measures the rows of a group against its peer, or each against itself where there is none: everything in turn,
 * in rounds whose order rotates, and all of it in several launches, for two processes are never quite as fast.
 * The first `warmUp` requests or calls do not count: it takes some thousands until all that matters is compiled.
 */
export async function runGroup (given, options) {
  const group = possible(given)
  const { library, profiles, quick } = options
  const { peer, baseline } = group
  const { launches, rounds } = quick ? options : { ...options, ...group.repeat }
  const entries = [
    ...peer === undefined ? group.rows.map((row) => ({ key: `again ${row.id}`, variant: row })) : [{ key: 'peer', variant: peer }, { key: 'peer again', variant: peer }],
    ...baseline === undefined ? [] : [{ key: 'baseline', variant: baseline }],
    ...group.rows.map((row) => ({ key: row.id, variant: row }))
  ]
  const values = new Map(entries.map(({ key }) => [key, []]))
  let client
  let target
  const common = { rows: group.file, library, profiles, client: (make) => (client ??= make()) }

  for (let launch = 0; launch < launches; launch++) {
    const running = []
    try {
      target = group.target && await startTarget(group.target, common)
      const context = { ...common, target: target?.address }
      for (const { key, variant } of entries) {
        const subject = await measures[variant.measure ?? group.measure](variant, context)
        running.push({ key, variant, subject })
      }
      await checkSame(group, running)
      for (const { subject } of running) await subject.warm(quick ? Math.ceil(group.warmUp / 4) : group.warmUp)
      for (let round = 0; round < rounds; round++) {
        for (let index = 0; index < running.length; index++) {
          const { key, subject } = running[(index + round + launch) % running.length]
          values.get(key).push(await subject.measure(group.count))
        }
      }
    } finally {
      for (const { subject } of running) await subject.stop()
      await client?.stop()
      client = undefined
      await target?.stop()
      target = undefined
    }
  }
  return group.rows.map((row) => resultOf(row, group, values))
}

/** Without a peer that is not installed: its rows are measured all the same, and aim at nothing. */
function possible (group) {
  const command = group.peer?.program?.command
  if (command === undefined || isInstalled(command)) return group
  const rows = group.rows.map((row) => ({ ...row, reach: undefined }))
  return { ...group, rows, peer: undefined, against: `${group.against}: not installed` }
}

/** What is compared must do the same: rows marked `same: false` say why they do not. */
async function checkSame ({ id }, running) {
  let expected
  for (const { key, variant, subject } of running) {
    if (variant.same === false) continue
    const sample = await subject.sample()
    if (sample === undefined) continue
    expected ??= { key, sample }
    if (sample !== expected.sample) throw new Error(`${id}: ${key} does not give what ${expected.key} gives`)
  }
}

function resultOf (row, { peer, against, unit = 'us', scale = 1 }, values) {
  const baseline = row.net === true ? median(values.get('baseline')) : 0
  const of = (key) => values.get(key).map((value) => (value - baseline) / scale)
  const own = of(row.id)
  const first = peer === undefined ? own : of('peer')
  const again = of(peer === undefined ? `again ${row.id}` : 'peer again')
  const sameTwice = ratioOf(again, first)
  const result = { row, against, unit, own: median(own), again: sameTwice.ratio, noise: Math.max(Math.abs(sameTwice.ratio - 1), sameTwice.spread) }
  if (peer === undefined) return { ...result, reached: result.own }
  const reference = between(first, again)
  const { ratio } = ratioOf(own, reference)
  return { ...result, peer: median(reference), ratio, reached: ratio }
}
