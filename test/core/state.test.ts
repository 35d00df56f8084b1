import t from 'tap'
import { fail, GREEN, isState, OK, ok, RED, severity, states, worst, YELLOW } from '../../lib/core/state.js'

t.test('GREEN is another word for OK, ok stands for OK and fail for RED', async (t) => {
  t.equal(GREEN, OK)
  t.equal(ok, true)
  t.equal(fail, false)
})

t.test('states are ordered by severity, which is what Prometheus shows', async (t) => {
  t.strictSame(states, [OK, YELLOW, RED])
  t.strictSame(states.map(severity), [0, 1, 2])
})

t.test('the worst of two states wins whatever their order', async (t) => {
  for (const a of states) {
    for (const b of states) t.equal(severity(worst(a, b)), Math.max(severity(a), severity(b)), `${a} and ${b}`)
  }
})

t.test('only the three words are states', async (t) => {
  for (const word of ['ok', 'green', 'GREEN', 'RED ', '', 0, true, null, undefined, {}]) t.notOk(isState(word), String(word))
  for (const word of states) t.ok(isState(word))
})
