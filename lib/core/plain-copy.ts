/** What a copy may hold; a status is for reading, not for transport. */
const limits = { depth: 8, values: 1_000, stringLength: 4_096, characters: 65_536 }

const unreadable = '[unreadable]'

interface Budget {
  values: number
  characters: number
}

/**
 * A frozen copy that `JSON.stringify` takes without complaint and that cannot grow without bound:
 * cycles, getters that throw, BigInts, functions and very long or deep values included.
 *
 * @param without a property to leave out
 */
export function plainCopy (source: object, without?: string): Record<string, unknown> {
  return copyObject(source, { values: limits.values, characters: limits.characters }, [], without)
}

function copyObject (source: object, budget: Budget, parents: readonly object[], without?: string): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const key of keysOf(source)) {
    if (budget.values <= 0) break
    if (key === without) continue
    const value = copyValue(read(source, key), budget, parents, source)
    if (value === undefined) continue
    setOwn(copy, text(key, budget), value)
  }
  return Object.freeze(copy)
}

/** Assigning to `__proto__` would change the prototype instead. */
export function setOwn (target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}

function copyValue (value: unknown, budget: Budget, parents: readonly object[], parent: object): unknown {
  budget.values--
  switch (typeof value) {
    case 'string': return text(value, budget)
    case 'number': case 'boolean': return value
    case 'bigint': return text(String(value), budget)
    case 'object': return value === null ? null : copyInner(value, budget, [...parents, parent])
    default: return undefined
  }
}

function copyInner (value: object, budget: Budget, parents: readonly object[]): unknown {
  if (parents.includes(value)) return '[circular]'
  if (parents.length >= limits.depth) return '[too deep]'
  // Its keys alone, millions of them, would hold up everybody else.
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`
  const json = jsonOf(value)
  if (typeof json !== 'object' || json === null) return copyValue(json, budget, parents, value)
  if (!Array.isArray(json)) return copyObject(json, budget, parents)
  const items: unknown[] = []
  for (let index = 0; index < json.length && budget.values > 0; index++) {
    items.push(copyValue(read(json, index), budget, parents, value) ?? null)
  }
  return Object.freeze(items)
}

/** What the object wants to be in JSON, such as the text of a Date. */
function jsonOf (value: object): unknown {
  try {
    const { toJSON } = value as { toJSON?: unknown }
    return typeof toJSON === 'function' ? toJSON.call(value) : value
  } catch {
    return unreadable
  }
}

function keysOf (source: object): string[] {
  try {
    return Object.keys(source)
  } catch {
    return []
  }
}

function read (source: object, key: string | number): unknown {
  try {
    return (source as Record<string | number, unknown>)[key]
  } catch {
    return unreadable
  }
}

function text (value: string, budget: Budget): string {
  const longest = Math.max(0, Math.min(limits.stringLength, budget.characters))
  const kept = bounded(value, longest)
  budget.characters -= kept.length
  return kept
}

/** At most `longest` characters, an ellipsis included, and no half of a surrogate pair. */
export function bounded (value: string, longest = limits.stringLength): string {
  const cut = value.length > longest ? `${value.slice(0, Math.max(0, longest - 1))}…` : value
  return cut.toWellFormed()
}
