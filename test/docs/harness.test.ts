import t from 'tap'
import { blocksOf, localLinksOf, anchorsOf } from './markdown.js'
import { Page } from './page.js'
import { searchPaths } from './search-paths.js'

const paths = searchPaths(t.testdir())

const server = `import Fastify from 'fastify'
const fastify = Fastify()
fastify.get('/', () => 'hello')
await fastify.listen({ port: 3000 })
`

function fenced (language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`
}

const faults: Array<[title: string, source: string, complaint: RegExp]> = [
  ['a sample that throws', fenced('js', 'throw new Error("oh")'), /^page\.md:1: .*exit code 1[^]*oh/],
  ['a sample that writes to stderr', fenced('js', 'console.error("deprecated")'), /^page\.md:1: [^]*deprecated/],
  ['a sample of an export that is not there', fenced('ts', "import { NOWHERE } from 'fastify-svc-status'\nconsole.log(NOWHERE)"), /^page\.md:1: [^]*NOWHERE/],
  ['an output that is another', fenced('js', 'console.log("one")') + fenced('text', 'two'), /^page\.md:4: the page shows\ntwo\nbut it is\none/],
  ['an output with a line more', fenced('js', 'console.log("one")') + fenced('text', 'one\n…'), /^page\.md:4: /],
  ['an output without a sample', fenced('text', 'one'), /^page\.md:1: .*no sample/],
  ['an output of a command that is another', `\n${fenced('js', server)}\n${fenced('console', '$ curl -s http://localhost:3000/\nhullo')}`, /^page\.md:9: [^]*but it is\nhello/],
  ['svc-status where nobody answers', fenced('console', '$ svc-status status localhost:3000\nhttp://localhost:3000 is OK'), /^page\.md:1: [^]*but it is\nsvc-status: http:\/\/localhost:3000: nobody listens there/],
  ['a command that shows no output although there is one', fenced('console', '$ echo 1'), /^page\.md:1: [^]*but it is\n1/],
  ['a console block without a command', fenced('console', 'ls'), /^page\.md:1: /],
  ['a block of an unknown language', fenced('toml', 'a = 1'), /^page\.md:1: a block of "toml"/],
  ['YAML that is none', fenced('yaml', 'a: [1'), /^page\.md:1: /],
  ['YAML with a key twice', fenced('yaml', 'a: 1\na: 2'), /^page\.md:1: .*unique/],
  ['YAML that is only a text', fenced('yaml', 'a\nb'), /^page\.md:1: a yaml block/],
  ['a block without a language', fenced('', 'a: 1'), /^page\.md:1: a block of ""/],
  ['an unknown command', fenced('sh', 'rm -r dist'), /^page\.md:1: nothing is known of the command "rm -r dist"/],
  ['an npm script that is not there', fenced('sh', 'npm run tset'), /^page\.md:1: package\.json has no script "tset"/],
  ['a package that nobody tests', fenced('sh', 'npm install left-pad'), /^page\.md:1: left-pad/],
  ['a folder that is not packed', fenced('sh', 'cp -r node_modules/fastify-svc-status/docs docs'), /^page\.md:1: package\.json does not pack docs/],
  ['a configuration that is not there', fenced('sh', 'promtool check config prometheus/prometheus.yml'), /^page\.md:1: there is no prometheus\/prometheus\.yml/],
  ['a file that was not shown', fenced('sh', 'node server.js'), /^page\.md:1: .*server\.js/],
  ['a server that goes down badly', fenced('js', `process.on('SIGTERM', () => process.exit(3))\n${server}`), /^page\.md:1: [^]*exit code 3/],
  ['a fence that is not closed', '```js\n1', /^page\.md:1: the fence is not closed/],
  ['a fence of tildes', '\n~~~js\n1\n~~~', /^page\.md:2: /],
  ['an indented fence', '- a\n  ```js\n  1\n  ```', /^page\.md:2: /]
]

for (const [title, source, complaint] of faults) {
  t.test(`${title} is a failure that names file and line`, async (t) => {
    const page = await Page.open(t.testdir(), paths)
    t.teardown(() => page.abandon())
    await t.rejects(async () => {
      for (const block of blocksOf('page.md', source)) await page.run(block)
      await page.stop()
    }, { message: complaint })
  })
}

t.test('a page that is right passes', async (t) => {
  const page = await Page.open(t.testdir(), paths)
  const source = [
    fenced('js half.js', 'export const half = (n) => n / 2'),
    fenced('ts', "import { half } from './half.js'\nconst four: number = half(8)\nconsole.log(four, 'at', Date.now())"),
    fenced('text', '4 at …'),
    fenced('sh', 'export NAME_OF_IT=$(echo a b)'),
    fenced('console', '$ echo "$NAME_OF_IT"\na b\n$ true\n$ echo \\\n  c\nc'),
    fenced('js server.js', `${server}console.log('listens on 3000')`),
    fenced('text', 'listens on 3000'),
    fenced('sh', 'node server.js'),
    fenced('yaml', 'a: 1\n---\n- b'),
    fenced('console', "$ curl -s http://localhost:3000/\nhello\n$ curl -s -o /dev/null -w '%{http_code}\\n' http://localhost:3000/nowhere\n404"),
    fenced('console', '$ svc-status status localhost:3000; echo $?\nsvc-status: http://localhost:3000: it has no /svc_status.json: …\n3')
  ].join('')
  t.teardown(() => page.abandon())
  for (const block of blocksOf('page.md', source)) await t.resolves(page.run(block), block.language)
  await t.resolves(page.stop())
})

t.test('links and anchors are read as GitHub reads them', async (t) => {
  const source = '# `new X(options?)`\n# A b\n# A b\n[a](b.md#c) [d](https://e) ![f](g.png)\n```js\n// [h](i)\n# J\n```\n[k]: l.md\n'
  t.same([...anchorsOf(source)], ['new-xoptions', 'a-b', 'a-b-1'])
  t.same(localLinksOf(source), [{ line: 4, target: 'b.md#c' }, { line: 4, target: 'g.png' }, { line: 9, target: 'l.md' }])
})
