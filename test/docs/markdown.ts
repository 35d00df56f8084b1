/** A fenced block of a page. */
export interface Block {
  readonly file: string
  /** The line of its first fence, as editors count. */
  readonly line: number
  /** The first word after the fence. */
  readonly language: string
  /** What follows it there: the name of a file. */
  readonly name: string | undefined
  readonly text: string
}

export function at ({ file, line }: Pick<Block, 'file' | 'line'>): string {
  return `${file}:${line}`
}

/**
 * All fenced blocks of a page.
 *
 * @throws where a fence is of a kind that this reader might overlook, or is not closed
 */
export function blocksOf (file: string, source: string): Block[] {
  const blocks: Block[] = []
  let open: { fence: string, line: number, info: string, lines: string[] } | undefined
  for (const [index, text] of source.split('\n').entries()) {
    const line = index + 1
    if (open === undefined) {
      if (/^(\s+```|\s*~~~)/.test(text)) throw new Error(`${file}:${line}: a fence must be of backticks and begin its line`)
      const [, fence, info] = /^(`{3,})(.*)$/.exec(text) ?? []
      if (fence !== undefined) open = { fence, line, info: info.trim(), lines: [] }
    } else if (text.trimEnd() === open.fence) {
      const [language = '', name] = open.info.split(/\s+/)
      blocks.push({ file, line: open.line, language, name, text: open.lines.map((one) => `${one}\n`).join('') })
      open = undefined
    } else {
      open.lines.push(text)
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the fence is not closed`)
  return blocks
}

/** The page with its fenced blocks emptied, so that lines keep their numbers. */
export function proseOf (source: string): string {
  return source.replace(/^(`{3,})[^`\n]*\n[\s\S]*?^\1\s*$/gm, (block) => block.replace(/[^\n]+/g, ''))
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf (source: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of proseOf(source).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = text.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-')
    let anchor = slug
    for (let number = 1; anchors.has(anchor); number++) anchor = `${slug}-${number}`
    anchors.add(anchor)
  }
  return anchors
}

export interface Link {
  readonly line: number
  readonly target: string
}

/** The links of a page that lead to other files of the repository or to headings. */
export function localLinksOf (source: string): Link[] {
  const links: Link[] = []
  for (const [index, text] of proseOf(source).split('\n').entries()) {
    for (const [, inline, reference] of text.matchAll(/\]\(<?([^)>\s]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/g)) {
      const target = inline ?? reference
      if (!/^[a-z]+:/i.test(target)) links.push({ line: index + 1, target })
    }
  }
  return links
}

/** The rows of the first table after a line of a page, without its head, as cells. */
export function tableAfter (source: string, marker: string): string[][] {
  const lines = source.slice(source.indexOf(marker) + marker.length).split('\n')
  const start = lines.findIndex((line) => line.startsWith('|'))
  const rest = start === -1 ? [] : lines.slice(start + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end === -1 ? undefined : end).map((row) =>
    row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll('\\|', '|')))
}
