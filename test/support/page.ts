export interface Page {
  readonly style: string
  readonly script: string
  readonly tags: ReadonlyArray<{ readonly name: string, readonly attributes: Readonly<Record<string, string>> }>
  /** The text between two tags, as a reader sees it. */
  readonly texts: readonly string[]
}

const token = /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"<>]*")*)>|([^<>]+)/gy
const attribute = / ([a-z-]+)="([^"<>]*)"/g
const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/**
 * Reads a page by a grammar far stricter than HTML's, so that whatever is not escaped ends it: one style and one script,
 * tags with quoted attributes, and text in which no bracket and no bare ampersand stands.
 */
export function parsePage (html: string): Page {
  const style = between(html, '<style>', '</style>')
  const script = between(html, '<script>', '</script>')
  const rest = html.replace(style, '').replace(script, '').replace(/^<!doctype html>/, '')
  const tags: Array<{ name: string, attributes: Record<string, string> }> = []
  const texts: string[] = []
  let position = 0
  while (position < rest.length) {
    token.lastIndex = position
    const found = token.exec(rest)
    if (found === null) throw new Error(`not escaped: ${JSON.stringify(rest.slice(position, position + 60))}`)
    const [, closing, name, attributes, text] = found
    if (text !== undefined) texts.push(unescaped(text))
    else if (closing === '') tags.push({ name, attributes: Object.fromEntries([...attributes.matchAll(attribute)].map(([, key, value]) => [key, unescaped(value)])) })
    position = token.lastIndex
  }
  return { style, script, tags, texts: texts.filter((text) => text.trim() !== '') }
}

function between (html: string, open: string, close: string): string {
  const parts = html.split(open)
  if (parts.length !== 2) throw new Error(`${parts.length - 1} times ${open}`)
  return parts[1].slice(0, parts[1].indexOf(close))
}

function unescaped (text: string): string {
  return text.replace(/&(#\d+|\w*);?/g, (entity, name: string) => {
    if (!entity.endsWith(';') || characters[name] === undefined) throw new Error(`not escaped: ${JSON.stringify(text)}`)
    return characters[name]
  })
}
