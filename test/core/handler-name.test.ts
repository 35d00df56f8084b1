import t from 'tap'
import { checkHandler, checkName } from '../../lib/core/handler-name.js'

const refused: Array<[string, unknown, RegExp]> = [
  ['an empty name', '', /have 1 to 100 characters/],
  ['101 characters', 'x'.repeat(101), /have 1 to 100 characters/],
  ['10 KB', 'x'.repeat(10_240), /have 1 to 100 characters/],
  ['a line break', 'a"b\nc\\d', /no control characters/],
  ['NUL', 'a\0b', /no control characters/],
  ['half a surrogate pair', 'a\ud800', /well-formed Unicode/],
  ['a formula', '=cmd()', /spreadsheets take for a formula/],
  ['a formula that begins with +', '+1', /formula/],
  ['a formula that begins with -', '-1', /formula/],
  ['a formula that begins with @', '@SUM(1)', /formula/],
  ['a dot', '.', /no address can hold/],
  ['two dots', '..', /no address can hold/],
  ['a formula with a full-width sign', '＝cmd()', /formula/],
  ['a number', 5, /be a string; it is 5/],
  ['a symbol', Symbol('x'), /be a string; it is a symbol/],
  ['undefined', undefined, /be a string/]
]

for (const [title, name, message] of refused) {
  t.test(`${title} is no name`, async (t) => {
    t.throws(() => checkName(name), { code: 'ERR_INVALID_NAME', message })
  })
}

for (const name of ['x', 'x'.repeat(100), '__proto__', 'constructor', 'a"b\\d', 'a/b', 'ünïcödé', '😀', 'a b', '<img src=x onerror=alert(1)>', '%2F', '...', 'a=b']) {
  t.test(`${name} is a name`, async (t) => {
    t.doesNotThrow(() => checkName(name))
  })
}

t.test('a handler is a function or has getStatus', async (t) => {
  t.doesNotThrow(() => checkHandler('x', () => true))
  t.doesNotThrow(() => checkHandler('x', { getStatus () {} }))
  for (const wrong of [undefined, null, 'OK', {}, { getStatus: 1 }, []]) {
    t.throws(() => checkHandler('x', wrong), { code: 'ERR_INVALID_HANDLER', message: /the status handler "x" must be a function or an object with a method getStatus/ })
  }
})
