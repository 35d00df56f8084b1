import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import type { SpawnOptions } from 'node:child_process'

/** Database servers refuse to run as root: whoever is root starts them as somebody else, who gets the folder. */
export function asUser (user: string, folder: string): SpawnOptions {
  if (process.getuid?.() !== 0) return { cwd: folder }
  const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, user], { encoding: 'utf8' })))
  chownSync(folder, uid, gid)
  return { uid, gid, cwd: folder }
}
