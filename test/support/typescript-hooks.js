import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

// Hooks of Node's (https://nodejs.org/docs/latest-v20.x/api/module.html#customization-hooks) that read TypeScript with the compiler,
// and keep what it made: its own hooks in tap load it anew in each of some hundred processes, which takes a third of all CPU.

const cache = new URL('../../node_modules/.cache/typescript/', import.meta.url)
const { version } = JSON.parse(await readFile(new URL('../../node_modules/typescript/package.json', import.meta.url), 'utf8'))
const itself = await readFile(new URL(import.meta.url), 'utf8')

/** A module is imported, and a worker started, by the name that the compiler will give it. */
export async function resolve (specifier, context, next) {
  if (/^(\.{1,2}\/|file:).*\.js(\?|$)/.test(specifier)) {
    const source = new URL(specifier, context.parentURL)
    source.pathname = source.pathname.replace(/\.js$/, '.ts')
    if (!source.pathname.includes('/node_modules/') && existsSync(fileURLToPath(source))) return await next(source.href, context)
  }
  return await next(specifier, context)
}

export async function load (url, context, next) {
  const { pathname } = new URL(url)
  if (!pathname.endsWith('.ts') || pathname.includes('/node_modules/')) return await next(url, context)
  return { format: 'module', source: await transpiled(fileURLToPath(new URL(pathname, 'file:'))), shortCircuit: true }
}

async function transpiled (file) {
  const text = await readFile(file, 'utf8')
  const key = createHash('sha256').update(JSON.stringify([version, itself, file, text])).digest('hex')
  const kept = new URL(`${key}.js`, cache)
  try {
    return await readFile(kept, 'utf8')
  } catch {}
  const { default: ts } = await import('typescript')
  const { outputText } = ts.transpileModule(text, {
    fileName: file,
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, inlineSourceMap: true, inlineSources: true, verbatimModuleSyntax: true }
  })
  await mkdir(cache, { recursive: true })
  // Renamed, so that another process never reads half of it.
  const part = new URL(`${key}.${process.pid}`, cache)
  await writeFile(part, outputText)
  await rename(part, kept)
  return outputText
}
