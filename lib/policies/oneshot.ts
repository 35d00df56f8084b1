import type { FastifyRequest } from 'fastify'
import type { Auth } from '../../types/auth.js'
import type { StatusProvider } from '../../types/handler.js'
import type { Fire, OneshotOptions } from '../../types/policies.js'
import type { Status } from '../../types/status.js'
import { knownOptions, ofKind } from '../core/options.js'
import { OK, RED } from '../core/state.js'
import { nameOption, stateOption, statusOf } from './task.js'

/**
 * Answers `defaultState`, and, once after it was fired, the opposite: a switch that a person presses, for `toOk` of a `Toggle`.
 *
 * Whoever reads first gets that one answer. Registered by itself, a scrape of `svc_status`, a HEAD and a page that refreshes
 * are readers like any other, so give it to a policy and register that.
 *
 * @example
 * const reset = new Oneshot({ auth: htpasswdFile('/etc/myservice/htpasswd') })
 * server.addComponent('mail', new Toggle({ toFail: check, toOk: reset }), { onPost: reset.fire })
 */
export class Oneshot implements StatusProvider {
  /** The `name` that was given, or a description. */
  readonly name: string
  /**
   * Arms it: the next answer, once, is the opposite. Resolves to whether it is armed now. To fire again before that answer
   * makes no second one.
   *
   * With a request, `auth` decides; where there is none, nobody is let in. Without a request the call comes from the program
   * itself, and always arms. Rejects with what `auth` throws, and then does not arm.
   */
  readonly fire: Fire
  readonly #auth: Auth | undefined
  readonly #usual: Readonly<Status>
  readonly #opposite: Readonly<Status>
  #armed = false

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION
   */
  constructor (options?: OneshotOptions) {
    const { defaultState = RED, auth, name } = knownOptions(options, ['defaultState', 'auth', 'name'], 'Oneshot')
    const state = stateOption(defaultState, 'defaultState', [OK, RED])
    ofKind(auth, 'function', 'the option "auth"')
    this.#auth = auth
    this.#usual = statusOf(state)
    this.#opposite = statusOf(state === OK ? RED : OK)
    this.name = nameOption(name) ?? `Oneshot: ${state}, once ${this.#opposite.state} when fired`
    this.fire = Object.assign(async (request?: FastifyRequest) => await this.#fire(request), { challenge: auth?.challenge, expects: auth?.expects })
  }

  /** Whether the next answer is the opposite. */
  get armed (): boolean {
    return this.#armed
  }

  getStatus (): Readonly<Status> {
    if (!this.#armed) return this.#usual
    this.#armed = false
    return this.#opposite
  }

  /** What was fired and not yet read is forgotten. */
  async stop (): Promise<void> {
    this.#armed = false
  }

  toString (): string {
    return this.name
  }

  async #fire (request: FastifyRequest | undefined): Promise<boolean> {
    if (request !== undefined && await this.#auth?.(request) !== true) return false
    this.#armed = true
    return true
  }
}
