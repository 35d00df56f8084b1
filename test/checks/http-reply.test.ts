import t from 'tap'
import { kindOf, readReply } from '../../lib/checks/http-reply.js'
import { OK, RED, YELLOW } from '../../lib/core/state.js'

t.test('the content type says what a body may be', async (t) => {
  const kinds: Array<[string | undefined, string | undefined]> = [
    ['application/health+json', 'health'],
    ['Application/Health+JSON; charset=utf-8', 'health'],
    ['application/json', 'json'],
    [' application/json ;charset=utf-8', 'json'],
    ['application/jsonp', undefined],
    ['application/problem+json', undefined],
    ['text/plain', undefined],
    ['', undefined],
    [undefined, undefined]
  ]
  for (const [type, kind] of kinds) t.equal(kindOf(type), kind, String(type))
})

const checks = {
  'db:time': [{ status: 'pass' }, { status: 'FAIL', output: 'refused' }],
  cache: [{ status: 'warn' }],
  disk: { status: 'fail', output: '' },
  odd: 5,
  none: [null, {}, { status: 'blue' }]
}

const health: Array<[string, unknown, object]> = [
  ['pass', { status: 'pass' }, { state: OK }],
  ['pass in capitals', { status: 'PASS', checks }, { state: OK }],
  ['ok and up, synonyms', { status: 'up' }, { state: OK }],
  ['warn', { status: 'warn' }, { state: YELLOW, detail: 'status YELLOW' }],
  ['warn with an output', { status: 'warn', output: 'nearly full' }, { state: YELLOW, detail: 'status YELLOW: nearly full' }],
  ['fail', { status: 'fail', checks: {} }, { state: RED, detail: 'status RED' }],
  ['down, a synonym', { status: 'down' }, { state: RED, detail: 'status RED' }],
  ['fail with checks', { status: 'fail', output: 'see below', checks }, { state: RED, detail: 'db:time RED: refused, cache YELLOW, disk RED' }],
  ['fail with checks that are none', { status: 'error', checks: [1] }, { state: RED, detail: 'status RED' }],
  ['an output that is no text', { status: 'fail', output: { password: 'x' } }, { state: RED, detail: 'status RED' }],
  ['an unknown word', { status: 'blue' }, { state: YELLOW, detail: 'application/health+json without a known status' }],
  ['no word', {}, { state: YELLOW }],
  ['an own property of objects', { status: 'constructor' }, { state: YELLOW }],
  ['a list', [], { state: YELLOW }],
  ['a string', 'pass', { state: YELLOW }],
  ['null', null, { state: YELLOW }]
]

for (const [title, body, expected] of health) {
  t.test(`application/health+json that says ${title} is read`, async (t) => {
    t.match(readReply('health', JSON.stringify(body), true), expected)
  })
}

const svcStatus: Array<[string, unknown, object | undefined]> = [
  ['all OK', { db: { state: 'OK' }, cache: { state: 'GREEN', detail: 'fine' } }, { state: OK }],
  ['one YELLOW', { db: { state: 'OK' }, cache: { state: 'YELLOW', detail: 'nearly full' } }, { state: YELLOW, detail: 'cache YELLOW: nearly full' }],
  ['RED before YELLOW', { a: { state: 'RED' }, b: { state: 'YELLOW' } }, { state: RED, detail: 'a RED, b YELLOW' }],
  ['YELLOW before RED', { b: { state: 'YELLOW' }, a: { state: 'RED' } }, { state: RED, detail: 'b YELLOW, a RED' }],
  ['a detail that is no text', { a: { state: 'RED', detail: 5 } }, { state: RED, detail: 'a RED' }],
  ['many RED', Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [name, { state: 'RED' }])), { state: RED, detail: 'a RED, b RED, c RED, d RED, e RED and 2 more' }],
  ['an unknown state beside one that we know', { a: { state: 'RED' }, b: { state: 'active' } }, { state: RED, detail: 'a RED, b YELLOW' }],
  ['unknown states alone', { a: { state: 'up' }, b: { state: 'active' } }, undefined],
  ['something without a state', { a: { state: 'RED' }, version: '1.2' }, undefined],
  ['a health status', { status: 'fail' }, undefined],
  ['nothing', {}, undefined],
  ['a list', [{ state: 'RED' }], undefined],
  ['null', null, undefined]
]

for (const [title, body, expected] of svcStatus) {
  t.test(`JSON that says ${title} is ${expected === undefined ? 'no svc_status' : 'another svc_status'}`, async (t) => {
    t.strictSame(readReply('json', JSON.stringify(body), true), expected)
  })
}

t.test('long names and texts are cut', async (t) => {
  const { detail } = readReply('json', JSON.stringify({ ['n'.repeat(5000)]: { state: 'RED', detail: 'x'.repeat(5000) } }), true) as { detail: string }
  t.ok(detail.length < 500)
  t.match(detail, /^n+… RED: x+…$/)
})

t.test('a status that was announced and cannot be read is not OK', async (t) => {
  t.match(readReply('health', '{"status":"pa', true), { state: YELLOW })
  t.match(readReply('health', '{"status":"pass"', false), { state: YELLOW, detail: 'a status longer than maxBody, which was not read' })
  t.match(readReply('json', ' { "a \\"}": {"state" : "OK" }, "b', false), { state: YELLOW, detail: 'a status longer than maxBody, which was not read' })
})

t.test('other JSON is no status, broken or cut off', async (t) => {
  t.same(readReply('json', '{"a":{"state":"RED"', true), { state: YELLOW, detail: 'a status that cannot be read' })
  t.equal(readReply('json', '{"a":{"b":"state":', false), undefined)
  t.equal(readReply('json', `{"${'\\\\'.repeat(30_000)}`, false), undefined)
})

t.test('a word that is no state of ours does not hide the others', async (t) => {
  const read = (value: object): unknown => readReply('json', JSON.stringify(value), true)
  t.same(read({ db: { state: 'RED', detail: 'down' }, x: { state: 'UNKNOWN' } }), { state: RED, detail: 'db RED: down, x YELLOW' })
  t.same(read({ db: { state: 'OK' }, x: { state: 'red' } }), { state: YELLOW, detail: 'x YELLOW' })
  t.equal(read({ x: { state: 'California' } }), undefined)
})
