import type { WrapOptions } from '../../types/failover.js'
import { invalid, knownOptions, ofKind } from '../core/options.js'
import { monitorOf } from './monitor-of.js'
import { ServiceMonitor } from './service-monitor.js'

/** Any function or method, whatever its `this`. */
type AnyFunction = (this: any, ...args: any[]) => any

/** A function that resolves to what the other one gives, or resolves to. */
type Waiting<F extends AnyFunction> = (this: ThisParameterType<F>, ...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>

/** A standard decorator of methods: https://github.com/tc39/proposal-decorators */
export type MethodDecoratorOf = <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext) => F

/** A decorator of methods that give a promise. */
export type WaitingDecorator = <F extends (this: any, ...args: any[]) => Promise<any>>(method: F, context: ClassMethodDecoratorContext) => F

/**
 * A function, or with `@monitored(monitor)` a method, whose calls trigger monitoring as a request does: every service that is due is
 * pinged. The call does not wait for that unless `wait` is true. `this`, arguments, result and name are the function's own.
 *
 * @throws ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION
 * @example
 * const report = monitored(async () => await connections.get('replica').query('…'), monitor, { wait: true })
 */
export function monitored<F extends AnyFunction> (fn: F, monitor: ServiceMonitor, options: WrapOptions & { wait: true }): Waiting<F>
export function monitored<F extends AnyFunction> (fn: F, monitor: ServiceMonitor, options?: WrapOptions & { wait?: false }): F
export function monitored (monitor: ServiceMonitor, options: WrapOptions & { wait: true }): WaitingDecorator
export function monitored (monitor: ServiceMonitor, options?: WrapOptions & { wait?: false }): MethodDecoratorOf
export function monitored (...args: Arguments): AnyFunction {
  return wrapped('monitored', false, args)
}

/**
 * The same for services that are down: one that is up is not pinged. For what runs where errors alone trigger pings, which say
 * nothing of a recovery.
 *
 * @throws ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION
 */
export function recoverFromOutages<F extends AnyFunction> (fn: F, monitor: ServiceMonitor, options: WrapOptions & { wait: true }): Waiting<F>
export function recoverFromOutages<F extends AnyFunction> (fn: F, monitor: ServiceMonitor, options?: WrapOptions & { wait?: false }): F
export function recoverFromOutages (monitor: ServiceMonitor, options: WrapOptions & { wait: true }): WaitingDecorator
export function recoverFromOutages (monitor: ServiceMonitor, options?: WrapOptions & { wait?: false }): MethodDecoratorOf
export function recoverFromOutages (...args: Arguments): AnyFunction {
  return wrapped('recoverFromOutages', true, args)
}

type Arguments = [fn: AnyFunction, monitor: ServiceMonitor, options?: WrapOptions] | [monitor: ServiceMonitor, options?: WrapOptions]

function wrapped (name: string, outagesOnly: boolean, args: Arguments): AnyFunction {
  if (args[0] instanceof ServiceMonitor) {
    const [monitor, options] = args as [ServiceMonitor, WrapOptions?]
    const wait = waitOf(options)
    return (method: AnyFunction) => wrap(method, monitor, outagesOnly, wait)
  }
  const [fn, monitor, options] = args as [AnyFunction, ServiceMonitor, WrapOptions?]
  if (typeof fn !== 'function') throw invalid(`the first argument of ${name}()`, 'a function or a ServiceMonitor', fn)
  return wrap(fn, monitorOf(monitor, `the second argument of ${name}()`), outagesOnly, waitOf(options))
}

function waitOf (options: WrapOptions | undefined): boolean {
  const { wait = false } = knownOptions(options, ['wait'], 'monitored and recoverFromOutages')
  ofKind(wait, 'boolean', 'the option "wait"')
  return wait
}

function wrap (fn: AnyFunction, monitor: ServiceMonitor, outagesOnly: boolean, wait: boolean): AnyFunction {
  const wrapper: AnyFunction = wait
    ? async function (...args) {
      await monitor.trigger(outagesOnly, false)
      return await Reflect.apply(fn, this, args)
    }
    : function (...args) {
      // Nobody waits for it, and it never rejects.
      monitor.trigger(outagesOnly, false)
      return Reflect.apply(fn, this, args)
    }
  return Object.defineProperties(wrapper, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true }
  })
}
