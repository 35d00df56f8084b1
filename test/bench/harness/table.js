const head = ['work', 'against', 'ours', 'peer', 'ours/peer', 'A/A', 'reach', 'holds']
const textColumns = 2

/** A Markdown table, aligned for a terminal. */
export function table (results) {
  const lines = [head, ...results.map(line)]
  const widths = head.map((_title, column) => Math.max(...lines.map((cells) => cells[column].length)))
  const print = (cells) => `| ${cells.map((cell, column) => column < textColumns ? cell.padEnd(widths[column]) : cell.padStart(widths[column])).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => column < textColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`).join(' | ')} |`
  return [print(head), rule, ...lines.slice(1).map(print)].join('\n')
}

function line (result) {
  const { row, against = '', unit, own, peer, ratio, again, noise } = result
  return [
    row.title,
    against,
    `${figure(own)} ${unit}`,
    peer === undefined ? '' : `${figure(peer)} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(2 + Number(ratio < 1.2)),
    `${again.toFixed(3)} ±${noise.toFixed(3)}`,
    row.reach === undefined ? '' : ratio === undefined ? `${row.reach} ${unit}` : row.reach.toFixed(2),
    verdict(result)
  ]
}

/** A claim smaller than the noise is no claim. */
function verdict ({ row: { reach }, reached, noise }) {
  if (reach === undefined) return ''
  if (Math.abs(reached / reach - 1) <= noise) return `${reached <= reach ? 'yes' : 'no'}, within noise`
  return reached <= reach ? 'yes' : 'no'
}

function figure (value) {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3, useGrouping: true })
}
