import t from 'tap'
import type { Format } from '../../types/format.js'
import { allFormats, type FormatsOptions } from '../../lib/formats/index.js'
import { escapeHtml } from '../../lib/formats/escape-html.js'

const own = (name: string, given: object = {}): Format => ({ name, contentTypes: ['text/x'], render: () => name, ...given })
const names = (formats: readonly Format[]): string[] => formats.map(({ name }) => name)

t.test('CSV comes first, for a reader who takes anything', (t) => {
  t.strictSame(names(allFormats({}, [])), ['csv', 'json', 'prometheus', 'health', 'html'])
  t.end()
})

t.test('own formats follow, and one with the name of a built-in format takes its place', (t) => {
  const json = own('json')
  const formats = allFormats({}, [own('xml'), json])
  t.strictSame(names(formats), ['csv', 'json', 'prometheus', 'health', 'html', 'xml'])
  t.equal(formats[1], json)
  t.end()
})

t.test('options go to their formats', (t) => {
  t.match(allFormats({ csv: { header: true } }, [])[0].contentTypes[0], /header=present/)
  for (const key of ['csv', 'healthJson', 'html', 'metrics']) {
    t.throws(() => allFormats({ [key]: { mistyped: true } } as FormatsOptions, []), { code: 'ERR_UNKNOWN_OPTION', message: /"mistyped"/ }, key)
  }
  t.end()
})

const wrong: Array<[string, unknown, RegExp]> = [
  ['null', null, /an entry of the option "formats".*null/],
  ['a function', () => 'x', /an entry of the option "formats".*function/],
  ['no name', {}, /name of an entry.*undefined/],
  ['a name with a slash', own('a/b'), /"a\/b"/],
  ['a name with a dot', own('a.b'), /"a\.b"/],
  ['an empty name', own(''), /name of an entry/],
  ['the name under which the page is followed', own('live'), /name of an entry.*"live"/],
  ['no content types', own('x', { contentTypes: undefined }), /contentTypes of the format "x"/],
  ['an empty list of content types', own('x', { contentTypes: [] }), /contentTypes of the format "x"/],
  ['a content type without a slash', own('x', { contentTypes: ['text'] }), /contentTypes of the format "x"/],
  ['a content type that is no string', own('x', { contentTypes: [1] }), /contentTypes of the format "x"/],
  ['no render', own('x', { render: 'text' }), /render of the format "x".*"text"/]
]

for (const [what, format, message] of wrong) {
  t.test(`a format that is or has ${what} is refused`, async (t) => {
    t.throws(() => allFormats({}, [format as Format]), { code: 'ERR_INVALID_OPTION', message })
  })
}

t.test('two own formats with the same name are refused', async (t) => {
  t.throws(() => allFormats({}, [own('x'), own('y'), own('x')]), { code: 'ERR_INVALID_OPTION', message: /two formats with the name "x"/ })
})

t.test('what HTML takes for its own is escaped, for text and for attributes', async (t) => {
  t.equal(escapeHtml('<a href="x" title=\'y\'>&amp;</a>'), '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;')
  t.equal(escapeHtml('plain 😀'), 'plain 😀')
})
