import type { State } from '../../types/status.js'

/** What the program ends with, for scripts. From 64 on as in sysexits.h: https://man.freebsd.org/cgi/man.cgi?query=sysexits */
export const exitCodes = {
  /** The state is OK; what was asked for is done. */
  OK: 0,
  YELLOW: 1,
  RED: 2,
  /** No answer, or none of a svc_status. */
  unreachable: 3,
  /** The service answered, and did not do what it was asked for. */
  refused: 4,
  /** The time of `wait` was over first. */
  late: 5,
  usage: 64,
  /** A fault of the program itself. */
  fault: 70,
  /** The result could not be written. */
  output: 74,
  SIGINT: 130,
  SIGTERM: 143
} as const satisfies Record<State, number> & Record<string, number>

export type ExitCode = typeof exitCodes[keyof typeof exitCodes]

/** What is wrong with the command line, or with what it names; nothing was asked and nothing was sent. */
export class UsageError extends Error {}

/** What a service did not do, in words for people: what happened, and what to do next. */
export class Failure extends Error {
  readonly code: ExitCode
  /** Whether the service may have heard the question although there is no answer. */
  readonly unsure: boolean

  constructor (code: ExitCode, message: string, unsure = false) {
    super(message)
    this.code = code
    this.unsure = unsure
  }
}

/** Somebody wants the program to end before it is done. */
export class Interrupted extends Error {}

/** Of several services the worst counts, which is the highest. */
export function worstCode (codes: readonly ExitCode[]): ExitCode {
  return codes.reduce((a, b) => a >= b ? a : b, exitCodes.OK)
}
