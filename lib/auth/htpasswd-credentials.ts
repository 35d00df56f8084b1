export interface Credentials {
  readonly name: string
  readonly password: string
}

/** More than htpasswd can store: names and passwords of 255 bytes each. What is longer is not even decoded. */
const longestHeader = 1_024

/** A byte order mark is a character of the name like any other. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The name and the password of an `Authorization` header, or undefined where it has none in the form of
 * https://www.rfc-editor.org/rfc/rfc7617#section-2: base64 of UTF-8, without control characters, a colon after the name.
 */
export function basicCredentials (header: string | undefined): Credentials | undefined {
  if (header === undefined || header.length > longestHeader) return undefined
  const sent = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)
  const text = sent === null ? undefined : decoded(sent[1])
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 1 || hasControls(text)) return undefined
  return { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

function decoded (base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  // Buffer takes anything for base64; only what it would write itself is meant as such.
  if (bytes.toString('base64') !== base64) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** CTL of https://www.rfc-editor.org/rfc/rfc5234#appendix-B.1 */
export function hasControls (text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
