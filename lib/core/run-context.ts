import type { HandlerContext } from '../../types/handler.js'
import type { Logger } from '../../types/logger.js'

/** What a handler is given when it is asked. One for all its runs, until its signal was read. */
export class RunContext implements HandlerContext {
  readonly name: string
  readonly #owner: { readonly log: Logger }
  #controller: AbortController | undefined

  constructor (name: string, owner: { readonly log: Logger }) {
    this.name = name
    this.#owner = owner
  }

  /** The registry's at this moment: an app may lend it its own between two runs. */
  get log (): Logger {
    return this.#owner.log
  }

  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  get used (): boolean {
    return this.#controller !== undefined
  }

  /** Also for a signal that is read only afterwards. */
  abort (reason: Error): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}
