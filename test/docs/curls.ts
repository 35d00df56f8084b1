import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The values of PATH to try commands with: one that finds the stand-in, and the machine's own where that finds a curl. */
export function pathsToCurl (folder: string): string[] {
  const { PATH = '' } = process.env
  const standIn = join(folder, 'curl')
  writeFileSync(standIn, `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, 'curl.js')}" "$@"\n`)
  chmodSync(standIn, 0o755)
  const hasCurl = PATH.split(delimiter).some((path) => existsSync(join(path, 'curl')))
  return [...hasCurl ? [PATH] : [], `${folder}${delimiter}${PATH}`]
}
