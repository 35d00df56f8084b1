/** The kinds of hash that are verified; htpasswd-match.ts has the code for each. */
export type HashKind = 'bcrypt' | 'apr1' | 'sha1' | 'crypt'

/** A hash as it stands in the file. */
export interface Hash {
  readonly kind: HashKind
  readonly text: string
  /** Hashes with the same word here take the same time. */
  readonly work: string
}

/** Each step doubles the time: 14 takes a second or more, htpasswd goes up to 17, which would take ten. */
const highestCost = 14

/** Of the length that each kind always has, so that a line cut short is none. */
const patterns: Readonly<Record<HashKind, RegExp>> = {
  bcrypt: /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/,
  apr1: /^\$apr1\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22}$/,
  sha1: /^\{SHA\}[A-Za-z0-9+/]{27}=$/,
  crypt: /^[./0-9A-Za-z]{13}$/
}

const kinds = Object.entries(patterns) as ReadonlyArray<[HashKind, RegExp]>

/** The hash of a line, or why the line is no good, in words that show nothing of it. */
export function toHash (text: string): Hash | string {
  for (const [kind, pattern] of kinds) {
    const match = pattern.exec(text)
    if (match === null) continue
    const cost = match[1] ?? ''
    if (Number(cost) > highestCost) return `its bcrypt cost is ${cost}, above ${highestCost}`
    return { kind, text, work: kind + cost }
  }
  if (text === '') return 'there is no hash after the name'
  if (/^\$[56]\$/.test(text)) return `its hash is SHA-${text[1] === '5' ? '256' : '512'}-crypt, which is not supported`
  if (/^(\$2[abxy]?\$|\$apr1\$|\{SHA\})/.test(text)) return 'its hash is damaged or cut short'
  return 'it has a plain password, or a kind of hash that is not supported'
}
