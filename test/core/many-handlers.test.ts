import t from 'tap'
import { mostInOneGo, sliceLength } from '../../lib/core/in-slices.js'
import { StateHandler } from '../../lib/core/state-handler.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'
import { second } from '../../lib/core/units.js'
import type { StatusResult } from '../../types/status.js'
import { many, registryOf } from '../support/snapshots.js'

const length = mostInOneGo + 1

/** Who has a turn meanwhile. */
async function turnsDuring (work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let going = true
  const next = (): void => {
    turns++
    if (going) setImmediate(next)
  }
  setImmediate(next)
  await work()
  going = false
  return turns
}

t.test('more than 2,000 handlers are asked in slices, between which others have their turn', async (t) => {
  const asked: number[] = []
  const registry = registryOf(many(length, (index) => () => { asked.push(index); return true }))
  t.ok(await turnsDuring(async () => {
    const { state, entries } = await registry.snapshot()
    t.equal(state, OK)
    t.equal(entries.length, length)
    t.equal(registry.size, length)
    t.ok(entries.every(({ status }) => status?.state === OK))
    t.throws(() => { (entries as unknown[]).push(1) }, TypeError)
  }) >= 2 * Math.floor(length / sliceLength))
  t.strictSame(asked, Array.from({ length }, (_, index) => index), 'each once, in their order')
  const few = registryOf(many(mostInOneGo))
  t.ok(await turnsDuring(async () => await few.snapshot()) <= 1)
})

t.test('slow ones among many are waited for, each under its timeout, and the worst of all slices counts', async (t) => {
  const registry = registryOf(many(length, (index) => index === 0 ? async (): Promise<StatusResult> => await new Promise((resolve) => setTimeout(() => resolve(YELLOW), 20)) : true))
  t.equal((await registry.snapshot()).state, YELLOW)
  registry.addStatusHandler('h000700', async () => await new Promise(() => {}), { replace: true, timeout: second(0.05) })
  const { state, entries } = await registry.snapshot()
  t.equal(state, RED)
  t.match(entries[700], { fault: 'timed out', status: { state: RED, detail: 'timed out after 50 ms' } })
})

t.test('one that goes while others are asked is not shown, and one that comes is not either', async (t) => {
  const registry = registryOf(many(length))
  const last = `h${String(length - 1).padStart(6, '0')}`
  registry.addStatusHandler('h000000', () => {
    registry.removeStatusHandler(last)
    registry.addStatusHandler('z', () => RED)
    return true
  }, { replace: true })
  const { state, entries } = await registry.snapshot()
  t.equal(state, OK)
  t.equal(entries.length, length - 1)
  t.notOk(entries.some(({ name }) => name === last || name === 'z'))
  t.equal((await registry.snapshot()).state, RED)
})

t.test('one that tells of itself is shown as it is, with the time of its change', async (t) => {
  const registry = registryOf(many(mostInOneGo))
  const worker = new StateHandler()
  registry.addStatusHandler('worker', worker)
  worker.setState(YELLOW, { detail: 'slow' })
  const entry = (await registry.snapshot()).entries.at(-1)
  t.match(entry, { name: 'worker', status: { state: YELLOW, detail: 'slow' } })
  t.equal(entry?.at, registry.latest().entries.at(-1)?.at)
})
