import t from 'tap'
import { count, day, hour, isCount, isDuration, longestTimer, milliseconds, minute, second, whole } from '../../lib/core/units.js'

t.test('units are what they say', async (t) => {
  t.equal(second(10).milliseconds, 10_000)
  t.equal(minute(3).milliseconds, 180_000)
  t.equal(hour(1).milliseconds, 3_600_000)
  t.equal(day(1).milliseconds, 86_400_000)
  t.equal(second(0.5).milliseconds, 500)
  t.equal(second(0).milliseconds, 0)
  t.equal(count(5).count, 5)
})

t.test('units read well in messages', async (t) => {
  t.equal(String(second(1)), '1 second')
  t.equal(String(minute(3)), '3 minutes')
  t.equal(String(count(1)), '1 result')
  t.equal(String(count(20)), '20 results')
})

t.test('a time is milliseconds, as a number or by a unit', async (t) => {
  t.equal(milliseconds(250, 'x', 1), 250)
  t.equal(milliseconds(second(5), 'x', 1), 5000)
  t.equal(milliseconds(day(30), 'x', 1, Infinity), 30 * 86_400_000)
  t.equal(milliseconds(longestTimer, 'x', 1), 2 ** 31 - 1)
})

t.test('counts and durations are told apart', async (t) => {
  t.ok(isCount(count(5)))
  t.notOk(isCount(second(5)))
  t.notOk(isCount(5))
  t.ok(isDuration(second(5)))
  t.ok(isDuration({ milliseconds: 5 }), 'also from another copy of the package')
  t.notOk(isDuration(count(5)))
  t.notOk(isDuration(5))
})

const badArguments: Array<[string, () => unknown, string, RegExp]> = [
  ['a string for seconds', () => second('5' as never), 'ERR_INVALID_OPTION', /second\(\) must be a number, not "5"/],
  ['NaN minutes', () => minute(NaN), 'ERR_INVALID_OPTION', /minute\(\) must be a number, not NaN/],
  ['negative hours', () => hour(-1), 'ERR_OPTION_OUT_OF_RANGE', /hour\(\) must be a finite number of 0 or more, not -1/],
  ['infinite days', () => day(Infinity), 'ERR_OPTION_OUT_OF_RANGE', /day\(\) must be a finite number/],
  ['no results', () => count(0), 'ERR_OPTION_OUT_OF_RANGE', /count\(\) must be from 1 to/],
  ['half a result', () => count(1.5), 'ERR_OPTION_OUT_OF_RANGE', /count\(\) must be a whole number, not 1\.5/],
  ['a BigInt for a count', () => count(5n as never), 'ERR_INVALID_OPTION', /must be a number, not 5n/],
  ['a count where a time belongs', () => milliseconds(count(5) as never, 'the option "timeout"', 1), 'ERR_INVALID_OPTION', /"timeout" must be a number of milliseconds or a time such as second\(5\), not count\(5\)/],
  ['a string where a time belongs', () => milliseconds('5s' as never, 'the option "timeout"', 1), 'ERR_INVALID_OPTION', /"timeout" .* not "5s"/],
  ['an object where a time belongs', () => milliseconds({} as never, 'the option "timeout"', 1), 'ERR_INVALID_OPTION', /not an object/],
  ['a time that is too short', () => milliseconds(0, 'the option "timeout"', 1), 'ERR_OPTION_OUT_OF_RANGE', /"timeout" in milliseconds must be from 1 to 2147483647, not 0/],
  ['a time that no timer holds', () => milliseconds(day(30), 'the option "timeout"', 1), 'ERR_OPTION_OUT_OF_RANGE', /not 2592000000/],
  ['an endless time where no limit is set', () => milliseconds(Infinity, 'warnBefore', 1, Infinity), 'ERR_OPTION_OUT_OF_RANGE', /a finite number of 1 or more/],
  ['half where a whole number belongs', () => whole(1.5, 'the option "port"', 1, 65535), 'ERR_OPTION_OUT_OF_RANGE', /"port" must be a whole number/]
]

for (const [title, call, code, message] of badArguments) {
  t.test(`${title} is refused with ${code}`, async (t) => {
    const Kind = code === 'ERR_OPTION_OUT_OF_RANGE' ? RangeError : TypeError
    t.throws(call, { code, message })
    try { call() } catch (error) { t.type(error, Kind) }
  })
}
