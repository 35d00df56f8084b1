import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import ts from 'typescript'
import { commands } from '../../lib/cli/commands/index.js'
import { exitCodes } from '../../lib/cli/exit.js'
import { systemClock } from '../../lib/core/clock.js'
import { errorCodes, statusPlugin, StatusRegistry } from '../../lib/index.js'
import { anchorsOf, at, blocksOf, localLinksOf, tableAfter } from './markdown.js'
import { pages } from './pages.js'
import { exportsOfCode, optionsOfCode, root } from './sources.js'

const all = pages()
const reference = [...all].filter(([file]) => file.startsWith('docs/reference/'))

/** The word in backticks that a row of a table begins with. */
function word (cell: string): string {
  return /^`([^`]+)`/.exec(cell)?.[1] ?? cell
}

t.test('every error code has its line in the reference, and no other code is spoken of', async (t) => {
  const rows = tableAfter(all.get('docs/reference/errors.md') ?? '', '# Errors')
  t.same(rows.map(([code]) => word(code)).sort(), [...errorCodes].sort())
  for (const [code, ...cells] of rows) t.ok(cells.every((cell) => cell.length > 2), `${code} says what throws it`)
  for (const [file, source] of all) {
    for (const [code] of source.matchAll(/\bERR_[A-Z_]+/g)) t.ok((errorCodes as readonly string[]).includes(code), `${file}: ${code}`)
  }
})

t.test('every option of the code has its row in the reference, with its default, and no other option has one', async (t) => {
  const marked = reference.flatMap(([file, source]) =>
    [...source.matchAll(/<!-- options of: (.+) -->/g)].map(([marker, where]) => ({ file, where, rows: tableAfter(source, marker) })))
  const code = optionsOfCode()
  t.same(marked.map(({ where }) => where).sort(), code.map(({ where }) => where).sort(), 'one table for each place that takes options')
  for (const { where, names, defaults } of code) {
    const { file, rows } = marked.find((table) => table.where === where) ?? { file: 'no page', rows: [] }
    t.same(rows.map(([option]) => word(option)).sort(), [...names].sort(), `${file}: the options of ${where}`)
    for (const [option, value] of defaults) {
      const row = rows.find(([cell]) => word(cell) === option)
      t.ok(row?.[1]?.includes(`\`${value}\``), `${file}: the default of ${option} of ${where} is ${value}`)
    }
  }
})

t.test('every option of svc-status has its row in the reference, and every exit code', async (t) => {
  const page = all.get('docs/reference/cli.md') ?? ''
  const world = { stdout: process.stdout, stderr: process.stderr, env: {}, clock: systemClock, signal: new AbortController().signal }
  const made = commands.map((make) => make(world, () => {}))
  t.same([...page.matchAll(/<!-- options of the command: (.+) -->/g)].map(([, name]) => name), made.map((command) => command.name()))
  t.same(tableAfter(page, '# svc-status').map(([command]) => word(command).split(' ')[1]), made.map((command) => command.name()))
  for (const command of made) {
    const rows = tableAfter(page, `<!-- options of the command: ${command.name()} -->`)
    t.same(rows.map(([option]) => word(option)).sort(), command.options.map(({ flags }) => flags).sort(), command.name())
  }
  t.same(tableAfter(page, '## Exit codes').map(([code]) => Number(word(code))), Object.values(exitCodes))
})

t.test('everything that the package exports is in the reference', async (t) => {
  const words = new Set(reference.flatMap(([, source]) => [...source.matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => code.match(/\w+/g) ?? [])))
  for (const name of exportsOfCode()) t.ok(words.has(name), name)
})

t.test('the table of routes in the README holds what the plugin serves', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const served = new Set<string>()
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') served.add(`${one} ${url}`)
  })
  await app.register(statusPlugin, { registry: new StatusRegistry(), svcStatus: { health: true } })
  const rows = tableAfter(all.get('README.md') ?? '', '## Routes').map(([route]) => word(route).replace(/\?.*/, ''))
  t.same(rows.sort(), [...served].sort())
})

t.test('every link leads to a file, and to a heading of it', async (t) => {
  for (const [file, source] of all) {
    for (const { line, target } of localLinksOf(source)) {
      const [path, anchor] = target.split('#')
      const aim = path === '' ? file : normalize(join(dirname(file), path))
      t.ok(existsSync(join(root, aim)), `${file}:${line} leads to ${target}`)
      if (anchor !== undefined) t.ok(anchorsOf(all.get(aim) ?? '').has(anchor), `${file}:${line} leads to a heading: ${target}`)
    }
  }
})

t.test('samples in TypeScript are right by their types', async (t) => {
  const folder = t.testdir()
  const samples = [...all].flatMap(([file, source]) => blocksOf(file, source)).filter(({ language }) => language === 'ts')
  const files = samples.map((sample, index) => {
    const file = join(folder, `${index}-${sample.name ?? 'sample.ts'}`)
    writeFileSync(file, sample.text)
    return file
  })
  const { options } = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), { noEmit: true }, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} }) as ts.ParsedCommandLine
  const program = ts.createProgram(files, options)
  for (const [index, file] of files.entries()) {
    const complaints = ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    t.same(complaints, [], at(samples[index]))
  }
})
