import type { Credentials } from './htpasswd-credentials.js'
import { hasControls } from './htpasswd-credentials.js'
import { toHash, type Hash } from './htpasswd-hash.js'

/** A line that lets nobody in, and why, in words that show nothing of it. */
export interface Problem {
  readonly line: number
  readonly problem: string
}

/** What it takes to tell whether somebody is let in. */
export interface Check {
  readonly password: string
  /** Absent where the name is unknown: then the answer is no, whatever the others say. */
  readonly own?: Hash
  /** One hash of each other work in the file. They are tried as well, so that the time does not tell who is in the file. */
  readonly others: readonly Hash[]
}

/** The users of one version of a file. */
export class Users {
  readonly problems: readonly Problem[]
  readonly #hashes = new Map<string, Hash>()
  readonly #works = new Map<string, Hash>()

  constructor (text: string) {
    const problems: Problem[] = []
    const lines = new Map<string, number>()
    for (const [index, content] of text.split('\n').entries()) {
      // This takes the byte order mark of Windows' editors too.
      const problem = this.#take(content.trim(), index + 1, lines)
      if (problem !== undefined) problems.push({ line: index + 1, problem })
    }
    this.problems = problems
  }

  /** Undefined where the file lets nobody in at all. */
  checkOf ({ name, password }: Credentials): Check | undefined {
    if (this.#works.size === 0) return undefined
    const own = this.#hashes.get(name)
    return { password, own, others: [...this.#works.values()].filter(({ work }) => work !== own?.work) }
  }

  /** A line as mod_authn_file reads it: `name:hash`, and what follows a second colon is a comment. */
  #take (content: string, line: number, lines: Map<string, number>): string | undefined {
    if (content === '' || content.startsWith('#')) return undefined
    // What is not UTF-8 was decoded to U+FFFD.
    if (hasControls(content) || content.includes('\ufffd')) return 'it has a control character, or is not UTF-8'
    const [name, text] = content.split(':', 2)
    if (text === undefined) return 'it has no colon'
    if (name === '') return 'it has no name'
    // The first line of a name counts, also when it is no good: whoever locked a user out that way meant it.
    const first = lines.get(name)
    if (first !== undefined) return `its user has line ${first} already, and the first counts`
    lines.set(name, line)
    const hash = toHash(text)
    if (typeof hash === 'string') return hash
    this.#hashes.set(name, hash)
    if (!this.#works.has(hash.work)) this.#works.set(hash.work, hash)
    return undefined
  }
}
