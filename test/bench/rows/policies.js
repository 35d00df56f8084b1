// Reading a policy through a registry, beside a function that returns a constant status.

const kinds = ['Background', 'Hysteresis', 'Toggle', 'Oneshot']

const statuses = { bare: { state: 'OK' }, detailed: { state: 'OK', detail: 'answered in 3 ms' } }

export default Object.keys(statuses).map((status) => ({
  id: `policies-${status}`,
  measure: 'calls',
  warmUp: 4_000,
  count: 200,
  against: `a function that returns a constant status, ${status}`,
  peer: { subject: 'handlers', args: { kind: 'constant', status } },
  rows: kinds.filter((kind) => status === 'bare' || kind !== 'Oneshot').map((kind) => ({
    id: `policies-${status}-${kind.toLowerCase()}`,
    title: `registry.snapshot(), N = 1,000: ${kind}, ${status}`,
    subject: 'handlers',
    args: { kind, status },
    reach: 1.5
  }))
}))

export const subjects = {
  async handlers (library, { kind, status, n = 1_000 }) {
    const { Background, Hysteresis, minute, Oneshot, StatusRegistry, Toggle } = await import(`${library}index.js`)
    const constant = statuses[status]
    const task = () => constant
    const make = {
      constant: () => task,
      Background: () => new Background({ task, delay: minute(1) }),
      Hysteresis: () => new Hysteresis({ task, initialState: 'OK', okAfter: 3, failAfter: 3 }),
      Toggle: () => new Toggle({ toFail: task, toOk: () => false }),
      // It has a status of its own, without a detail.
      Oneshot: () => new Oneshot({ defaultState: 'OK' })
    }[kind]
    const registry = new StatusRegistry()
    for (let index = 0; index < n; index++) registry.addStatusHandler(`handler-${index}`, make())
    return {
      call: () => registry.snapshot(),
      async sample () {
        const { entries } = await registry.snapshot()
        return JSON.stringify(entries.map((entry) => entry.status))
      }
    }
  }
}
