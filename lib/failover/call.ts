import { codedError, type CodedError } from '../core/errors.js'

/** How a call has ended: with an error, or without. */
export interface Ended {
  readonly failure?: { readonly error: unknown }
  readonly result?: unknown
}

/** A call that may throw, hang or ignore its signal. */
export class Call {
  readonly #controller = new AbortController()
  /** When it has ended, however long that takes. Never rejects. */
  readonly end: Promise<Ended>

  constructor (act: (signal: AbortSignal) => unknown) {
    this.end = this.#begin(act)
  }

  async #begin (act: (signal: AbortSignal) => unknown): Promise<Ended> {
    try {
      return { result: await act(this.#controller.signal) }
    } catch (error) {
      return { failure: { error } }
    }
  }

  /**
   * How it ended, or undefined where it has not within so many milliseconds: it is called off then, and may still run.
   *
   * @param keepAlive whether somebody awaits it, so that the process must not end before
   */
  async within (timeout: number, keepAlive = false): Promise<Ended | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => { timer = setTimeout(() => resolve(undefined), timeout) })
    if (!keepAlive) timer?.unref()
    const off = new Promise<undefined>((resolve) => {
      this.#controller.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const ended = await Promise.race([this.end, late, off])
    clearTimeout(timer)
    if (ended === undefined) this.callOff(tooLong('the call', timeout))
    return ended
  }

  callOff (reason: Error): void {
    this.#controller.abort(reason)
  }
}

export function tooLong (what: string, timeout: number): CodedError {
  return codedError('ERR_SERVICE_TIMEOUT', `${what} took longer than ${timeout} ms`)
}
