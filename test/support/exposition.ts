/** A sample line, as https://prometheus.io/docs/instrumenting/exposition_formats/ and OpenMetrics 1.0 allow it, and no other. */
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/s
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const types = ['counter', 'gauge', 'histogram', 'summary']
const suffixes = /_(total|created|bucket|sum|count)$/

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Exposition {
  /** Type and help by family name. */
  readonly families: ReadonlyMap<string, { readonly type: string, readonly help: string }>
  readonly samples: readonly Sample[]
}

/**
 * Reads every line by a strict grammar and throws at the first that does not keep to it: HELP and TYPE once and before
 * their samples, a family's lines together, no series twice, a line feed at the end, and one end mark in OpenMetrics alone.
 */
export function parseExposition (text: string, { openMetrics = false } = {}): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const lines = text.slice(0, -1).split('\n')
  if (openMetrics && lines.pop() !== '# EOF') throw new Error('there is no end mark at the end')
  const families = new Map<string, { type: string, help: string }>()
  const samples: Sample[] = []
  const series = new Set<string>()
  let current = ''
  let help: [string, string] | undefined

  for (const line of lines) {
    const helps = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)*)$/.exec(line)
    const typed = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (\w+)$/.exec(line)
    if (helps !== null) {
      help = [helps[1], helps[2]]
    } else if (typed !== null) {
      const [, name, type] = typed
      if (!types.includes(type)) throw new Error(`unknown type: ${line}`)
      if (families.has(name)) throw new Error(`a family twice: ${line}`)
      if (help?.[0] !== name) throw new Error(`a type without its help: ${line}`)
      families.set(name, { type, help: help[1] })
      current = name
    } else {
      const sample = sampleOf(line)
      if (sample.name !== current && sample.name.replace(suffixes, '') !== current) throw new Error(`not in its family: ${line}`)
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (series.has(key)) throw new Error(`a series twice: ${line}`)
      series.add(key)
      samples.push(sample)
    }
  }
  return { families, samples }
}

function sampleOf (line: string): Sample {
  const parts = sampleLine.exec(line)
  if (parts === null) throw new Error(`no sample: ${JSON.stringify(line)}`)
  const [, name, labels, value] = parts
  return { name, labels: labels === undefined ? {} : labelsOf(labels), value: valueOf(value) }
}

function labelsOf (text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let position = 0
  while (position < text.length) {
    labelPair.lastIndex = position
    const pair = labelPair.exec(text)
    if (pair === null) throw new Error(`no labels: ${JSON.stringify(text)}`)
    labels[pair[1]] = pair[2].replace(/\\(.)/gs, (_, character: string) => character === 'n' ? '\n' : character)
    position = labelPair.lastIndex
  }
  return labels
}

function valueOf (text: string): number {
  if (text === 'NaN') return NaN
  if (/^[+-]Inf$/.test(text)) return text.startsWith('+') ? Infinity : -Infinity
  if (!decimal.test(text)) throw new Error(`no value: ${text}`)
  return Number(text)
}

/** The values of the series of one name, by one of their labels. */
export function valuesBy (label: string, name: string, { samples }: Exposition): Record<string, number> {
  return Object.fromEntries(samples.filter((sample) => sample.name === name).map(({ labels, value }) => [labels[label], value]))
}
