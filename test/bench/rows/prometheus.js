import { Gauge, Registry } from 'prom-client'

// Our own families against prom-client's gauges with the same series, both from the same snapshot.

const sizes = [{ n: 1_000, warmUp: 300, count: 40 }, { n: 10_000, warmUp: 30, count: 4 }]

export default sizes.map(({ n, warmUp, count }) => ({
  id: `prometheus-${n}`,
  measure: 'calls',
  warmUp,
  count,
  scale: 1_000,
  unit: 'ms',
  against: 'prom-client gauges, metrics()',
  peer: { subject: 'gauges', args: { n } },
  rows: [
    { id: `prometheus-${n}-own`, title: `own Prometheus families, N = ${n}`, subject: 'own', args: { n }, reach: 0.35 }
  ]
}))

/** A clock of its own, so that both sides see the same times in different processes. */
function steadyClock () {
  let time = 0
  let seed = 1
  return {
    now: () => 1_750_000_000_123 + Math.floor(time),
    monotonic () {
      seed = (seed * 48_271) % 2_147_483_647
      time += seed / 2_147_483_647
      return time
    }
  }
}

async function registryOf (library, n) {
  const { StatusRegistry } = await import(`${library}index.js`)
  const registry = new StatusRegistry({ clock: steadyClock() })
  for (let index = 0; index < n; index++) registry.addStatusHandler(`handler-${String(index).padStart(5, '0')}`, async () => true)
  return registry
}

/** Series in any order, HELP and TYPE aside. */
function samples (text) {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).sort().join('\n')
}

export const subjects = {
  async own (library, { n }) {
    const { prometheusFormat } = await import(`${library}formats/prometheus.js`)
    const registry = await registryOf(library, n)
    const format = prometheusFormat({ registries: [] })
    const context = { details: true, contentType: format.contentTypes[0], path: 'svc_status', formats: ['prometheus'], warn: () => {} }
    let snapshot
    const subject = {
      // A new snapshot a scrape: as in life, the durations are others each time.
      async prepare () {
        snapshot = await registry.snapshot()
      },
      async call () {
        const rendered = await format.render(snapshot, context)
        if (typeof rendered === 'string') return rendered
        let text = ''
        for (const slice of rendered) text += slice
        return text
      },
      async sample () {
        await subject.prepare()
        return samples(await subject.call())
      }
    }
    return subject
  },

  async gauges (library, { n }) {
    const registry = await registryOf(library, n)
    const registers = [new Registry()]
    const gauge = (name, labelNames = ['name']) => new Gauge({ name, help: name, labelNames, registers })
    const state = gauge('svc_status')
    const duration = gauge('svc_status_check_duration_seconds')
    const timeout = gauge('svc_status_check_timeout_seconds')
    const critical = gauge('svc_status_critical')
    const change = gauge('svc_status_last_change_timestamp_seconds')
    gauge('svc_status_decommissioned', []).set(0)
    const values = { OK: 0, YELLOW: 1, RED: 2 }
    const subject = {
      async prepare () {
        for (const entry of (await registry.snapshot()).entries) {
          const labels = { name: entry.name }
          state.set(labels, values[entry.status.state])
          duration.set(labels, Math.round(entry.duration * 1_000) / 1e6)
          timeout.set(labels, entry.timeout / 1_000)
          critical.set(labels, entry.critical ? 1 : 0)
          change.set(labels, Math.round(entry.since) / 1_000)
        }
      },
      call: () => registers[0].metrics(),
      async sample () {
        await subject.prepare()
        return samples(await subject.call())
      }
    }
    return subject
  }
}
