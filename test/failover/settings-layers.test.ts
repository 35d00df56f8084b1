import fc from 'fast-check'
import t from 'tap'
import { SettingsLayers } from '../../lib/failover/settings-layers.js'

t.test('what was there is put back, and what was not is deleted', async (t) => {
  const nested = { host: 'a', port: 1 }
  const settings: Record<string, unknown> = { db: nested, list: [1] }
  const layers = SettingsLayers.of(settings)
  const owner = {}
  layers.apply(owner, { db: { host: 'b', extra: 1 }, list: [2], fresh: { deep: { x: 1 } } })
  t.strictSame(settings, { db: { host: 'b', port: 1, extra: 1 }, list: [2], fresh: { deep: { x: 1 } } })
  t.equal(settings.db, nested, 'the nested object is the same')
  layers.restore(owner)
  t.strictSame(settings, { db: { host: 'a', port: 1 }, list: [1] })
  t.equal(settings.db, nested)
})

t.test('an owner applies once and restores once', async (t) => {
  const settings = { a: 1 }
  const layers = SettingsLayers.of(settings)
  const owner = {}
  layers.apply(owner, { a: 2 })
  layers.apply(owner, { a: 3 })
  t.strictSame(settings, { a: 2 })
  layers.restore(owner)
  layers.restore(owner)
  t.strictSame(settings, { a: 1 })
})

t.test('two monitors with the same settings share the layers', async (t) => {
  const settings = {}
  t.equal(SettingsLayers.of(settings), SettingsLayers.of(settings))
  t.not(SettingsLayers.of(settings), SettingsLayers.of({}))
})

t.test('of two that set the same property the later one counts, in whatever order they go', async (t) => {
  for (const first of [0, 1]) {
    const settings: Record<string, unknown> = { a: 0 }
    const layers = SettingsLayers.of(settings)
    const owners = [{}, {}]
    layers.apply(owners[0], { a: 1, x: 1 })
    layers.apply(owners[1], { a: 2, y: 2 })
    t.strictSame(settings, { a: 2, x: 1, y: 2 })
    layers.restore(owners[first])
    t.strictSame(settings, first === 0 ? { a: 2, y: 2 } : { a: 1, x: 1 })
    layers.restore(owners[1 - first])
    t.strictSame(settings, { a: 0 })
  }
})

t.test('a service that goes into what another one has set does not change that one\'s values', async (t) => {
  const settings: Record<string, unknown> = {}
  const layers = SettingsLayers.of(settings)
  const values = { db: { host: 'b' } }
  const [a, b] = [{}, {}]
  layers.apply(a, values)
  layers.apply(b, { db: { port: 2 } })
  t.strictSame(settings, { db: { host: 'b', port: 2 } })
  t.strictSame(values, { db: { host: 'b' } })
  layers.restore(a)
  t.strictSame(settings, { db: { port: 2 } })
  layers.restore(b)
  t.strictSame(settings, {})
})

t.test('getters, prototypes and property attributes are put back as they were', async (t) => {
  class Config {
    get inherited (): number { return 1 }
  }
  const settings = Object.defineProperties(new Config(), {
    accessor: { get: () => 'computed', enumerable: false, configurable: true },
    hidden: { value: 1, writable: true, enumerable: false, configurable: false }
  })
  const before = Object.getOwnPropertyDescriptors(settings)
  const layers = SettingsLayers.of(settings)
  const owner = {}
  layers.apply(owner, JSON.parse('{"accessor": 2, "hidden": 3, "inherited": 4, "__proto__": 5}'))
  const now = settings as unknown as Record<string, unknown>
  t.strictSame([now.accessor, now.hidden, now.inherited, Object.getOwnPropertyDescriptor(settings, '__proto__')?.value], [2, 3, 4, 5])
  t.equal(Object.getPrototypeOf(settings), Config.prototype)
  layers.restore(owner)
  t.strictSame(Object.getOwnPropertyDescriptors(settings), before)
  t.equal(settings.inherited, 1)
})

t.test('an object without a prototype is gone into, an instance is set as it is', async (t) => {
  class Pool { host = 'b' }
  const pool = new Pool()
  const settings: Record<string, unknown> = { bare: Object.assign(Object.create(null), { a: 1 }), pool: { host: 'a' } }
  const { bare } = settings
  const owner = {}
  SettingsLayers.of(settings).apply(owner, { bare: { b: 2 }, pool })
  t.equal(settings.bare, bare)
  t.equal(settings.pool, pool)
})

t.test('where one value cannot be set, none is', async (t) => {
  const settings = { a: 1, frozen: Object.freeze({ x: 1 }), b: 2 }
  t.throws(() => SettingsLayers.of(settings).apply({}, { a: 9, fresh: 9, frozen: { x: 9 }, b: 9 }), TypeError)
  t.strictSame(settings, { a: 1, frozen: { x: 1 }, b: 2 })
})

t.test('where one value cannot be put back, all stay, and it can be tried again', async (t) => {
  const settings: Record<string, unknown> = { a: 1, inner: { x: 1 } }
  const layers = SettingsLayers.of(settings)
  const [under, owner, over] = [{}, {}, {}]
  layers.apply(under, { u: 1 })
  layers.apply(owner, { fresh: 1, a: 2, inner: { y: 1 } })
  layers.apply(over, { a: 3 })
  Object.defineProperty(settings, 'fresh', { configurable: false })
  t.throws(() => layers.restore(owner), /"fresh" cannot be deleted/)
  t.strictSame(settings, { a: 3, inner: { x: 1, y: 1 }, u: 1, fresh: 1 })
  t.throws(() => layers.restore(under), /"fresh" cannot be deleted/)
  t.strictSame(settings, { a: 3, inner: { x: 1, y: 1 }, u: 1, fresh: 1 })
  layers.restore(over)
  t.equal(settings.a, 2)
})

t.test('whatever is applied and restored in whatever order, in the end everything is as it was', async () => {
  const values = fc.letrec((tie) => ({
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.oneof({ maxDepth: 3 }, fc.integer(), fc.constant(undefined), tie('object')))
  })).object
  fc.assert(fc.property(values, fc.array(values, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()), (settings, changes, order) => {
    const before = structuredClone(settings)
    const layers = SettingsLayers.of(settings as object)
    const owners = changes.map((change) => ({ change: change as object }))
    for (const owner of owners) layers.apply(owner, owner.change)
    while (owners.length > 0) layers.restore(owners.splice((order.next().value as number) % owners.length, 1)[0])
    if (JSON.stringify(settings) !== JSON.stringify(before)) throw new Error(JSON.stringify(settings))
  }))
})

t.test('nested settings behind a getter or a prototype are merged too, and put back', async (t) => {
  const inherited = { host: 'a', port: 1 }
  const kinds: Array<[string, { db: object }]> = [
    ['a getter', { get db () { return { host: 'a', port: 1 } } }],
    ['a prototype', Object.create({ db: inherited }) as { db: object }],
    ['a getter that is not enumerable', Object.defineProperty({}, 'db', { get: () => ({ host: 'a', port: 1 }), configurable: true }) as { db: object }]
  ]
  for (const [what, settings] of kinds) {
    const before = Object.getOwnPropertyDescriptor(settings, 'db')
    const layers = SettingsLayers.of(settings)
    const owner = {}
    layers.apply(owner, { db: { host: 'b' } })
    t.same(settings.db, { host: 'b', port: 1 }, what)
    t.strictSame(inherited, { host: 'a', port: 1 })
    layers.restore(owner)
    t.strictSame(Object.getOwnPropertyDescriptor(settings, 'db'), before, what)
    t.same(settings.db, { host: 'a', port: 1 })
  }
})
