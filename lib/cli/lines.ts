import type { State } from '../../types/status.js'
import { cut, displayWidth } from './plain.js'
import type { World } from './world.js'

/** A part of a line: plain text, in the colour of a state where it has one. */
export interface Segment {
  readonly text: string
  readonly color?: State
}

export type Line = readonly Segment[]

/** Green, yellow and red, bold where it is worth a look: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ */
const codes: Readonly<Record<State, string>> = { OK: '32', YELLOW: '1;33', RED: '1;31' }

/**
 * Whether to colour what goes to stdout: on a terminal, unless NO_COLOR says otherwise (https://no-color.org), whatever
 * FORCE_COLOR says (https://force-color.org, where `0` and `false` turn it off, as in Node).
 */
export function wantsColor ({ stdout, env }: Pick<World, 'stdout' | 'env'>): boolean {
  const { FORCE_COLOR, NO_COLOR = '', TERM } = env
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stdout.isTTY === true && NO_COLOR === '' && TERM !== 'dumb'
}

export function paint (line: Line, colored: boolean): string {
  return line.map(({ text, color }) => colored && color !== undefined ? `\x1b[${codes[color]}m${text}\x1b[0m` : text).join('').trimEnd()
}

/** As much of a line as goes into so many columns. */
export function cutLine (line: Line, columns: number): Line {
  const kept: Segment[] = []
  let left = columns
  for (const segment of line) {
    const text = cut(segment.text, left)
    kept.push({ ...segment, text })
    if (text !== segment.text) break
    left -= displayWidth(text)
  }
  return kept
}

/** Rows of cells as lines whose columns stand below each other. */
export function aligned (rows: readonly Line[]): Line[] {
  const widths: number[] = []
  for (const row of rows) row.forEach(({ text }, column) => { widths[column] = Math.max(widths[column] ?? 0, displayWidth(text)) })
  return rows.map((row) => row.flatMap((cell, column) => column === row.length - 1
    ? [cell]
    : [cell, { text: ' '.repeat(widths[column] - displayWidth(cell.text) + 2) }]))
}
