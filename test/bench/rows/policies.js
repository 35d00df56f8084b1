// Reading a policy through a registry, beside a function that returns a constant status.

const title = 'registry.snapshot(), N = 1,000'
const names = ['background', 'hysteresis', 'toggle', 'oneshot']

export default ['bare', 'detail'].map((status) => ({
  id: `policies-${status}`,
  measure: 'calls',
  count: 400,
  peer: { subject: 'handlers', args: { kind: 'constant', status } },
  rows: names.map((kind) => ({ id: `policy-${kind}-${status}`, title: `${title}: ${kind} / a constant status (${status})`, subject: 'handlers', args: { kind, status }, reach: 1.5 }))
}))

const statuses = { bare: { state: 'OK' }, detail: { state: 'OK', detail: 'answered in 3 ms' }, metrics: { state: 'OK', detail: 'x', metrics: { a: 1 } } }

export const subjects = {
  async handlers (library, { kind, status, n = 1_000 }) {
    const { StatusRegistry, second } = await import(`${library}index.js`)
    const { Background } = await import(`${library}policies/background.js`)
    const { Hysteresis } = await import(`${library}policies/hysteresis.js`)
    const { Oneshot } = await import(`${library}policies/oneshot.js`)
    const { Toggle } = await import(`${library}policies/toggle.js`)
    const constant = statuses[status]
    const task = () => constant
    const make = {
      constant: () => () => constant,
      background: () => new Background({ task, delay: second(60) }),
      hysteresis: () => new Hysteresis({ task, initialState: 'OK', okAfter: 3, failAfter: 3 }),
      toggle: () => new Toggle({ toFail: task, toOk: () => false }),
      oneshot: () => new Oneshot({ defaultState: 'OK' })
    }[kind]
    const registry = new StatusRegistry()
    for (let index = 0; index < n; index++) registry.addStatusHandler(`handler-${index}`, make())
    await null
    return { call: () => registry.snapshot(), sample: async () => (await registry.snapshot()).state }
  }
}
