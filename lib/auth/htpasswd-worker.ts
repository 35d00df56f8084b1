import { parentPort, type MessagePort } from 'node:worker_threads'
import { matches } from './htpasswd-match.js'
import type { Check } from './htpasswd-users.js'

/** Whether the password matches, or the name of the error that kept it from being verified. */
export type Answer = boolean | string

/** Answers one check after the other; outside of a worker there is no port. */
export function serve (port: MessagePort | null): void {
  port?.on('message', (check: Check) => port.postMessage(answerTo(check)))
}

/** An error is named only: its message may show the hash. */
function answerTo (check: Check): Answer {
  try {
    return matches(check)
  } catch (error) {
    return (error as Error).name
  }
}

serve(parentPort)
