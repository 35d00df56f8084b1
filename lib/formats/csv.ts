import { stringify } from 'csv-stringify/sync'
import type { Format } from '../../types/format.js'
import type { CsvOptions } from '../../types/options.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { UnchangedText } from './unchanged-text.js'
import { shown } from './shown.js'

/**
 * `name<TAB>state` a line.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION
 */
export function csvFormat (options?: CsvOptions): Format {
  const { header = false, delimiter = '\t', detail = false } = knownOptions(options, ['header', 'delimiter', 'detail'], 'csv')
  ofKind(header, 'boolean', 'the option "csv.header"')
  ofKind(detail, 'boolean', 'the option "csv.detail"')
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw invalid('the option "csv.delimiter"', 'one character that is no quote and no line break', delimiter)
  }
  // Names begin with nothing that a spreadsheet runs; details may, and are for people.
  const write = (rows: string[][]): string => stringify(rows, { delimiter, escape_formulas: true })
  const open = header ? write([detail ? ['name', 'state', 'detail'] : ['name', 'state']]) : ''
  const text = new UnchangedText({ open, separator: '', close: '' }, (entry, { details }) => {
    const { state, detail: words = '' } = shown(entry)
    return write([detail ? [entry.name, state, details ? words : ''] : [entry.name, state]])
  })

  return {
    name: 'csv',
    contentTypes: [`text/csv; charset=utf-8; header=${header ? 'present' : 'absent'}`],
    render: (snapshot, context) => text.render(snapshot, context)
  }
}
