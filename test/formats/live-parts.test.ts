import fc from 'fast-check'
import t from 'tap'
import { LiveParts, type Part } from '../../lib/formats/live-parts.js'

const part = (key: string, html: string): Part => ({ key, html: `<${key}>${html}` })
const page = (...parts: Array<[string, string]>): Part[] => [{ html: '<main>' }, ...parts.map(([key, html]) => part(key, html)), { html: '</main>' }]

t.test('before there is a page there is nothing to tell', async (t) => {
  const live = new LiveParts()
  t.equal(live.since(0), undefined)
  t.equal(live.version, 0)
})

t.test('who has nothing yet is told the whole', async (t) => {
  const live = new LiveParts()
  live.set(page(['a', '1'], ['b', '1']))
  t.strictSame(live.since(0), { version: 1, elements: ['<main><a>1<b>1</main>'] })
  t.equal(live.version, 1)
  t.equal(live.since(1), undefined)
})

t.test('who has a version is told what is new since, however many versions ago that was', async (t) => {
  const live = new LiveParts()
  live.set(page(['a', '1'], ['b', '1'], ['c', '1']))
  live.set(page(['a', '2'], ['b', '1'], ['c', '1']))
  t.strictSame(live.since(1), { version: 2, elements: ['<a>2'] })
  live.set(page(['a', '2'], ['b', '1'], ['c', '3']))
  t.strictSame(live.since(1), { version: 3, elements: ['<a>2', '<c>3'] })
  t.strictSame(live.since(2), { version: 3, elements: ['<c>3'] })
  live.set(page(['a', '2'], ['b', '1'], ['c', '1']))
  t.strictSame(live.since(3), { version: 4, elements: ['<c>1'] }, 'and what is again what it was')
})

t.test('a page that did not change is the same version', async (t) => {
  const live = new LiveParts()
  live.set(page(['a', '1']))
  live.set(page(['a', '1']))
  t.equal(live.since(1), undefined)
})

for (const [what, parts] of [
  ['a part comes', page(['a', '1'], ['b', '1'], ['c', '1'])],
  ['a part goes', page(['a', '1'])],
  ['the parts have another order', page(['b', '1'], ['a', '1'])],
  ['a part is another', page(['a', '1'], ['c', '1'])],
  ['what stands between them changes', [{ html: '<main class>' }, ...page(['a', '1'], ['b', '1']).slice(1)]]
] as Array<[string, Part[]]>) {
  t.test(`where ${what} all are told the whole, and later only what is new`, async (t) => {
    const live = new LiveParts()
    live.set(page(['a', '1'], ['b', '1']))
    live.set(page(['a', '0'], ['b', '1']))
    live.set(parts)
    const whole = parts.map(({ html }) => html).join('')
    for (const version of [0, 1, 2]) t.strictSame(live.since(version), { version: 3, elements: [whole] })
    const [first, ...rest] = parts
    live.set([first, ...rest.map((one) => one.key === 'a' ? part('a', '9') : one)])
    t.strictSame(live.since(3), { version: 4, elements: ['<a>9'] })
  })
}

t.test('readers of one version are told the same object', async (t) => {
  const live = new LiveParts()
  live.set(page(['a', '1']))
  t.equal(live.since(0), live.since(0))
})

/** A reader as the page is one: the whole replaces all, an element the one with its key. */
function read (known: string[], elements: readonly string[]): string[] {
  if (elements.length === 1 && elements[0].startsWith('<main>')) return elements[0].split(/(?=<)/)
  return known.map((text) => elements.find((element) => element.split('>')[0] === text.split('>')[0]) ?? text)
}

t.test('whatever changes, and whatever a reader misses, in the end it has the newest', async (t) => {
  const anyPage = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2')), { selector: ([key]) => key })
  fc.assert(fc.property(fc.array(fc.tuple(anyPage, fc.boolean()), { minLength: 1 }), (steps) => {
    const live = new LiveParts()
    let [known, version]: [string[], number] = [[], 0]
    for (const [index, [parts, reads]] of steps.entries()) {
      live.set(page(...parts))
      const update = reads || index === steps.length - 1 ? live.since(version) : undefined
      if (update !== undefined) {
        known = read(known, update.elements)
        version = update.version
      }
    }
    const last = steps.at(-1) as [Array<[string, string]>, boolean]
    return known.join('') === page(...last[0]).map(({ html }) => html).join('')
  }))
  t.pass()
})
