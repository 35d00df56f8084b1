import type { HandlerContext, StatusHandler, StatusProvider } from '../../types/handler.js'
import type { Status } from '../../types/status.js'
import { thrown } from '../core/status.js'
import { isThenable } from '../core/is-thenable.js'
import { report } from './report.js'
import { statusOf, stopAll, type Ask } from './task.js'

const { then } = Promise.prototype

/**
 * What asks tasks when it is asked itself, one question at a time: whoever asks while one is open gets its answer. A task that
 * answers synchronously is answered for synchronously. What a task throws is logged, once for all who share the question.
 */
export abstract class AskingPolicy implements StatusProvider {
  /** The `name` that was given, or a description. */
  readonly name: string
  readonly #tasks: readonly StatusHandler[]
  #open: Promise<Readonly<Status>> | undefined

  protected constructor (name: string, tasks: readonly StatusHandler[]) {
    this.name = name
    this.#tasks = tasks
  }

  /** The task whose turn it is. */
  protected abstract get ask (): Ask

  /** @param status may be the task's own object */
  protected abstract answered (status: Readonly<Status>): Readonly<Status>

  /** @param how as in `threw Error ECONNREFUSED` */
  protected abstract threw (how: string): Readonly<Status>

  getStatus (context: HandlerContext): Readonly<Status> | Promise<Readonly<Status>> {
    if (this.#open !== undefined) return this.#open
    const { ask } = this
    let result
    try {
      result = ask(context)
      if (isThenable(result)) return this.#wait(result, context)
    } catch (error) {
      return this.#threw(error, context)
    }
    return this.answered(statusOf(result))
  }

  /** Stops the tasks, where they can be stopped. */
  async stop (): Promise<void> {
    await stopAll(this.#tasks)
  }

  toString (): string {
    return this.name
  }

  #wait (result: PromiseLike<unknown>, context: HandlerContext): Promise<Readonly<Status>> {
    // Whatever a promise of another make does when it is asked for its result, it does later.
    const open = then.call(Promise.resolve(result), (answer) => {
      this.#open = undefined
      return this.answered(statusOf(answer))
    }, (error) => {
      this.#open = undefined
      return this.#threw(error, context)
    }) as Promise<Readonly<Status>>
    this.#open = open
    return open
  }

  #threw (error: unknown, context: HandlerContext): Readonly<Status> {
    report(context, { err: error }, `the task of a ${this.constructor.name} threw, which does not change its state`)
    return this.threw(thrown(error, undefined).status.detail as string)
  }
}
