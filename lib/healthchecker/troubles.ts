import type { Trouble } from '../../types/healthchecker.js'
import type { Clock } from '../../types/time.js'

const ofStore: ReadonlyArray<Trouble['code']> = ['STORE_FULL', 'STORE_READ_ONLY', 'STORE_FAILED']

/** What goes wrong with the healthchecker itself at present. */
export class Troubles {
  readonly #clock: Clock
  readonly #onChange: (troubles: readonly Trouble[]) => void
  #all: readonly Trouble[] = []

  constructor (clock: Clock, onChange: (troubles: readonly Trouble[]) => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  get all (): readonly Trouble[] {
    return this.#all
  }

  /** What is wrong with the store is one thing at a time. */
  store (trouble: Pick<Trouble, 'code' | 'detail'> | undefined): void {
    const others = this.#all.filter(({ code }) => !ofStore.includes(code))
    this.#set(trouble === undefined ? others : [...others, { ...trouble, since: this.#clock.now() }])
  }

  begin (code: Trouble['code'], detail: string): void {
    if (!this.#all.some((trouble) => trouble.code === code)) this.#set([...this.#all, { code, detail, since: this.#clock.now() }])
  }

  end (code: Trouble['code']): void {
    if (this.#all.some((trouble) => trouble.code === code)) this.#set(this.#all.filter((trouble) => trouble.code !== code))
  }

  #set (all: Trouble[]): void {
    this.#all = Object.freeze(all)
    this.#onChange(this.#all)
  }
}
