import type { LookupAddress, LookupOptions } from 'node:dns'
import { isIPv4, type LookupFunction } from 'node:net'
import t from 'tap'
import { Names, systemNames } from '../../lib/checks/names.js'

type Callback = Parameters<LookupFunction>[2]
type Answer = [error: unknown, address: unknown, family?: unknown]

/** A resolver that is asked and answers when the test says so. */
function resolver (): { asked: string[], callbacks: Callback[], lookup: LookupFunction } {
  const asked: string[] = []
  const callbacks: Callback[] = []
  return { asked, callbacks, lookup: (hostname, _options, callback) => { asked.push(hostname); callbacks.push(callback) } }
}

function ask (names: Names, hostname: string, options: LookupOptions = {}): { answers: Answer[], forget: () => void } {
  const answers: Answer[] = []
  const query = names.query()
  query.lookup(hostname, options, (...answer) => answers.push(answer))
  return { answers, forget: () => query.forget() }
}

t.test('a name is resolved once for all who ask at the same time, and anew afterwards', async (t) => {
  const { asked, callbacks, lookup } = resolver()
  const names = new Names(lookup)
  const runs = [ask(names, 'db'), ask(names, 'db'), ask(names, 'other'), ask(names, 'db', { family: 6 }), ask(names, 'db', { all: true })]
  t.strictSame(asked, ['db', 'other', 'db', 'db'], 'what is asked for differently is another question')
  callbacks[0](null, '127.0.0.1', 4)
  t.strictSame(runs.map(({ answers }) => answers), [[[null, '127.0.0.1', 4]], [[null, '127.0.0.1', 4]], [], [], []])
  ask(names, 'db')
  t.equal(asked.length, 5)
})

t.test('a run that is over is not held by a resolution that hangs', async (t) => {
  const { asked, callbacks, lookup } = resolver()
  const names = new Names(lookup)
  const runs = [ask(names, 'db'), ask(names, 'db')]
  runs[0].forget()
  callbacks[0](null, '127.0.0.1', 4)
  t.strictSame(runs.map(({ answers }) => answers.length), [0, 1])
  t.equal(asked.length, 1)
  t.doesNotThrow(() => names.query().forget(), 'nor one that never asked')
})

t.test('a resolution that hangs for a minute is begun once more, and may still answer those who wait for it', async (t) => {
  const { asked, callbacks, lookup } = resolver()
  let now = 0
  const names = new Names(lookup, { now: () => 0, monotonic: () => now })
  const first = ask(names, 'db')
  now = 59_999
  ask(names, 'db')
  t.equal(asked.length, 1)
  now = 60_000
  const second = ask(names, 'db')
  t.equal(asked.length, 2)
  callbacks[0](null, '127.0.0.1', 4)
  t.strictSame([first.answers.length, second.answers.length], [1, 0])
  ask(names, 'db')
  t.equal(asked.length, 2, 'the late answer does not hide the younger question')
  callbacks[1](null, '127.0.0.2', 4)
  t.strictSame(second.answers, [[null, '127.0.0.2', 4]])
})

t.test('where all threads are taken names wait their turn, none of them twice, however long it takes', async (t) => {
  const { asked, callbacks, lookup } = resolver()
  let now = 0
  const names = new Names(lookup, { now: () => 0, monotonic: () => now }, 2)
  for (const name of ['dead 1', 'dead 2', 'dead 3', 'db']) ask(names, name)
  const [again, other] = [ask(names, 'db'), ask(names, 'db', { family: 6 })]
  t.strictSame(asked, ['dead 1', 'dead 2'])
  now = 600_000
  ask(names, 'dead 3')
  ask(names, 'db')
  callbacks[0](new Error('EAI_AGAIN'), '')
  callbacks[0](new Error('EAI_AGAIN'), '')
  t.strictSame(asked, ['dead 1', 'dead 2', 'dead 3'])
  callbacks[1](new Error('EAI_AGAIN'), '')
  callbacks[3](null, '127.0.0.1', 4)
  t.strictSame(asked.slice(3), ['db', 'db'])
  t.strictSame(again.answers, [[null, '127.0.0.1', 4]])
  callbacks[4](null, '::1', 6)
  t.strictSame(other.answers, [[null, '::1', 6]])
  ask(names, 'dead 3')
  t.equal(asked.length, 5, 'it has its minute from when it began')
})

t.test('many names whose resolver answers at once are resolved one after the other', async (t) => {
  const names = new Names((_hostname, _options, callback) => callback(null, '127.0.0.1', 4), undefined, 1)
  t.equal(Array.from({ length: 100 }, (_item, index) => ask(names, `app ${index}`)).filter(({ answers }) => answers.length === 1).length, 100)
})

t.test('a resolver that answers twice is heard once', async (t) => {
  const { callbacks, lookup } = resolver()
  const run = ask(new Names(lookup), 'db')
  callbacks[0](null, '127.0.0.1', 4)
  callbacks[0](null, '127.0.0.2', 4)
  t.equal(run.answers.length, 1)
})

t.test('a resolver that throws has failed', async (t) => {
  const error = new TypeError('no')
  const names = new Names(() => { throw error })
  t.strictSame(ask(names, 'db').answers, [[error, '']])
  t.strictSame(ask(names, 'db', { all: true }).answers, [[error, []]])
})

const six: LookupAddress = { address: '::1', family: 6 }
const four: LookupAddress = { address: '127.0.0.1', family: 4 }
const given: Array<[string, unknown, unknown, LookupAddress[]]> = [
  ['one address', '127.0.0.1', 4, [four]],
  ['one address without a family', '::1', undefined, [six]],
  ['one address with a wrong family', '127.0.0.1', 6, [four]],
  ['a list', [six, four], undefined, [six, four]],
  ['a list with nonsense in it', [null, 5, {}, { address: 'x', family: 4 }, four], undefined, [four]],
  ['an empty list', [], undefined, []],
  ['nothing', undefined, undefined, []],
  ['a name', 'db', 4, []]
]

for (const [title, address, family, expected] of given) {
  t.test(`an answer that is ${title} is given in the form that was asked for`, async (t) => {
    const names = new Names((_hostname, _options, callback) => callback(null, address as string, family as number))
    const [one] = ask(names, 'db').answers
    const [all] = ask(names, 'db', { all: true }).answers
    if (expected.length > 0) {
      t.strictSame(one, [null, expected[0].address, expected[0].family])
      t.strictSame(all, [null, expected])
    } else {
      t.match(one, [{ code: 'ENOTFOUND' }, ''])
      t.match(all, [{ code: 'ENOTFOUND' }, []])
    }
  })
}

t.test('the names of the system are those of Node', async (t) => {
  const address = await new Promise((resolve, reject) => {
    systemNames.query().lookup('localhost', { family: 4 }, (error, found) => error === null ? resolve(found) : reject(error))
  })
  t.ok(isIPv4(String(address)))
})
