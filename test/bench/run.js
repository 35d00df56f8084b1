import { readdir } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { pinning } from './harness/child.js'
import { runGroup } from './harness/group.js'
import { readOptions, usage } from './harness/options.js'
import { table } from './harness/table.js'

// Prints what the library costs beside what others cost. Every file in rows/ exports a list of groups; a group is
// measured in one go, so that its rows share the peer and the weather. docs/benchmarks.md explains the columns.

const options = readOptions(process.argv.slice(2))
if (options.help) {
  console.log(usage)
} else {
  const groups = (await allGroups()).map((group) => chosen(group, options.only)).filter(({ rows }) => rows.length > 0)
  if (options.list) console.log(groups.flatMap(({ rows }) => rows.map(({ id }) => id)).join('\n'))
  else await report(groups)
}

async function allGroups () {
  const folder = new URL('rows/', import.meta.url)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.js')).sort()
  const lists = await Promise.all(files.map(async (name) => {
    const file = new URL(name, folder).href
    const { default: groups } = await import(file)
    return groups.map((group) => ({ ...group, file }))
  }))
  return lists.flat()
}

/** The rows whose id, or whose group's id, has one of the words. */
function chosen (group, words) {
  const has = (id) => words.length === 0 || words.some((word) => id.includes(word))
  return has(group.id) ? group : { ...group, rows: group.rows.filter(({ id }) => has(id)) }
}

async function report (groups) {
  const { launches, rounds } = options
  console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} x ${cpus()[0].model.trim()}`)
  console.log(`${launches} x ${rounds} rounds; ${pinning}; load average at the start ${loadavg()[0].toFixed(1)}\n`)
  const started = performance.now()
  const results = []
  for (const group of groups) {
    process.stderr.write(`${group.id} …\n`)
    results.push(...await runGroup(group, options))
  }
  console.log(table(results))
  console.log(`\ntook ${Math.round((performance.now() - started) / 1000)} s`)
}
