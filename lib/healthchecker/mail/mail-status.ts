import type { Status } from '../../../types/status.js'
import { OK, RED, YELLOW } from '../../core/state.js'
import { hour } from '../../core/units.js'
import type { OutboxState } from './outbox-worker.js'

/** Whoever was to be told of something so long ago, and was not, has to be told in another way; in milliseconds. */
const tooLong = hour(1).milliseconds

/** How the sending of mails does. It is shown to everybody: no mail addresses. */
export function mailStatus ({ counts, oldest, trouble, lastError }: OutboxState, now: number): Status {
  const waits = oldest === undefined ? 0 : Math.max(0, now - oldest)
  const metrics = { ...counts, oldest_seconds: Math.round(waits / 1_000) }
  const owed = `${counts.owed} notices are owed${oldest === undefined ? '' : `, the oldest since ${new Date(oldest).toISOString()}`}`
  const lost = `${counts.dropped} older notices were dropped, as there was no room for more`
  if (trouble !== undefined) {
    const who = trouble.what === 'server' ? 'the mail server' : 'the outbox'
    return {
      state: waits > tooLong || counts.dropped > 0 ? RED : YELLOW,
      detail: `no mail goes out since ${new Date(trouble.since).toISOString()}: ${who}: ${withoutAddresses(trouble.why)}; ${counts.dropped > 0 ? `${lost}; ` : ''}${owed}`,
      metrics
    }
  }
  if (counts.dropped > 0) return { state: RED, detail: `${lost}; ${owed}`, metrics }
  if (waits <= tooLong) return { state: OK, metrics }
  return { state: YELLOW, detail: `mails are late: ${owed}${lastError === undefined ? '' : `; the last error: ${withoutAddresses(lastError)}`}`, metrics }
}

/** Mail servers like to repeat whom they refuse. */
function withoutAddresses (text: string): string {
  return text.replace(/[^\s<>"'(),:;]+@[^\s<>"'(),:;]+/g, '…')
}
