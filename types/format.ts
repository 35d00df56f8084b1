import type { Decommission } from './decommission.js'
import type { Snapshot, StatusChange } from './snapshot.js'

/** What a format is told beside the snapshot. */
export interface RenderContext {
  /** Whether the reader may see `detail` and the further properties. */
  readonly details: boolean
  /** Which of the format's `contentTypes` was chosen. */
  readonly contentType: string
  /** The decommission that stands, if the instance is out of service. */
  readonly decommission?: Decommission
  /** Whether the instance drains: it answers until it closes. */
  readonly draining?: boolean
  /** What the probe answers instead of `OK` although nobody took the instance out of service: `STARTING`, or what is `RED`. */
  readonly unready?: string
  /** The last changes of state that were seen, the newest first; ten at most. */
  readonly changes?: readonly StatusChange[]
  /** The last part of the address that the formats are served under, `svc_status`: for links. */
  readonly path: string
  /** The names of all formats, for links. */
  readonly formats: readonly string[]
  /** Called with what went wrong where the rest can still be shown. */
  readonly warn: (details: object, message: string) => void
}

/** One text, or one in slices: between two of them other requests have their turn. */
export type Rendered = string | Iterable<string>

/** Makes text of a snapshot. One object serves all requests of a plugin, so that it may keep what it made. */
export interface Format {
  /** The extension it is served under, `csv` for `/svc_status.csv`: letters, digits, `_` and `-`. */
  readonly name: string
  /** Content types with their parameters; the first is the default. */
  readonly contentTypes: readonly string[]
  /** Headers for every reply of this format. */
  readonly headers?: Readonly<Record<string, string>>
  render (snapshot: Snapshot, context: RenderContext): Rendered | Promise<Rendered>
}
