import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './sources.js'

/**
 * The values of PATH to try commands with: one that finds the stand-in for curl, and one with the machine's own where there is
 * one. All of them find the `svc-status` that was built.
 */
export function searchPaths (folder: string): string[] {
  const { PATH = '' } = process.env
  const standIn = program(join(folder, 'curl'), 'curl', join(import.meta.dirname, 'curl.js'))
  const path = `${program(join(folder, 'bin'), 'svc-status', join(root, 'dist/lib/cli/main.js'))}${delimiter}${PATH}`
  const hasCurl = PATH.split(delimiter).some((path) => existsSync(join(path, 'curl')))
  return [...hasCurl ? [path] : [], `${standIn}${delimiter}${path}`]
}

/** Gives the folder. */
function program (folder: string, name: string, script: string): string {
  mkdirSync(folder)
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`)
  chmodSync(file, 0o755)
  return folder
}
