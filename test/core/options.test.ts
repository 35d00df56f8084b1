import t from 'tap'
import { knownOptions, ofKind, stringList } from '../../lib/core/options.js'

t.test('known options pass as they are, none are an empty object', async (t) => {
  const options = { a: 1 }
  t.equal(knownOptions(options, ['a'], 'x'), options)
  t.strictSame(knownOptions(undefined as { a?: number } | undefined, ['a'], 'x'), {})
})

t.test('an unknown option is refused by name, with those there are', async (t) => {
  t.throws(() => knownOptions({ tiemout: 1 } as { timeout?: number }, ['timeout'], 'addStatusHandler'),
    { code: 'ERR_UNKNOWN_OPTION', message: 'addStatusHandler has no option "tiemout"; it has timeout' })
})

for (const wrong of [null, 5, 'x', [], () => 1]) {
  t.test(`options that are ${typeof wrong} ${JSON.stringify(wrong)} are refused`, async (t) => {
    t.throws(() => knownOptions(wrong as never, [], 'x'), { code: 'ERR_INVALID_OPTION', message: /^x must be an object with options, not/ })
  })
}

t.test('a value of another kind is refused with what was expected and what came', async (t) => {
  t.throws(() => ofKind('yes', 'boolean', 'the option "critical"'), { code: 'ERR_INVALID_OPTION', message: 'the option "critical" must be a boolean, not "yes"' })
  t.throws(() => ofKind(null, 'object', 'x'), { message: 'x must be an object, not null' })
  t.throws(() => ofKind([], 'object', 'x'), { message: 'x must be an object, not an array' })
  t.throws(() => ofKind({}, 'array', 'x'), { message: 'x must be an array, not an object' })
  t.doesNotThrow(() => ofKind(undefined, 'boolean', 'x'))
  t.doesNotThrow(() => ofKind([], 'array', 'x'))
  t.doesNotThrow(() => ofKind({}, 'object', 'x'))
})

t.test('a list of strings holds strings with a character or more', async (t) => {
  t.doesNotThrow(() => stringList(undefined, 'tags'))
  t.doesNotThrow(() => stringList(['a'], 'tags'))
  t.throws(() => stringList('a', 'tags'), { code: 'ERR_INVALID_OPTION', message: 'tags must be an array, not "a"' })
  t.throws(() => stringList(['a', ''], 'tags'), { code: 'ERR_INVALID_OPTION' })
  t.throws(() => stringList([1], 'tags'), { code: 'ERR_INVALID_OPTION' })
})
