import { parse } from 'csv-parse/sync'
import { register } from 'prom-client'
import t from 'tap'
import type { Format, Rendered } from '../../types/format.js'
import { mostInOneGo, sliceLength } from '../../lib/core/in-slices.js'
import { StatusRegistry } from '../../lib/core/registry.js'
import { allFormats } from '../../lib/formats/index.js'
import { framed } from '../../lib/formats/slices.js'
import { parseExposition, valuesBy } from '../support/exposition.js'
import { parsePage } from '../support/page.js'
import { concatenated, contextOf, many, snapshotOf } from '../support/snapshots.js'

const frame = { open: '<', separator: ',', close: '>' }
const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index)
const whole = (length: number): string => `<${numbers(length).join(',')}>`

t.test('up to 2,000 entries are one text', async (t) => {
  t.equal(mostInOneGo, 2_000)
  for (const length of [0, 1, 1_999, 2_000]) t.equal(framed(frame, numbers(length), String), whole(length), `${length}`)
})

t.test('more are slices of no more than 250 entries that make up the same text', async (t) => {
  for (const length of [2_001, 3_999, 4_000, 4_001, 10_000]) {
    const slices = [...framed(frame, numbers(length), String) as Iterable<string>]
    t.equal(slices.join(''), whole(length), `${length}`)
    for (const slice of slices) t.ok(slice.split(',').filter((part) => part !== '').length <= sliceLength, `${length}`)
  }
})

t.test('the parts of a slice are not made before the slice is wanted', async (t) => {
  let made = 0
  const slices = framed(frame, numbers(6_000), () => { made++; return 'x' }) as Iterable<string>
  t.equal(made, 0)
  const iterator = slices[Symbol.iterator]()
  iterator.next()
  iterator.next()
  t.equal(made, sliceLength)
})

/** How many entries each format shows, by a reader of that format, and which states. */
const readers: Record<string, (text: string) => Array<[name: string, state: string]>> = {
  csv: (text) => parse(text, { delimiter: '\t' }) as Array<[string, string]>,
  json: (text) => Object.entries(JSON.parse(text) as Record<string, { state: string }>).map(([name, { state }]) => [name, state]),
  prometheus: (text) => Object.entries(valuesBy('name', 'svc_status', parseExposition(text))).map(([name, value]) => [name, ['OK', 'YELLOW', 'RED'][value]]),
  health: (text) => Object.entries(JSON.parse(text).checks as Record<string, [{ status: string }]>)
    .map(([name, [{ status }]]) => [name, { pass: 'OK', warn: 'YELLOW', fail: 'RED' }[status] as string]),
  html: (text) => {
    const { texts } = parsePage(text)
    return texts.flatMap((cell, index): Array<[string, string]> => /^h\d{6}$/.test(cell) ? [[cell, texts[index - 1]]] : [])
  }
}

const states = ['OK', 'YELLOW', 'RED']

for (const length of [2_000, 2_001, 4_001]) {
  t.test(`${length} entries are shown by every format, each once and in order`, async (t) => {
    register.clear()
    const answers = many(length, (index) => states[index % 3])
    const snapshot = await snapshotOf(answers)
    for (const format of allFormats({}, [])) {
      const rendered: Rendered = await format.render(snapshot, contextOf(format))
      t.equal(typeof rendered === 'string', length <= 2_000, `${format.name} is ${length <= 2_000 ? 'one text' : 'slices'}`)
      // The page shows the worst first.
      const expected = format.name === 'html' ? ['RED', 'YELLOW', 'OK'].flatMap((state) => answers.filter((answer) => answer[1] === state)) : answers
      t.strictSame(readers[format.name](concatenated(rendered)), expected, format.name)
    }
  })
}

t.test('slices show the statuses of their snapshot, whatever changed since', async (t) => {
  const registry = new StatusRegistry()
  let state = 'OK'
  for (const [name] of many(2_001)) registry.addStatusHandler(name, () => state as 'OK')
  for (const format of allFormats({}, []) as Format[]) {
    state = 'OK'
    const iterator = (await format.render(await registry.snapshot(), contextOf(format)) as Iterable<string>)[Symbol.iterator]()
    let text = iterator.next().value as string
    state = 'RED'
    registry.removeStatusHandler('h002000')
    await registry.snapshot()
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) text += next.value
    registry.addStatusHandler('h002000', () => state as 'OK')
    const shown = readers[format.name](text)
    t.equal(shown.length, 2_001, format.name)
    t.ok(shown.every(([, shownState]) => shownState === 'OK'), format.name)
  }
})
