import { stripVTControlCharacters } from 'node:util'

/** What would steer a terminal, or turn the order of what it shows around: https://trojansource.codes */
const steering = /[\p{Cc}\p{Zl}\p{Zp}]+/gu
const turning = /\p{Bidi_Control}/gu
const unescaped = /[\x7f-\x9f\u2028\u2029\p{Bidi_Control}]/gu

/** A stranger's text as one line that a terminal only shows, cut at `most` characters. */
export function plain (text: string, most = 4_096): string {
  const line = stripVTControlCharacters(text.slice(0, most * 4)).toWellFormed().replace(steering, ' ').replace(turning, '').trim()
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line
}

/** JSON that a terminal only shows, too: JSON.stringify leaves the control characters from U+007F on as they are. */
export function jsonText (value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unescaped, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const graphemes = new Intl.Segmenter()

/** Two columns: wide and full-width in https://www.unicode.org/reports/tr11/, and emoji. */
const wide = /^[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18df2}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\ufe0f/u
const none = /^[\p{Mark}\p{Format}]+$/u

function widthOf (grapheme: string): number {
  if (none.test(grapheme)) return 0
  return wide.test(grapheme) ? 2 : 1
}

/** How many columns of a terminal a plain text takes. */
export function displayWidth (text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += widthOf(segment)
  return width
}

/** As much of a plain text as goes into so many columns, with an ellipsis where that is not all of it. */
export function cut (text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment)
    if (width > columns) break
    kept += segment
  }
  return columns < 1 ? '' : `${kept}…`
}
