import type { Clock } from '../../types/time.js'

/** Where text goes; a terminal is one and has a size. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write (text: string, done?: (error?: Error | null) => void): unknown
  on (event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  off (event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

/** What a command sees of the process that it runs in. */
export interface World {
  /** For results. */
  readonly stdout: Output
  /** For errors. */
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Aborts when the program is to end; the reason is the name of a signal such as `SIGINT`, or why nothing can be written any more. */
  readonly signal: AbortSignal
}

/** How much a terminal shows; 80 by 24 where nobody knows: some say that they have 0 columns and rows. */
export function sizeOf ({ columns = 0, rows = 0 }: Output): { columns: number, rows: number } {
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 }
}
