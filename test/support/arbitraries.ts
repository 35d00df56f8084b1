import fc from 'fast-check'
import { checkName } from '../../lib/core/handler-name.js'

const nasty = ['"', '\\', '\\n', "'", '<', '>', '&', '=', '{', '}', ',', ';', '\t', '\n', '\r', ' ', '#', '%', '/', ':', '__proto__', 'constructor', '</script>', '# EOF', '😀', '\u2028', '\ud800', '\0']
const character = fc.oneof(
  fc.constantFrom(...nasty),
  fc.integer({ min: 0x20, max: 0x2fff }).map((code) => String.fromCodePoint(code))
)

export const anyText = fc.array(character, { maxLength: 30 }).map((parts) => parts.join(''))

/** Whatever the registry takes for a name. */
const anyName = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '0', '-'), anyText).filter((name) => {
  try {
    checkName(name)
    return true
  } catch {
    return false
  }
})

const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.bigInt(), fc.constantFrom(NaN, Infinity, -Infinity, -0))
const anyMetrics = fc.oneof(fc.dictionary(anyText, fc.oneof(anyNumber, fc.string(), fc.constant(null))), fc.anything())
const anyState = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('OK', 'YELLOW', 'RED') }, fc.anything())

const circular = fc.dictionary(anyText, fc.anything()).map((object) => {
  const round: Record<string, unknown> = { ...object }
  round.round = round
  return round
})

const throwing = fc.constant(undefined).map(() => Object.defineProperty({}, 'no', { enumerable: true, get () { throw new Error('no') } }))
const stubborn = fc.constant(undefined).map(() => ({ toJSON () { throw new Error('no') } }))
const anyValue = fc.oneof(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withTypedArray: true, withSparseArray: true }), circular, throwing, stubborn, anyText)

const anyStatus = fc.tuple(anyState, fc.oneof(anyText, anyValue), anyMetrics, fc.dictionary(fc.oneof(anyText, fc.constantFrom('__proto__', 'componentId', 'observedValue', 'affectedEndpoints', 'links')), anyValue))
  .map(([state, detail, metrics, further]) => ({ ...further, state, detail, metrics }))

/** What a handler does when it is asked: all that it should, and much that it should not. */
const anyAnswer = fc.oneof(
  { weight: 4, arbitrary: anyStatus.map((status) => () => status) },
  { weight: 1, arbitrary: anyStatus.map((status) => async () => status) },
  { weight: 1, arbitrary: anyState.map((state) => () => state) },
  { weight: 1, arbitrary: anyValue.map((value) => () => value) },
  { weight: 1, arbitrary: anyValue.map((value) => () => { throw value }) },
  { weight: 1, arbitrary: anyValue.map((value) => async () => { throw value }) }
)

/** Handlers with names of all kinds, and what they do. */
export const anyAnswers = fc.uniqueArray(fc.tuple(anyName, anyAnswer), { maxLength: 6, selector: ([name]) => name })
