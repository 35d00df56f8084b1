import { isIP } from 'node:net'

/**
 * The address that a host is where it is written as one, also in the notations that resolvers and browsers take
 * (`0x7f.1`, `2130706433`, `[::1]`), in its one canonical form; `undefined` for a host name.
 */
export function literalOf (host: string): string | undefined {
  const bare = host.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const url = `http://${isIP(bare) === 6 ? `[${bare}]` : bare}/`
  if (!URL.canParse(url)) return undefined
  // https://url.spec.whatwg.org/#concept-ipv4-parser
  const canonical = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return isIP(canonical) === 0 ? undefined : canonical
}

/** How an IPv6 prefix has an IPv4 address in it. */
interface Embedding {
  /** The first bytes of the address. */
  readonly prefix: readonly number[]
  /** Which bytes are those of the IPv4 address. */
  readonly at: readonly [number, number, number, number]
  readonly inverted?: boolean
}

const zeros = (length: number): number[] => Array(length).fill(0)
const last = [12, 13, 14, 15] as const

const embeddings: readonly Embedding[] = [
  // Mapped, https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2, and compatible, 2.5.5.1
  { prefix: [...zeros(10), 0xff, 0xff], at: last },
  { prefix: zeros(12), at: last },
  // Translated: https://www.rfc-editor.org/rfc/rfc2765#section-2.1
  { prefix: [...zeros(8), 0xff, 0xff, 0, 0], at: last },
  // NAT64: https://www.rfc-editor.org/rfc/rfc6052#section-2.1, and for a site of its own
  // https://www.rfc-editor.org/rfc/rfc8215, whose prefix may have 96 bits, 64, 56 or 48
  { prefix: [0, 0x64, 0xff, 0x9b, ...zeros(8)], at: last },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: last },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: [9, 10, 11, 12] },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: [7, 9, 10, 11] },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: [6, 7, 9, 10] },
  // 6to4: https://www.rfc-editor.org/rfc/rfc3056#section-2
  { prefix: [0x20, 0x02], at: [2, 3, 4, 5] },
  // Teredo: https://www.rfc-editor.org/rfc/rfc4380#section-4
  { prefix: [0x20, 0x01, 0, 0], at: last, inverted: true }
]

/** The IPv4 addresses that a packet to a canonical IPv6 address may end up at. */
export function embeddedIn (address: string): string[] {
  const bytes = bytesOf(address)
  return embeddings.filter(({ prefix }) => prefix.every((byte, index) => bytes[index] === byte))
    .map(({ at, inverted = false }) => at.map((index) => inverted ? bytes[index] ^ 0xff : bytes[index]).join('.'))
}

/** The 16 bytes of an IPv6 address in canonical form, which has no dots. */
function bytesOf (address: string): number[] {
  const [head, tail] = address.split('::').map((part) => part === '' ? [] : part.split(':'))
  const groups = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail]
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
}
