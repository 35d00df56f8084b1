import t from 'tap'
import { codedError, errorCodes, show } from '../../lib/core/errors.js'

t.test('a coded error is of the kind its table says, with code, status code and cause', async (t) => {
  const cause = new Error('inner')
  const error = codedError('ERR_OPTION_OUT_OF_RANGE', 'too much', { cause, statusCode: 400 })
  t.type(error, RangeError)
  t.match(error, { code: 'ERR_OPTION_OUT_OF_RANGE', statusCode: 400, message: 'too much' })
  t.equal(error.cause, cause)
  t.notOk('statusCode' in codedError('ERR_INVALID_NAME', 'x'))
})

t.test('every code begins with ERR_ and stands once', async (t) => {
  t.equal(new Set(errorCodes).size, errorCodes.length)
  for (const code of errorCodes) t.match(code, /^ERR_[A-Z_]+$/)
})

t.test('what came is shown in short, whatever it is', async (t) => {
  const circular: { self?: unknown } = {}
  circular.self = circular
  const shown: Array<[unknown, string]> = [
    ['text', '"text"'],
    ['a\nb', '"a\\nb"'],
    ['x'.repeat(1000), `"${'x'.repeat(60)}…"`],
    ['postgres://bob:pass@word@db/x', '"postgres://…@db/x"'],
    [`redis://:${'x'.repeat(100)}@cache`, '"redis://…@cache"'],
    [5, '5'],
    [5n, '5n'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [circular, 'an object'],
    [[1], 'an array'],
    [() => 1, 'a function'],
    [Symbol('secret'), 'a symbol']
  ]
  for (const [value, text] of shown) t.equal(show(value), text)
})
