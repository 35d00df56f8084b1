import fc from 'fast-check'
import t from 'tap'
import { Health, type Thresholds } from '../../lib/healthchecker/health.js'
import type { AppHealth, HealthState } from '../../types/healthchecker.js'

const thresholds: Thresholds = { unhealthyThreshold: 2, healthyThreshold: 3 }

/** `+` is a success, `-` a failure. */
function after (results: string, given = thresholds, start = Health.unknown): AppHealth {
  return [...results].reduce((health, result) => Health.after(health, result === '+', given), start)
}

/** The words without counters: the whole past, looked at anew for each question. */
function naive (results: boolean[], given: Thresholds): HealthState {
  if (results.length === 0) return 'UNKNOWN'
  const last = results.at(-1)
  const run = results.length - 1 - results.lastIndexOf(!last)
  const before = naive(results.slice(0, -1), given)
  if (last === false) return before === 'UNHEALTHY' || run >= given.unhealthyThreshold ? 'UNHEALTHY' : 'DEGRADING'
  if (run >= given.healthyThreshold) return 'HEALTHY'
  if (before !== 'DEGRADING') return before
  const failing = results.slice(0, -1)
  return naive(failing.slice(0, failing.lastIndexOf(true) + 1), given)
}

t.test('each edge of the state machine', async (t) => {
  const edges: Array<[string, HealthState]> = [
    ['', 'UNKNOWN'],
    ['+', 'UNKNOWN'],
    ['++', 'UNKNOWN'],
    ['+++', 'HEALTHY'],
    ['-', 'DEGRADING'],
    ['--', 'UNHEALTHY'],
    ['-+', 'UNKNOWN'],
    ['-++', 'UNKNOWN'],
    ['-+++', 'HEALTHY'],
    ['++-', 'DEGRADING'],
    ['++-+', 'UNKNOWN'],
    ['++-++', 'UNKNOWN'],
    ['+++-', 'DEGRADING'],
    ['+++-+', 'HEALTHY'],
    ['+++-+-', 'DEGRADING'],
    ['+++-+-+', 'HEALTHY'],
    ['+++--', 'UNHEALTHY'],
    ['--+', 'UNHEALTHY'],
    ['--++', 'UNHEALTHY'],
    ['--++-', 'UNHEALTHY'],
    ['--++-++', 'UNHEALTHY'],
    ['--+++', 'HEALTHY'],
    ['--+++-', 'DEGRADING']
  ]
  for (const [results, state] of edges) t.equal(after(results).state, state, `${results || 'nothing'} leads to ${state}`)
})

t.test('the counters are of results in a row, and stop at their thresholds', async (t) => {
  t.match(after('++++++'), { failures: 0, successes: 3 })
  t.match(after('------'), { failures: 2, successes: 0 })
  t.match(after('+++-'), { failures: 1, successes: 0, before: 'HEALTHY' })
  t.match(after('+++-+'), { failures: 0, successes: 1 })
})

t.test('what changes nothing gives the same object', async (t) => {
  const healthy = after('+++')
  t.equal(Health.after(healthy, true, thresholds), healthy)
  const unhealthy = after('--')
  t.equal(Health.after(unhealthy, false, thresholds), unhealthy)
  t.not(Health.after(healthy, false, thresholds), healthy)
})

t.test('thresholds that became lower hold from the next result on', async (t) => {
  const degrading = after('----', { unhealthyThreshold: 6, healthyThreshold: 10 })
  t.equal(degrading.state, 'DEGRADING')
  t.equal(after('-', thresholds, degrading).state, 'UNHEALTHY')
  const starting = after('+++++', { unhealthyThreshold: 6, healthyThreshold: 10 })
  t.match(after('+', thresholds, starting), { state: 'HEALTHY', successes: 3 })
})

t.test('whatever comes, the state is that of a look at the whole past', async () => {
  fc.assert(fc.property(
    fc.array(fc.boolean(), { maxLength: 60 }),
    fc.integer({ min: 2, max: 10 }),
    fc.integer({ min: 2, max: 10 }),
    (results, unhealthyThreshold, healthyThreshold) => {
      const given = { unhealthyThreshold, healthyThreshold }
      const health = results.reduce((health, result) => Health.after(health, result, given), Health.unknown)
      return health.state === naive(results, given)
    }
  ), { numRuns: 500 })
})
