import { Worker } from 'node:worker_threads'
import type { Check } from './htpasswd-users.js'
import type { Answer } from './htpasswd-worker.js'

/** How long a worker waits for more before it ends. */
const idleTime = 30_000

interface Waiting {
  resolve (answer: Answer): void
  reject (error: Error): void
}

/**
 * Verifies passwords in a thread of its own, one after the other. The thread is started for the first and ends when it has
 * been idle for a while; it keeps the process alive only while a password is verified.
 */
export class Verifier {
  readonly #start: () => Worker
  readonly #idleTime: number
  #worker: Worker | undefined
  #waiting: Waiting | undefined
  #idle: NodeJS.Timeout | undefined
  #last: Promise<unknown> = Promise.resolve()
  #took = 0

  constructor (start: () => Worker = startWorker, idle: number = idleTime) {
    this.#start = start
    this.#idleTime = idle
  }

  /** How many milliseconds the last verification took. */
  get took (): number {
    return this.#took
  }

  /** Whether there is a thread at the moment. */
  get running (): boolean {
    return this.#worker !== undefined
  }

  /**
   * Whether the password matches. Rejects where that cannot be told, never with the password in it.
   *
   * @param timeout milliseconds from when its turn has come; a thread that takes longer is ended
   * @param isWanted asked when its turn has come: nobody verifies for a client that has left
   */
  verify (check: Check, timeout: number, isWanted: () => boolean): Promise<boolean> {
    const turn = this.#last.then(async () => isWanted() && await this.#ask(check, timeout))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #ask (check: Check, timeout: number): Promise<boolean> {
    const began = performance.now()
    clearTimeout(this.#idle)
    const worker = this.#worker ??= this.#started()
    worker.ref()
    const limit = setTimeout(() => this.#fail(worker, new Error(`the verification took longer than ${timeout} ms`)), timeout)
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        this.#waiting = { resolve, reject }
        worker.postMessage(check)
      })
      if (typeof answer === 'string') throw new Error(`the verification threw ${answer}`)
      return answer
    } finally {
      clearTimeout(limit)
      worker.unref()
      this.#took = performance.now() - began
      this.#idle = setTimeout(() => this.#end(), this.#idleTime).unref()
    }
  }

  #started (): Worker {
    const worker = this.#start()
    worker.on('message', (answer: Answer) => this.#waiting?.resolve(answer))
    worker.on('error', (error) => this.#fail(worker, error))
    worker.on('exit', (code) => this.#fail(worker, new Error(`the verifying thread ended with code ${code}`)))
    return worker
  }

  /** Ends a thread that is of no more use, and the verification that it had. */
  #fail (worker: Worker, error: Error): void {
    if (worker !== this.#worker) return
    this.#end()
    this.#waiting?.reject(error)
  }

  #end (): void {
    const worker = this.#worker
    this.#worker = undefined
    // Whatever it still says is not for the next one.
    worker?.removeAllListeners('message')
    worker?.terminate()
  }
}

function startWorker (): Worker {
  return new Worker(new URL('./htpasswd-worker.js', import.meta.url), { name: 'htpasswd', execArgv: execArgvOf(process.execArgv) })
}

/**
 * A thread has the options of its process, but for one with which Node starts no file.
 *
 * @returns undefined where it may have them all
 */
export function execArgvOf (execArgv: readonly string[]): string[] | undefined {
  return execArgv.some((option) => option.startsWith('--input-type')) ? [] : undefined
}

/** One for the whole process, however many files it has: one verification at a time. */
export const verifier = new Verifier()
