import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './sources.js'

/** Every page that the repository shows, by its path from the root. */
export function pages (): Map<string, string> {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
  return new Map([...top, ...docs].sort().map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}
