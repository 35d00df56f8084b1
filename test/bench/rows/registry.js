// Asking handlers, without HTTP.

const n = 1_000
const title = `registry.snapshot(), N = ${n.toLocaleString('en-US')}`

export default [{
  id: 'snapshot',
  measure: 'calls',
  warmUp: 4_000,
  count: 200,
  against: 'Promise.all, a setTimeout each',
  peer: { subject: 'raced' },
  rows: [
    { id: 'snapshot-async', title: `${title}: async functions`, subject: 'snapshot', args: { async: true }, reach: 1 }
  ]
}, {
  id: 'sync',
  measure: 'calls',
  warmUp: 4_000,
  count: 200,
  against: 'async functions',
  peer: { subject: 'snapshot', args: { async: true } },
  rows: [
    { id: 'sync-snapshot', title: `${title}: sync functions`, subject: 'snapshot', args: { async: false }, reach: 1 / 3 }
  ]
}]

const limit = 5_000

function checks (async) {
  return Array.from({ length: n }, () => async ? async () => ({ state: 'OK' }) : () => ({ state: 'OK' }))
}

/** The least that keeps a check that hangs from holding up the others. */
function raced (check) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), limit)
    check().then((status) => {
      clearTimeout(timer)
      resolve(status)
    }, reject)
  })
}

export const subjects = {
  async raced () {
    const all = checks(true)
    return { call: () => Promise.all(all.map(raced)) }
  },

  async snapshot (library, { async }) {
    const { StatusRegistry } = await import(`${library}index.js`)
    const registry = new StatusRegistry({ timeout: limit })
    for (const [index, check] of checks(async).entries()) registry.addStatusHandler(`handler-${String(index).padStart(4, '0')}`, check)
    return { call: () => registry.snapshot() }
  }
}
