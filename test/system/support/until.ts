import { setTimeout } from 'node:timers/promises'

/**
 * Asks again and again until the answer is something other than `undefined` or `false`, and gives it.
 * An error counts as "not yet", and is the cause when time is up.
 */
export async function until<T> (what: string, ask: () => T | Promise<T>, { within = 30_000, every = 50 } = {}): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + within
  for (;;) {
    let cause: unknown
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    } catch (error) {
      cause = error
    }
    if (Date.now() > end) throw new Error(`after ${within} ms still not: ${what}`, { cause })
    await setTimeout(every)
  }
}
