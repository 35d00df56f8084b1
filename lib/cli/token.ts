import { open } from 'node:fs/promises'
import { bearerToken } from '../auth/bearer-token.js'
import { isOpenToAll } from '../core/open-to-all.js'
import { UsageError } from './exit.js'
import { plain } from './plain.js'
import type { Target } from './target.js'
import type { World } from './world.js'

/** A token is some dozens of characters; a web token may be some thousands. */
const longestFile = 8_192

/**
 * The token for some services: of the file where one is named, else that of the environment.
 *
 * @param overHttp whether it may go to other machines without encryption
 * @throws UsageError
 */
export async function tokenFor (targets: readonly Target[], file: string | undefined, env: World['env'], overHttp = false): Promise<string | undefined> {
  const token = file === undefined ? env.SVC_STATUS_TOKEN : await tokenOfFile(file)
  if (token === undefined || token === '') return undefined
  const source = file === undefined ? 'SVC_STATUS_TOKEN' : plain(file, 200)
  try {
    bearerToken(token)
  } catch {
    // What is there is not shown: it may be most of a secret.
    throw new UsageError(`${source} holds no token: ASCII characters, without a space or a line end around them`)
  }
  const open = targets.find(({ base }) => base.startsWith('http:') && !isLoopback(new URL(base).hostname))
  if (open !== undefined && !overHttp) {
    throw new UsageError(`the token would go to ${open.base} without encryption, where others may read it; nothing was sent. Ask by https://, or allow it with --token-over-http where the network is your own`)
  }
  return token
}

/**
 * What is in a file that strangers cannot read, without the line end behind it.
 *
 * @param platform Windows has no such permissions
 * @throws UsageError
 */
export async function tokenOfFile (path: string, platform: string = process.platform): Promise<string> {
  const shown = plain(path, 200)
  try {
    const file = await open(path)
    try {
      if (isOpenToAll(await file.stat(), platform)) {
        throw new UsageError(`the token file ${shown} is open to every user of this machine; nothing was sent. chmod o= ${shown} closes it`)
      }
      const { buffer, bytesRead } = await file.read(Buffer.alloc(longestFile + 1))
      if (bytesRead > longestFile) throw new UsageError(`the token file ${shown} has more than ${longestFile} bytes: is it another file that is meant?`)
      const text = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '')
      if (text === '') throw new UsageError(`the token file ${shown} is empty`)
      return text
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`the token file ${shown} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** Names below `localhost` are those of this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
function isLoopback (hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]+\])$/.test(hostname)
}
