import t from 'tap'
import { Connections } from '../../lib/failover/index.js'

const pools = { default: { is: 'default' }, replica: { is: 'replica' }, archive: { is: 'archive' } }

t.test('an alias leads to its pool, and where it is pointed', async (t) => {
  const connections = new Connections(pools)
  t.strictSame(connections.aliases, ['default', 'replica', 'archive'])
  t.equal(connections.get('replica'), pools.replica)
  connections.point('replica', 'default')
  t.equal(connections.get('replica'), pools.default)
  t.equal(connections.pool('replica'), pools.replica)
  connections.restore('replica')
  t.equal(connections.get('replica'), pools.replica)
})

t.test('where the other one is pointed somewhere too, it leads there', async (t) => {
  const connections = new Connections(pools)
  connections.point('replica', 'default')
  connections.point('default', 'archive')
  t.equal(connections.get('replica'), pools.archive)
})

t.test('two that are pointed at each other are themselves', async (t) => {
  const connections = new Connections(pools)
  connections.point('replica', 'default')
  connections.point('default', 'replica')
  t.equal(connections.get('replica'), pools.replica)
  t.equal(connections.get('default'), pools.default)
  connections.point('archive', 'replica')
  t.equal(connections.get('archive'), pools.archive)
})

t.test('an unknown alias is an error that names those there are', async (t) => {
  const connections = new Connections(pools)
  for (const act of [
    () => connections.get('master' as never),
    () => connections.pool('__proto__' as never),
    () => connections.point('replica', 'toString' as never),
    () => connections.point('master' as never, 'replica')
  ]) t.throws(act, { code: 'ERR_UNKNOWN_ALIAS', message: /there is default, replica, archive$/ })
})

t.test('pools must be objects', async (t) => {
  for (const none of [undefined, null, 5, { default: undefined }, { default: 'postgres://' }]) t.throws(() => new Connections(none as never), { code: 'ERR_INVALID_OPTION' })
})
