import t from 'tap'
import fc from 'fast-check'
import { bounded, plainCopy } from '../../lib/core/plain-copy.js'

t.test('plain values are copied, deeply frozen', async (t) => {
  const source = { a: 1, b: [true, null, { c: 'x' }], d: undefined, e: () => 1, f: Symbol('x') }
  const copy = plainCopy(source)
  t.strictSame(copy, { a: 1, b: [true, null, { c: 'x' }] })
  t.ok(Object.isFrozen(copy) && Object.isFrozen(copy.b))
  source.b = []
  t.strictSame(copy.b, [true, null, { c: 'x' }], 'a later change does not reach the copy')
})

t.test('what JSON cannot hold is shown in words', async (t) => {
  const circular: Record<string, unknown> = { big: 12n, date: new Date(0), url: new URL('http://a/b') }
  circular.self = circular
  circular.list = [circular, undefined]
  t.strictSame(plainCopy(circular), {
    big: '12',
    date: '1970-01-01T00:00:00.000Z',
    url: 'http://a/b',
    self: '[circular]',
    list: ['[circular]', null]
  })
})

t.test('objects that throw are unreadable, the others stay', async (t) => {
  const trap = new Proxy({}, { ownKeys () { throw new Error('no') }, get () { throw new Error('no') } })
  const source = {
    good: 1,
    get bad (): unknown { throw new Error('no') },
    json: { toJSON () { throw new Error('no') } },
    trap,
    bare: new Proxy({}, { ownKeys () { throw new Error('no') } })
  }
  t.strictSame(plainCopy(source), { good: 1, bad: '[unreadable]', json: '[unreadable]', trap: '[unreadable]', bare: {} })
})

t.test('toJSON may give an object, but not for ever', async (t) => {
  t.strictSame(plainCopy({ a: { toJSON: () => ({ b: [1] }) }, c: { toJSON: () => null } }), { a: { b: [1] }, c: null })
  const endless = (): object => ({ next: { toJSON: endless } })
  t.match(JSON.stringify(plainCopy(endless())), /too deep/)
})

t.test('the key __proto__ is a key like any other', async (t) => {
  const copy = plainCopy(JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'))
  t.strictSame(Object.keys(copy), ['__proto__', 'constructor'])
  t.equal(JSON.stringify(copy), '{"__proto__":{"polluted":true},"constructor":1}')
  t.notOk('polluted' in copy)
})

t.test('size is bounded in every direction', async (t) => {
  let deep: object = {}
  for (let level = 0; level < 100; level++) deep = { deep }
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, index]))
  const many = { list: Array.from({ length: 100_000 }, () => 'x'.repeat(100)) }
  for (const [title, source] of Object.entries({ deep, wide, many, long: { text: 'x'.repeat(10_000_000) }, keys: { ['k'.repeat(1_000_000)]: 1 } })) {
    t.ok(JSON.stringify(plainCopy(source)).length < 200_000, title)
  }
})

t.test('a long text ends in an ellipsis and is well-formed', async (t) => {
  t.equal(bounded('abcdef', 4), 'abc…')
  t.equal(bounded('abcd', 4), 'abcd')
  t.equal(bounded('abc\ud83d\ude00', 4), 'abc…')
  t.equal(bounded('a\ud800'), 'a\ufffd')
})

t.test('whatever comes, the copy is valid JSON and the same as its own copy', async (t) => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withTypedArray: true })
  const property = fc.property(fc.dictionary(fc.string(), anything), (source) => {
    const copy = plainCopy(source)
    const again = plainCopy(JSON.parse(JSON.stringify(copy)))
    return JSON.stringify(again) === JSON.stringify(copy)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})

t.test('bytes are told of, and not copied one by one', async (t) => {
  t.strictSame(plainCopy({ a: new Uint8Array(10_000_000), b: Buffer.alloc(3), c: new DataView(new ArrayBuffer(8)) }), {
    a: '[Uint8Array of 10000000 bytes]', b: '[Buffer of 3 bytes]', c: '[DataView of 8 bytes]'
  })
})
