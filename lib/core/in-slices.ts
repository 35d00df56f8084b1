import { setImmediate } from 'node:timers/promises'

/** More status handlers than these are asked, and shown, in slices: so many take some milliseconds. */
export const mostInOneGo = 2_000

/** How many make a slice: on a core that is shared with the garbage collector's threads all takes four times as long. */
export const sliceLength = 250

/** Works through very many; others have their turn after each slice. */
export async function inSlices<T> (items: readonly T[], work: (slice: readonly T[]) => void): Promise<void> {
  for (let start = 0; start < items.length; start += sliceLength) {
    work(items.slice(start, start + sliceLength))
    await setImmediate()
  }
}
