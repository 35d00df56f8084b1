import { register } from 'prom-client'
import type { Format, RenderContext, Rendered } from '../../types/format.js'
import type { MetricsOptions, MetricsRegistry } from '../../types/options.js'
import type { Snapshot, SnapshotEntry } from '../../types/snapshot.js'
import { mostInOneGo, sliceLength } from '../core/in-slices.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { severity, states } from '../core/state.js'
import { milliseconds, second } from '../core/units.js'
import { foreignMetrics, isOpenMetrics } from './foreign-metrics.js'
import { shown } from './shown.js'

const textType = 'text/plain; version=0.0.4; charset=utf-8'
const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

interface Family {
  readonly name: string
  readonly help: string
  /** The samples of an entry, each ended by a line feed. `label` is `name="…"`, escaped. */
  samples (entry: SnapshotEntry, label: string): string
}

const families: readonly Family[] = [
  {
    name: 'svc_status',
    help: 'State of a status handler: 0 OK, 1 YELLOW, 2 RED.',
    samples: (entry, label) => `svc_status{${label}} ${severity(shown(entry).state)}\n`
  },
  {
    name: 'svc_status_check_duration_seconds',
    help: 'How long the last measured run of a status handler took.',
    samples: ({ duration }, label) => duration === undefined
      ? ''
      // To the microsecond: more digits are noise, and cost more to print than the rest of the line.
      : `svc_status_check_duration_seconds{${label}} ${Math.round(duration * 1000) / 1e6}\n`
  },
  {
    name: 'svc_status_last_change_timestamp_seconds',
    help: 'When a status handler came into its state.',
    samples: ({ since }, label) => since === undefined
      ? ''
      : `svc_status_last_change_timestamp_seconds{${label}} ${Math.round(since) / 1000}\n`
  },
  {
    name: 'svc_status_metric',
    help: 'A number that a status handler gave with its status.',
    samples: ({ status }, label) => status?.metrics === undefined
      ? ''
      : Object.entries(status.metrics).map(([metric, value]) =>
        `svc_status_metric{${label},metric="${escaped(metric)}"} ${number(value)}\n`).join('')
  }
]

/** Their text is the same from scrape to scrape: printing it anew would cost half as much as all the others. */
const constantFamilies: readonly Family[] = [
  {
    name: 'svc_status_check_timeout_seconds',
    help: 'How long a run of a status handler may take before it is RED.',
    samples: ({ timeout }, label) => timeout === undefined
      ? ''
      : `svc_status_check_timeout_seconds{${label}} ${timeout / 1000}\n`
  },
  {
    name: 'svc_status_critical',
    help: 'Whether RED of a status handler makes the service RED: 1 or 0.',
    samples: ({ critical }, label) => `svc_status_critical{${label}} ${critical ? 1 : 0}\n`
  }
]

const statesFamily: Family = {
  name: 'svc_status_state',
  help: 'Whether a status handler is in this state: 1 or 0.',
  samples: (entry, label) => states.map((state) =>
    `svc_status_state{${label},state="${state}"} ${shown(entry).state === state ? 1 : 0}\n`).join('')
}

/**
 * The text exposition format and OpenMetrics: our own families first, then those of other registries.
 * OpenMetrics is offered where every registry prints it, for prom-client cannot mix the two.
 *
 * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
 */
export function prometheusFormat (options?: MetricsOptions): Format {
  const { registries = [register], states: withStates = false, timeout = second(5) } =
    knownOptions(options, ['registries', 'states', 'timeout'], 'metrics')
  ofKind(withStates, 'boolean', 'the option "metrics.states"')
  checkRegistries(registries)
  const longest = milliseconds(timeout, 'the option "metrics.timeout"', 1)
  const printed = withStates ? [...families, statesFamily] : families
  const kept = new Kept()

  return {
    name: 'prometheus',
    get contentTypes () {
      return registries.every(({ contentType }) => isOpenMetrics(contentType)) ? [textType, openMetricsType] : [textType]
    },
    async render (snapshot, context): Promise<Rendered> {
      const foreign = await foreignMetrics(registries, longest, context)
      const end = foreign + (isOpenMetrics(context.contentType) ? '# EOF\n' : '')
      const parts = own(snapshot, context, printed, kept)
      return snapshot.entries.length > mostInOneGo ? chain(parts, end) : [...parts].join('') + end
    }
  }
}

function * own ({ entries }: Snapshot, { decommission }: RenderContext, printed: readonly Family[], kept: Kept): Generator<string> {
  const blocks = kept.blocks(entries)
  for (const family of printed) {
    yield head(family)
    for (let index = 0; index < blocks.length; index++) yield samplesOf(family, blocks.at(index))
  }
  for (const [place, family] of constantFamilies.entries()) {
    yield head(family)
    for (let index = 0; index < blocks.length; index++) yield blocks.at(index).constants[place]
  }
  yield '# HELP svc_status_decommissioned Whether the instance was taken out of service: 1 or 0.\n' +
    `# TYPE svc_status_decommissioned gauge\nsvc_status_decommissioned ${decommission === undefined ? 0 : 1}\n`
}

function head ({ name, help }: Family): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`
}

function samplesOf ({ samples }: Family, { entries, labels }: Pick<Block, 'entries' | 'labels'>): string {
  let text = ''
  for (let index = 0; index < entries.length; index++) text += samples(entries[index], labels[index])
  return text
}

function * chain (parts: Iterable<string>, end: string): Generator<string> {
  yield * parts
  yield end
}

/** So many entries as are printed in one go. */
interface Block {
  readonly entries: readonly SnapshotEntry[]
  /** The `name="…"` of each. */
  readonly labels: readonly string[]
  /** The samples of each constant family, flat: a text that was only strung together takes three times as long to copy (118 us of 1,000 handlers against 38). */
  readonly constants: readonly string[]
}

/** What is made again only where a handler came, went or was set up otherwise. */
class Kept {
  readonly #blocks: Block[] = []

  /** The blocks of these entries, each made when its turn comes. */
  blocks (entries: readonly SnapshotEntry[]): { readonly length: number, at: (index: number) => Block } {
    const own: Block[] = []
    const length = Math.ceil(entries.length / sliceLength)
    this.#blocks.length = Math.min(this.#blocks.length, length)
    return {
      length,
      at: (index) => {
        own[index] ??= this.#block(index, entries.slice(index * sliceLength, (index + 1) * sliceLength))
        return own[index]
      }
    }
  }

  #block (index: number, entries: readonly SnapshotEntry[]): Block {
    const known: Block | undefined = this.#blocks[index]
    const block = known?.entries.length === entries.length && entries.every((entry, place) => isSetUpAs(entry, known.entries[place]))
      ? { ...known, entries }
      : made(entries)
    this.#blocks[index] = block
    return block
  }
}

function made (entries: readonly SnapshotEntry[]): Block {
  const labels = entries.map(({ name }) => `name="${escaped(name)}"`)
  return { entries, labels, constants: constantFamilies.map(({ samples }) => entries.map((entry, index) => samples(entry, labels[index])).join('')) }
}

function isSetUpAs (entry: SnapshotEntry, other: SnapshotEntry): boolean {
  return entry === other || (entry.name === other.name && entry.timeout === other.timeout && entry.critical === other.critical)
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information */
function escaped (value: string): string {
  return value.replace(/[\\"\n]/g, (character) => character === '\n' ? '\\n' : `\\${character}`)
}

function number (value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}

function checkRegistries (registries: readonly MetricsRegistry[]): void {
  ofKind(registries, 'array', 'the option "metrics.registries"')
  for (const registry of registries) {
    if (typeof registry?.metrics !== 'function' || typeof registry.contentType !== 'string') {
      throw invalid('the option "metrics.registries"', 'an array of objects with metrics() and contentType', registry)
    }
  }
}
