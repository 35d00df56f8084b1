/** A property that was changed, and what was there before: nothing, where there is no descriptor. */
interface Change {
  readonly object: object
  readonly key: string
  readonly before: PropertyDescriptor | undefined
}

interface Layer {
  readonly owner: object
  readonly values: object
  /** The last one first: they are undone in this order. */
  readonly changes: Change[]
}

const all = new WeakMap<object, SettingsLayers>()

/** The changes that several services made to one object, each of which can be taken back in any order. */
export class SettingsLayers {
  readonly #settings: object
  readonly #layers: Layer[] = []

  /** One for an object, whoever asks: two monitors may share their settings. */
  static of (settings: object): SettingsLayers {
    let layers = all.get(settings)
    if (layers === undefined) all.set(settings, layers = new SettingsLayers(settings))
    return layers
  }

  private constructor (settings: object) {
    this.#settings = settings
  }

  /** Sets all values, or none where one cannot be set. What an owner set before stays. */
  apply (owner: object, values: object): void {
    if (this.#layers.some((layer) => layer.owner === owner)) return
    const layer = { owner, values, changes: [] }
    try {
      change(this.#settings, values, layer.changes)
    } catch (error) {
      undo(layer.changes)
      throw error
    }
    this.#layers.push(layer)
  }

  /**
   * Puts back what was there before the owner's values. Where another one has set the same property since, its value stays, and
   * what was there before both is put back when both are gone.
   */
  restore (owner: object): void {
    const index = this.#layers.findIndex((layer) => layer.owner === owner)
    if (index === -1) return
    const above = this.#layers.slice(index + 1)
    try {
      for (const layer of [...above].reverse()) undo(layer.changes)
      undo(this.#layers[index].changes)
      this.#layers.splice(index, 1)
    } finally {
      for (const layer of above) {
        // One that could not be undone stands as it is.
        if (layer.changes.length === 0) change(this.#settings, layer.values, layer.changes)
      }
    }
  }
}

function change (target: object, values: object, changes: Change[]): void {
  for (const key of Object.keys(values)) {
    const value: unknown = (values as Record<string, unknown>)[key]
    const before = Object.getOwnPropertyDescriptor(target, key)
    const present: unknown = key === '__proto__' && before === undefined ? undefined : (target as Record<string, unknown>)[key]
    const nested = isPlain(value) && isPlain(present)
    const own = before !== undefined && 'value' in before
    if (nested && own) {
      change(present, value, changes)
      continue
    }
    // What a getter or a prototype gives is not this object's: a copy of it takes its place.
    const fresh = copyOf(nested ? present : value)
    if (nested) change(fresh as object, value, [])
    // By definition, not by assignment: `__proto__`, setters and inherited properties would make something else of it.
    Object.defineProperty(target, key, own
      ? { value: fresh }
      : { value: fresh, writable: true, enumerable: before?.enumerable ?? true, configurable: true })
    changes.unshift({ object: target, key, before })
  }
}

/** All of them, or none where one cannot be undone. */
function undo (changes: Change[]): void {
  const undone: Change[] = []
  try {
    for (const { object, key, before } of changes) {
      const after = Object.getOwnPropertyDescriptor(object, key)
      put(object, key, before)
      undone.unshift({ object, key, before: after })
    }
  } catch (error) {
    for (const { object, key, before } of undone) put(object, key, before)
    throw error
  }
  changes.length = 0
}

function put (object: object, key: string, descriptor: PropertyDescriptor | undefined): void {
  if (descriptor !== undefined) Object.defineProperty(object, key, descriptor)
  else if (!Reflect.deleteProperty(object, key)) throw new TypeError(`the setting ${JSON.stringify(key)} cannot be deleted`)
}

/** What is gone into: an object as `{ … }` makes it. */
function isPlain (value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Another service may go into what this one has set: the service's own values must not change with it. */
function copyOf (value: unknown): unknown {
  if (!isPlain(value)) return value
  const copy = {}
  change(copy, value, [])
  return copy
}
