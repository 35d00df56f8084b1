import type { Registry } from '../../types/registry.js'
import type { SnapshotEntry, StatusChange } from '../../types/snapshot.js'
import type { Time } from '../../types/time.js'
import { codedError, show } from '../core/errors.js'
import { OK, RED } from '../core/state.js'

/** What the probe answers until what it needs is known. */
const startingBody = 'STARTING'

export interface ReadinessSettings {
  /** Names or tags of handlers whose RED makes the probe 503. */
  readonly requires: readonly string[]
  /** Names or tags of handlers that have to be OK once. */
  readonly startup: readonly string[]
  /** From the end of one refresh to the next, in milliseconds. */
  readonly interval: number
}

/**
 * Whether the handlers that a probe is to follow let it be in service. It asks them in the background, never twice at once,
 * and writes down what the probe answers: the probe itself asks nobody.
 */
export class Readiness {
  readonly #registry: Registry
  readonly #settings: ReadinessSettings
  readonly #timeout: Time | undefined
  readonly #onChange = ({ name }: StatusChange): void => {
    // Of the others nothing is read: there may be thousands.
    if (this.#refreshed && this.#names.has(name)) this.#update()
  }

  readonly #started = new Set<string>()
  #starting: boolean
  #names = new Set<string>()
  #body: string | undefined
  #problems: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | undefined
  #refreshed = false
  #stopped = false

  /** @param timeout how long a handler without a timeout of its own may take */
  constructor (registry: Registry, settings: ReadinessSettings, timeout: Time | undefined) {
    this.#registry = registry
    this.#settings = settings
    this.#timeout = timeout
    this.#starting = settings.startup.length > 0
    // What was never asked is never OK.
    this.#body = this.follows ? startingBody : undefined
  }

  /** Whether there is anything to ask. */
  get follows (): boolean {
    return this.#starting || this.#settings.requires.length > 0
  }

  /** What the probe answers instead of OK. */
  get body (): string | undefined {
    return this.#body
  }

  /**
   * Begins to ask, as soon as all handlers are there.
   *
   * @throws ERR_UNKNOWN_HANDLER
   */
  start (): void {
    const { requires, startup } = this.#settings
    const { entries } = this.#registry.latest()
    for (const [option, words] of [['requires', requires], ['startup', startup]] as const) {
      for (const word of words) {
        if (!entries.some((entry) => isMeant(entry, word))) {
          throw codedError('ERR_UNKNOWN_HANDLER', `the option "probeStatus.${option}" names ${show(word)}, which is neither the name nor a tag of a status handler; add the handler before the app is ready`)
        }
      }
    }
    this.#registry.on('change', this.#onChange)
    this.#refreshOn()
  }

  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#registry.off('change', this.#onChange)
  }

  #refreshOn (): void {
    // Never rejects: a handler that fails is RED, and one that was removed meanwhile is missed in the update.
    this.#refresh().finally(() => {
      if (this.#stopped) return
      this.#refreshed = true
      this.#update()
      if (this.follows) {
        this.#timer = setTimeout(() => this.#refreshOn(), this.#settings.interval).unref()
      } else {
        this.stop()
      }
    })
  }

  async #refresh (): Promise<void> {
    const { requires, startup } = this.#settings
    const words = this.#starting ? [...requires, ...startup] : requires
    const meant = this.#registry.latest().entries.filter((entry) => words.some((word) => isMeant(entry, word)))
    this.#names = new Set(meant.map(({ name }) => name))
    await Promise.allSettled(meant.map(async ({ name }) => await this.#registry.getStatus(name, { timeout: this.#timeout })))
  }

  #update (): void {
    const { entries } = this.#registry.latest()
    this.#starting &&= this.#isStarting(entries)
    const problems = new Set(this.#settings.requires.flatMap((word) => problemsOf(word, entries, this.#problems)))
    this.#problems = problems
    this.#body = this.#starting ? startingBody : problems.size > 0 ? `RED ${[...problems].join(', ')}` : undefined
  }

  #isStarting (entries: readonly SnapshotEntry[]): boolean {
    for (const { name, status } of entries) {
      if (status?.state === OK) this.#started.add(name)
    }
    return this.#settings.startup.some((word) => {
      const meant = entries.filter((entry) => isMeant(entry, word))
      return meant.length === 0 || meant.some(({ name }) => !this.#started.has(name))
    })
  }
}

function isMeant ({ name, tags }: SnapshotEntry, word: string): boolean {
  return name === word || tags.includes(word)
}

/**
 * The names of those that are RED, and of those that were when another handler took their place, which was not asked yet;
 * the word itself where nobody is meant any more, which is not OK either.
 */
function problemsOf (word: string, entries: readonly SnapshotEntry[], before: ReadonlySet<string>): string[] {
  const meant = entries.filter((entry) => isMeant(entry, word))
  if (meant.length === 0) return [word]
  return meant.filter(({ name, status }) => status === undefined ? before.has(name) : status.state === RED).map(({ name }) => name)
}
