import { parse } from 'csv-parse/sync'
import t from 'tap'
import type { CsvOptions } from '../../types/options.js'
import { csvFormat } from '../../lib/formats/csv.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { snapshotOf, textOf } from '../support/snapshots.js'

const three: Array<[string, unknown]> = [
  ['queue', { state: 'YELLOW', detail: '12 waiting' }],
  ['db', 'OK'],
  ['Mail', { state: 'RED', detail: 'connection refused' }]
]

t.test('a line holds a name, a tab and a state, and the lines are sorted by name', async (t) => {
  t.equal(await textOf(csvFormat(), await snapshotOf(three)), 'Mail\tRED\ndb\tOK\nqueue\tYELLOW\n')
})

t.test('without handlers there is not a line', async (t) => {
  t.equal(await textOf(csvFormat(), await snapshotOf([])), '')
  t.equal(await textOf(csvFormat({ header: true }), await snapshotOf([])), 'name\tstate\n')
})

t.test('a header names the columns, and the content type says whether there is one', async (t) => {
  const snapshot = await snapshotOf(three.slice(1, 2))
  t.equal(await textOf(csvFormat({ header: true }), snapshot), 'name\tstate\ndb\tOK\n')
  t.equal(await textOf(csvFormat({ header: true, detail: true }), snapshot), 'name\tstate\tdetail\ndb\tOK\t\n')
  t.strictSame(csvFormat().contentTypes, ['text/csv; charset=utf-8; header=absent'])
  t.strictSame(csvFormat({ header: true }).contentTypes, ['text/csv; charset=utf-8; header=present'])
})

t.test('another delimiter separates, and is quoted where a name holds it', async (t) => {
  const snapshot = await snapshotOf([['a,b', 'OK'], ['plain', 'RED']])
  const text = await textOf(csvFormat({ delimiter: ',' }), snapshot)
  t.equal(text, '"a,b",OK\nplain,RED\n')
  t.strictSame(parse(text), [['a,b', 'OK'], ['plain', 'RED']])
})

t.test('the detail is a third column for those who may see it, and an empty one for others', async (t) => {
  const format = csvFormat({ detail: true })
  const snapshot = await snapshotOf(three)
  t.equal(await textOf(format, snapshot), 'Mail\tRED\tconnection refused\ndb\tOK\t\nqueue\tYELLOW\t12 waiting\n')
  t.equal(await textOf(format, snapshot, { details: false }), 'Mail\tRED\t\ndb\tOK\t\nqueue\tYELLOW\t\n')
  t.equal(await textOf(format, snapshot), 'Mail\tRED\tconnection refused\ndb\tOK\t\nqueue\tYELLOW\t12 waiting\n', 'and again')
})

const details: Array<[string, string, string]> = [
  ['a tab', 'a\tb', 'a\tb'],
  ['a quote', 'say "no"', 'say "no"'],
  ['a line feed', 'a\nb', 'a\nb'],
  ['a carriage return', 'a\rb', 'a\rb'],
  ['both', 'a\r\nb', 'a\r\nb'],
  ['spaces around', ' a ', ' a '],
  ['an emoji', 'fine 🎉', 'fine 🎉'],
  ['a formula', '=cmd|calc', "'=cmd|calc"],
  ['a plus', '+1', "'+1"],
  ['a minus', '-1', "'-1"],
  ['an at sign', '@SUM(A1)', "'@SUM(A1)"],
  ['a leading tab', '\t=1', "'\t=1"],
  ['a leading carriage return', '\r=1', "'\r=1"],
  ['a formula further on', 'x=1', 'x=1']
]

for (const [what, detail, cell] of details) {
  t.test(`a detail with ${what} is read back ${cell === detail ? 'as it was' : 'as text that no spreadsheet runs'}`, async (t) => {
    const snapshot = await snapshotOf([['before', 'OK'], ['db', { state: 'RED', detail }], ['end', 'OK']])
    const text = await textOf(csvFormat({ detail: true }), snapshot)
    t.strictSame(parse(text, { delimiter: '\t' }), [['before', 'OK', ''], ['db', 'RED', cell], ['end', 'OK', '']])
  })
}

t.test('names are read back as they were', async (t) => {
  const names = ['"', '""', 'a"b\\c', "'quoted'", '\\N', '__proto__', 'a b', ' a', '😀', '<img src=x onerror=alert(1)>', '\u2028', '0', 'NULL']
  const text = await textOf(csvFormat(), await snapshotOf(names.map((name) => [name, true])))
  t.strictSame(parse(text, { delimiter: '\t' }), [...names].sort().map((name) => [name, 'OK']))
})

t.test('a handler that was never asked is not shown as OK', async (t) => {
  const registry = new StatusRegistry()
  registry.addStatusHandler('db', () => true)
  t.equal(await textOf(csvFormat(), registry.latest()), 'db\tYELLOW\n')
})

const wrong: Array<[string, unknown, string, RegExp]> = [
  ['no object', 'x', 'ERR_INVALID_OPTION', /csv/],
  ['an unknown option', { headers: true }, 'ERR_UNKNOWN_OPTION', /"headers"/],
  ['a header that is no boolean', { header: 1 }, 'ERR_INVALID_OPTION', /csv\.header/],
  ['a detail that is no boolean', { detail: 'yes' }, 'ERR_INVALID_OPTION', /csv\.detail/],
  ['a delimiter that is no string', { delimiter: 9 }, 'ERR_INVALID_OPTION', /csv\.delimiter/],
  ['an empty delimiter', { delimiter: '' }, 'ERR_INVALID_OPTION', /csv\.delimiter/],
  ['two characters for a delimiter', { delimiter: '::' }, 'ERR_INVALID_OPTION', /csv\.delimiter/],
  ['a quote for a delimiter', { delimiter: '"' }, 'ERR_INVALID_OPTION', /csv\.delimiter/],
  ['a line feed for a delimiter', { delimiter: '\n' }, 'ERR_INVALID_OPTION', /csv\.delimiter/],
  ['a carriage return for a delimiter', { delimiter: '\r' }, 'ERR_INVALID_OPTION', /csv\.delimiter/]
]

for (const [what, options, code, message] of wrong) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => csvFormat(options as CsvOptions), { code, message })
  })
}
