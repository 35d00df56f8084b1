import { setTimeout } from 'node:timers/promises'

/** Waits until a condition holds, and gives up after a generous while. */
export async function until (what: string, condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition();) {
    if (Date.now() > end) throw new Error(`still not: ${what}`)
    await setTimeout(2)
  }
}
