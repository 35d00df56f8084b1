import { cutLine, paint, type Line } from './lines.js'
import { sizeOf, type Output } from './world.js'

/** Of xterm, which terminals follow: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html */
const other = { enter: '\x1b[?1049h\x1b[?25l', leave: '\x1b[?25h\x1b[?1049l' }
const home = '\x1b[H'
const clearRight = '\x1b[K'
const clearBelow = '\x1b[J'

/** The whole terminal, drawn over and over without being cleared in between; what it showed before comes back in the end. */
export class Screen {
  readonly #output: Output
  readonly #colored: boolean
  #last: readonly Line[] | undefined

  constructor (output: Output, colored: boolean) {
    this.#output = output
    this.#colored = colored
  }

  /** In one piece, so that nothing half drawn is ever seen. */
  draw (lines: readonly Line[]): void {
    const { columns, rows } = sizeOf(this.#output)
    const fitting = lines.length < rows ? lines : [...lines.slice(0, rows - 2), [{ text: `… and ${lines.length - rows + 2} lines more` }]]
    const drawn = fitting.map((line) => `${paint(cutLine(line, columns), this.#colored)}${clearRight}\n`).join('')
    this.#output.write(`${this.#last === undefined ? other.enter : ''}${home}${drawn}${clearBelow}`)
    this.#last = lines
  }

  /** Leaves what was drawn last, uncut. */
  close (): void {
    if (this.#last === undefined) return
    this.#output.write(other.leave + this.#last.map((line) => `${paint(line, this.#colored)}\n`).join(''))
  }
}
