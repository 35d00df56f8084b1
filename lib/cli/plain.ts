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

/** Two columns: https://www.unicode.org/reports/tr11/, where emoji are wide as well. */
const wide = /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Tangut}\u2e80-\u303e\u3100-\u33ff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u
const halfWidth = /^[\uff61-\uffdc]/
const none = /^[\p{Mark}\p{Format}]+$/u

function widthOf (grapheme: string): number {
  if (none.test(grapheme)) return 0
  return wide.test(grapheme) && !halfWidth.test(grapheme) ? 2 : 1
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
