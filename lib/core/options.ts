import { codedError, show } from './errors.js'

type Kind = 'boolean' | 'string' | 'function' | 'object' | 'array'

/**
 * Refuses options that nobody asked for: a mistyped name must not silently become a default.
 * Gives the options, or an empty object where there are none.
 */
export function knownOptions<T extends object> (options: T | undefined, known: readonly (keyof T & string)[], where: string): T {
  if (options === undefined) return {} as T
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(where, 'an object with options', options)
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key as keyof T & string)) {
      throw codedError('ERR_UNKNOWN_OPTION', `${where} has no option ${show(key)}; it has ${known.join(', ')}`)
    }
  }
  return options
}

/** Refuses a value of another kind; `undefined` passes, it stands for the default. */
export function ofKind (value: unknown, kind: Kind, what: string): void {
  if (value === undefined) return
  const came = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (came !== kind) throw invalid(what, kind === 'array' || kind === 'object' ? `an ${kind}` : `a ${kind}`, value)
}

/** Refuses anything but an object with these methods; `undefined` passes. */
export function withMethods (value: object | undefined, methods: readonly string[], what: string): void {
  ofKind(value, 'object', what)
  if (value === undefined) return
  for (const method of methods) {
    const given = (value as Record<string, unknown>)[method]
    if (typeof given !== 'function') throw invalid(`${method}() of ${what}`, 'a function', given)
  }
}

/** Refuses anything but an array of non-empty strings; `undefined` passes. */
export function stringList (value: unknown, what: string): void {
  ofKind(value, 'array', what)
  for (const item of (value ?? []) as unknown[]) {
    if (typeof item !== 'string' || item === '') throw invalid(what, 'an array of non-empty strings', item)
  }
}

export function invalid (what: string, expected: string, actual: unknown): Error {
  return codedError('ERR_INVALID_OPTION', `${what} must be ${expected}, not ${show(actual)}`)
}
