import { setImmediate } from 'node:timers/promises'

/** So many are dealt with in one go. */
const sliceLength = 1_000

/** Does something with each of very many; others have their turn in between. */
export async function inSlices<T> (items: readonly T[], work: (item: T) => void): Promise<void> {
  for (let start = 0; start < items.length; start += sliceLength) {
    for (const item of items.slice(start, start + sliceLength)) work(item)
    await setImmediate()
  }
}
