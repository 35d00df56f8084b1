// What it costs to have the library: the memory of a handler, and the import.

const n = 10_000
const peers = ['prom-client', 'csv-stringify/sync']

export default [{
  id: 'heap',
  measure: 'fresh',
  warmUp: 0,
  unit: 'bytes',
  repeat: { launches: 1, rounds: 5 },
  rows: [
    heap('registered', 'async functions, registered', {}),
    heap('asked', 'async functions, after a snapshot', { asked: true }),
    heap('sync', 'sync functions, after a snapshot', { asked: true, sync: true }),
    heap('options', 'async functions with description and tags, after a snapshot', { asked: true, options: { description: 'the primary', tags: ['database'] } })
  ]
}, {
  id: 'import',
  measure: 'start',
  warmUp: 0,
  scale: 1_000,
  unit: 'ms',
  repeat: { launches: 1, rounds: 15 },
  against: `importing ${peers.join(' and ')}`,
  peer: { imports: peers },
  baseline: { imports: [] },
  rows: [
    { id: 'import-main', title: 'importing the main entry, process start included', imports: ['library'], reach: 1.3 },
    { id: 'import-net', title: '(the same, less what node alone takes)', imports: ['library'], net: true },
    { id: 'import-bare', title: '(node alone)', imports: [] }
  ]
}]

function heap (id, title, args) {
  return { id: `heap-${id}`, title: `heap of each of ${n.toLocaleString('en-US')} handlers: ${title}`, subject: 'heap', args, reach: 1_500 }
}

export const subjects = {
  /** Bytes a handler, without the name and the function, which are the app's own. */
  async heap (library, { asked = false, sync = false, options }) {
    const { StatusRegistry } = await import(`${library}index.js`)
    const handlers = Array.from({ length: n }, (_value, index) => ({
      name: `handler-${String(index).padStart(5, '0')}`,
      handler: sync ? () => true : async () => true
    }))
    // What comes with the first handler of all, such as compiled code, belongs to none of them.
    const first = new StatusRegistry()
    first.addStatusHandler('first', async () => true)
    await first.snapshot()

    const before = settledHeap()
    const registry = new StatusRegistry()
    for (const { name, handler } of handlers) registry.addStatusHandler(name, handler, options)
    if (asked) await registry.snapshot()
    const bytes = (settledHeap() - before) / n
    // Both are alive up to here.
    if (!registry.has(handlers[n - 1].name)) throw new Error('the registry is gone')
    return bytes
  }
}

function settledHeap () {
  for (let run = 0; run < 4; run++) globalThis.gc()
  return process.memoryUsage().heapUsed
}
