import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '..')

async function sources (folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

/** What a file imports, type imports too, with relative paths from the root. */
function importsOf (file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'))
  return importedFiles.map(({ fileName }) => fileName.startsWith('.')
    ? relative(root, resolve(root, dirname(file), fileName)).replace(/\.js$/, '.ts')
    : fileName)
}

/** From the inside out: a room imports what stands before it, and itself; rooms in one line do not know each other. */
const rooms: string[][] = [
  ['types'],
  ['lib/core'],
  ['lib/formats', 'lib/probe', 'lib/checks', 'lib/policies', 'lib/auth'],
  ['lib/routes'],
  ['lib/plugin-options.ts', 'lib/lent-loggers.ts'],
  ['lib/service-status.ts'],
  ['lib/plugin.ts'],
  ['lib/health-check-server.ts', 'lib/failover', 'lib/healthchecker'],
  ['lib/cli'],
  ['lib/index.ts']
]

const inRoom = (room: string, file: string): boolean => file === room || file.startsWith(`${room}/`)
const rank = (file: string): number => rooms.findIndex((line) => line.some((room) => inRoom(room, file)))
const roomOf = (file: string): string | undefined => rooms.flat().find((room) => inRoom(room, file))

function mayImport (from: string, to: string): boolean {
  return roomOf(from) === roomOf(to) || (rank(to) >= 0 && rank(to) < rank(from))
}

t.test('imports point inward only', async (t) => {
  const files = [...await sources('lib'), ...(await sources('types')).filter((file) => !file.endsWith('.tst.ts'))]
  t.ok(files.length > 30)
  for (const file of files) {
    t.not(rank(file), -1, `${file} is in a room`)
    for (const imported of importsOf(file).filter((name) => name.endsWith('.ts'))) {
      t.ok(mayImport(file, imported), `${file} may import ${imported}`)
    }
  }
})

t.test('the direction is a direction', async (t) => {
  t.notOk(mayImport('lib/core/registry.ts', 'lib/formats/json.ts'))
  t.notOk(mayImport('lib/formats/json.ts', 'lib/probe/decommissioning.ts'))
  t.notOk(mayImport('types/status.ts', 'lib/core/state.ts'))
  t.notOk(mayImport('lib/failover/service.ts', 'lib/healthchecker/server.ts'))
  t.ok(mayImport('lib/plugin.ts', 'lib/routes/component.ts'))
})

t.test('types have no runtime', async (t) => {
  for (const file of await sources('types')) {
    if (file.endsWith('.tst.ts')) continue
    const { outputText } = ts.transpileModule(readFileSync(join(root, file), 'utf8'), { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, removeComments: true } })
    t.equal(outputText.replace(/export \{\};?/, '').trim(), '', file)
  }
})

t.test('every file of lib is imported by a test, so that its coverage counts', async (t) => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const imported of importsOf(file)) {
      if (imported.startsWith('lib/')) visit(imported)
    }
  }
  for (const file of await sources('test')) {
    if (!file.startsWith('test/system/')) visit(file)
  }
  for (const file of await sources('lib')) t.ok(reached.has(file), file)
})

t.test('no file is longer than one wants to read', async (t) => {
  for (const file of [...await sources('lib'), ...await sources('types')]) {
    t.ok(readFileSync(join(root, file), 'utf8').split('\n').length <= 320, file)
  }
})

t.test('what is imported from a package is a dependency', async (t) => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const known = new Set(Object.keys({ ...dependencies, ...peerDependencies }))
  for (const file of await sources('lib')) {
    for (const name of importsOf(file).filter((name) => !name.endsWith('.ts') && !name.startsWith('node:'))) {
      const [first, second] = name.split('/')
      t.ok(known.has(first.startsWith('@') ? `${first}/${second}` : first), `${file} imports ${name}`)
    }
  }
})
