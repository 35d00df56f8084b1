import t from 'tap'
import type { Decommission, DecommissionStore } from '../../types/decommission.js'
import { memoryStore } from '../../lib/index.js'
import { checkBody, isInService } from '../../lib/probe/decommission.js'
import { Decommissioning } from '../../lib/probe/decommissioning.js'

const silent = { info () {}, warn () {}, error () {} }

function decommissioning (store: DecommissionStore = memoryStore()): { subject: Decommissioning, changes: boolean[] } {
  const changes: boolean[] = []
  return { subject: new Decommissioning(store, silent, (outOfService) => { changes.push(outOfService) }), changes }
}

const good: Array<[string, string]> = [
  ['a character', 'x'],
  ['256 characters', 'x'.repeat(256)],
  ['spaces', ' maintenance until 12 '],
  ['markup', '<b>"off"</b>'],
  ['other scripts', 'außer Betrieb 停止 🚧']
]

for (const [what, body] of good) {
  t.test(`a body of ${what} is what the probe answers`, async (t) => {
    const { subject } = decommissioning()
    await subject.decommission(body)
    t.equal(subject.body, body)
    t.equal(subject.current?.body, body)
  })
}

const bad: Array<[string, unknown, RegExp]> = [
  ['an empty body', '', /1 to 256 characters.*""/],
  ['257 characters', 'x'.repeat(257), /1 to 256 characters/],
  ['a carriage return', 'a\rb', /no control characters/],
  ['a line feed', 'a\nb', /no control characters/],
  ['NUL', 'a\0b', /no control characters/],
  ['a tab', 'a\tb', /no control characters/],
  ['DEL', 'a\x7f', /no control characters/],
  ['a control character of Latin-1', 'a\x85', /no control characters/],
  ['half a surrogate pair', 'a\ud800', /no control characters/],
  ['a number', 1, /be a string; it is 1/],
  ['nothing', null, /be a string; it is null/],
  ['an object', {}, /be a string/]
]

for (const [what, body, message] of bad) {
  t.test(`${what} is refused and changes nothing`, async (t) => {
    t.throws(() => checkBody(body), { code: 'ERR_INVALID_DECOMMISSION', statusCode: 400, message })
    const store = memoryStore()
    const { subject, changes } = decommissioning(store)
    await t.rejects(subject.decommission(body as string), { code: 'ERR_INVALID_DECOMMISSION', message: /nothing was changed/ })
    t.equal(subject.body, undefined)
    t.equal(await store.open(() => {}), undefined)
    t.strictSame(changes, [])
  })
}

t.test('a body that says OK is no decommission, in any case', async (t) => {
  for (const body of ['OK', 'ok', 'Ok', 'oK']) {
    t.equal(isInService(body), true, body)
    const { subject } = decommissioning()
    await t.rejects(subject.decommission(body), { code: 'ERR_INVALID_DECOMMISSION', statusCode: 400, message: /recommission it instead/ })
    t.equal(subject.body, undefined)
  }
  for (const body of ['OFF', 'OK!', ' OK', 'O']) t.equal(isInService(body), false, body)
})

t.test('whoever follows hears of each change of service once', async (t) => {
  const { subject, changes } = decommissioning()
  await subject.recommission()
  t.strictSame(changes, [], 'it was in service')
  await subject.decommission('A')
  await subject.decommission('B')
  t.strictSame(changes, [true])
  await subject.recommission()
  t.strictSame(changes, [true, false])
})

t.test('draining is not decommissioning, and lasts longer than one', async (t) => {
  const store = memoryStore()
  const { subject, changes } = decommissioning(store)
  subject.startDraining()
  t.equal(subject.body, 'DRAINING')
  t.equal(subject.draining, true)
  t.equal(subject.current, undefined)
  t.equal(await store.open(() => {}), undefined, 'the store knows nothing of it')
  await subject.decommission('OFF')
  t.equal(subject.body, 'OFF')
  await subject.recommission()
  t.equal(subject.body, 'DRAINING')
  t.strictSame(changes, [true])
})

t.test('an instance that is decommissioned already tells nobody that it drains', async (t) => {
  const { subject, changes } = decommissioning()
  await subject.decommission('OFF')
  subject.startDraining()
  t.equal(subject.body, 'OFF')
  t.strictSame(changes, [true])
})

t.test('the time of a decommission is when it was made', async (t) => {
  const { subject } = decommissioning()
  const before = Date.now()
  await subject.decommission('OFF')
  t.ok((subject.current as Decommission).since >= before && (subject.current as Decommission).since <= Date.now())
})

t.test('the memory store gives what it was given, until a restart', async (t) => {
  const store = memoryStore()
  t.equal(store.name, 'memory')
  t.equal(await store.open(() => {}), undefined)
  const decommission = { body: 'OFF', since: 1 }
  await store.write(decommission)
  t.equal(await store.open(() => {}), decommission)
  await store.write(undefined)
  t.equal(await store.open(() => {}), undefined)
  await store.close()
  t.equal(await memoryStore().open(() => {}), undefined)
})
