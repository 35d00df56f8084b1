/** The part of a handler's context that ends a run early. */
export interface Abortable {
  readonly signal: AbortSignal
}

/**
 * After so many milliseconds a run reads its context's signal. Most runs are over before, and the signal is made
 * only when it is read: making it, listening and forgetting it again for each would cost a fifth of a TCP check.
 */
export const patience = 50

/** The end of the time of one run, by its timeout or by the signal of its context. One timer at a time. */
export class TimeLimit {
  readonly #context: Abortable | undefined
  readonly #over: (reason: string) => void
  readonly #timeout: number
  readonly #aborted = (): void => this.#over('called off')
  #timer: NodeJS.Timeout
  #signal: AbortSignal | undefined

  /** @param over told once, with the reason, unless `end` was called before */
  constructor (timeout: number, context: Abortable | undefined, over: (reason: string) => void) {
    this.#context = context
    this.#over = over
    this.#timeout = timeout
    this.#timer = timeout > patience
      ? setTimeout(() => this.#lookUp(), patience)
      : setTimeout(() => this.#timedOut(), timeout)
  }

  end (): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#aborted)
  }

  #lookUp (): void {
    this.#timer = setTimeout(() => this.#timedOut(), this.#timeout - patience)
    this.#signal = this.#context?.signal
    if (this.#signal?.aborted === true) this.#aborted()
    else this.#signal?.addEventListener('abort', this.#aborted)
  }

  #timedOut (): void {
    this.#over(`timed out after ${this.#timeout} ms`)
  }
}
