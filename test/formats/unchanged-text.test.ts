import t from 'tap'
import { StateHandler } from '../../lib/core/state-handler.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { UnchangedText } from '../../lib/formats/unchanged-text.js'
import { many, contextOf, registryOf } from '../support/snapshots.js'

const frame = { open: '<', separator: '|', close: '>' }

/** A text that records for which entries a part was made. */
function recorded (): { made: string[], text: UnchangedText } {
  const made: string[] = []
  const text = new UnchangedText(frame, ({ name, status }, { details }) => {
    made.push(name)
    return `${name}=${status?.state}${details ? `(${status?.detail})` : ''}`
  })
  return { made, text }
}

const context = contextOf({ contentTypes: ['text/plain'] }, { details: false })
const detailed = { ...context, details: true }

function threeStates (): { registry: StatusRegistry, a: StateHandler, b: StateHandler, c: StateHandler } {
  const registry = new StatusRegistry()
  const handlers = { a: new StateHandler(), b: new StateHandler(), c: new StateHandler() }
  for (const [name, handler] of Object.entries(handlers)) {
    handler.setState(OK)
    registry.addStatusHandler(name, handler)
  }
  return { registry, ...handlers }
}

t.test('while nothing changes no part is made again', async (t) => {
  const { made, text } = recorded()
  const { registry } = threeStates()
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|b=OK|c=OK>')
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|b=OK|c=OK>')
  t.strictSame(made, ['a', 'b', 'c'])
})

t.test('handlers that answer the same again do not change the text', async (t) => {
  const { made, text } = recorded()
  const registry = registryOf([['a', () => ({ state: OK, detail: 'x' })], ['b', async () => ({ state: RED, list: [1] })]])
  for (let round = 0; round < 3; round++) t.equal(text.render(await registry.snapshot(), context), '<a=OK|b=RED>')
  t.strictSame(made, ['a', 'b'])
})

t.test('only the part of a status that changed is made again', async (t) => {
  const { made, text } = recorded()
  const { registry, b } = threeStates()
  text.render(await registry.snapshot(), context)
  made.length = 0
  b.setState(RED)
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|b=RED|c=OK>')
  b.setState(YELLOW)
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|b=YELLOW|c=OK>')
  t.strictSame(made, ['b', 'b'])
})

t.test('a handler that came or went is seen, also where its neighbours have the same status', async (t) => {
  const { text } = recorded()
  const { registry } = threeStates()
  text.render(await registry.snapshot(), context)
  registry.addStatusHandler('aa', () => true)
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|aa=OK|b=OK|c=OK>')
  registry.removeStatusHandler('b')
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|aa=OK|c=OK>')
  registry.removeStatusHandler('c')
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|aa=OK>')
})

t.test('a handler in the place of another with the same status shows its own name', async (t) => {
  const { text } = recorded()
  const { registry, b } = threeStates()
  text.render(await registry.snapshot(), context)
  registry.removeStatusHandler('b')
  registry.addStatusHandler('bb', b)
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|bb=OK|c=OK>')
})

t.test('a handler that took the place of another under its name shows its own status', async (t) => {
  const { text } = recorded()
  const { registry } = threeStates()
  text.render(await registry.snapshot(), context)
  registry.addStatusHandler('b', () => ({ state: RED }), { replace: true })
  t.equal(text.render(await registry.snapshot(), context), '<a=OK|b=RED|c=OK>')
})

t.test('what readers see with details and without is kept apart', async (t) => {
  const { made, text } = recorded()
  const { registry, a } = threeStates()
  a.setState(OK, { detail: 'secret' })
  for (let round = 0; round < 2; round++) {
    const snapshot = await registry.snapshot()
    t.equal(text.render(snapshot, detailed), '<a=OK(secret)|b=OK(undefined)|c=OK(undefined)>')
    t.equal(text.render(snapshot, context), '<a=OK|b=OK|c=OK>')
  }
  t.strictSame(made, ['a', 'b', 'c', 'a', 'b', 'c'])
  a.setState(RED, { detail: 'other' })
  const snapshot = await registry.snapshot()
  t.equal(text.render(snapshot, context), '<a=RED|b=OK|c=OK>')
  t.equal(text.render(snapshot, detailed), '<a=RED(other)|b=OK(undefined)|c=OK(undefined)>')
})

t.test('the last handler leaves an empty frame', async (t) => {
  const { text } = recorded()
  const registry = registryOf([['a', true]])
  t.equal(text.render(await registry.snapshot(), context), '<a=OK>')
  registry.removeStatusHandler('a')
  t.equal(text.render(await registry.snapshot(), context), '<>')
})

t.test('two registries that take turns are not mixed up', async (t) => {
  const { text } = recorded()
  const one = registryOf([['a', true], ['b', true]])
  const other = registryOf([['a', false], ['c', true]])
  for (let round = 0; round < 2; round++) {
    t.equal(text.render(await one.snapshot(), context), '<a=OK|b=OK>')
    t.equal(text.render(await other.snapshot(), context), '<a=RED|c=OK>')
  }
})

t.test('more than 2,000 entries come in slices, made again each time', async (t) => {
  const { made, text } = recorded()
  const registry = registryOf(many(2_001))
  for (let round = 1; round <= 2; round++) {
    const rendered = text.render(await registry.snapshot(), context)
    t.not(typeof rendered, 'string')
    t.equal([...rendered].join('').split('|').length, 2_001)
    t.equal(made.length, round * 2_001)
  }
})
