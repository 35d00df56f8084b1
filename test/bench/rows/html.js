// The page, from a snapshot, against the least that makes a table of the same rows.

const sizes = [{ n: 10, warmUp: 20_000, count: 4_000 }, { n: 100, warmUp: 4_000, count: 400 }, { n: 1_000, warmUp: 400, count: 40 }]

export default sizes.map(({ n, warmUp, count }) => ({
  id: `html-${n}`,
  measure: 'calls',
  warmUp,
  count,
  scale: 1_000,
  unit: 'ms',
  against: 'a template that escapes names and details',
  peer: { subject: 'rows', args: { n } },
  rows: [
    { id: `html-${n}-page`, title: `the page, N = ${n}, in 12 groups`, subject: 'page', args: { n, groups: 12 }, same: false },
    { id: `html-${n}-plain`, title: `the page, N = ${n}, without tags`, subject: 'page', args: { n, groups: 0 }, same: false },
    { id: `html-${n}-live`, title: `(an update for those who follow it, N = ${n}, 1 % of the details new)`, subject: 'live', args: { n, groups: 12 }, same: false }
  ]
}))

async function snapshots (library, { n, groups = 0 }) {
  const { StatusRegistry } = await import(`${library}index.js`)
  const registry = new StatusRegistry()
  let turn = 0
  for (let index = 0; index < n; index++) {
    const name = `app-${String(index).padStart(4, '0')}.example.com:443`
    const state = index % 50 === 0 ? 'RED' : index % 20 === 0 ? 'YELLOW' : 'OK'
    registry.addStatusHandler(name, async () => ({ state, detail: `200 in ${index % 100 === 0 ? turn : index} ms <by> 10.0.0.${index % 250}` }), { tags: groups === 0 ? [] : [`team ${index % groups}`] })
  }
  const list = []
  for (; turn < 8; turn++) list.push(await registry.snapshot())
  return list
}

const context = { details: true, contentType: 'text/html; charset=utf-8', path: 'svc_status', formats: ['csv', 'json', 'prometheus', 'health', 'html'], warn: () => {} }

export const subjects = {
  async page (library, args) {
    const { htmlFormat } = await import(`${library}formats/html.js`)
    const format = htmlFormat()
    const list = await snapshots(library, args)
    let turn = 0
    const call = () => format.render(list[turn++ % list.length], context)
    return { call, sample: call }
  },

  async live (library, args) {
    const [{ htmlFormat }, { LiveParts }] = await Promise.all(['html', 'live-parts'].map((name) => import(`${library}formats/${name}.js`)))
    const format = htmlFormat()
    const list = await snapshots(library, args)
    const parts = new LiveParts()
    let turn = 0
    let version = 0
    const call = () => {
      parts.set([...format.parts(list[turn++ % list.length], context)])
      const update = parts.since(version)
      version = update?.version ?? version
      return JSON.stringify(update?.elements ?? [])
    }
    return { call, sample: call }
  },

  async rows (library, args) {
    const [{ entries }] = await snapshots(library, args)
    const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
    const escape = (text) => text.replace(/[&<>"']/g, (character) => entities[character])
    const call = () => entries.map(({ name, status, since }) => `<tr><td>${status.state}</td><th>${escape(name)}</th><td>${escape(status.detail)}</td><td>${new Date(since).toISOString()}</td></tr>`).join('')
    // Without the times of day, which differ between processes.
    return { call, sample: () => call().replace(/\d{4}-[^<]*Z/g, '') }
  }
}
