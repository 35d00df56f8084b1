import { parentPort, type MessagePort } from 'node:worker_threads'
import type { Database } from 'libsql'
import { SqliteFile } from './sqlite-file.js'

/** What may be asked: the methods of the file, and what opens it. */
export type Operation = 'open' | 'apps' | 'lastNotice' | 'write' | 'hours' | 'due' | 'owed' | 'assign' | 'postpone' | 'remove' | 'fail' | 'failed' | 'close'

export interface Question {
  readonly id: number
  readonly operation: Operation
  readonly values: readonly unknown[]
}

export type Answer =
  | { readonly id: number, readonly value: unknown }
  | { readonly id: number, readonly error: { readonly code: string, readonly message: string } }

type Driver = new (path: string) => Database

/** Does one thing after the other; outside of a worker there is no port. */
export function serve (port: MessagePort | null, load: () => Promise<{ default: unknown }> = async () => await import('libsql')): void {
  let file: SqliteFile | undefined
  let last = Promise.resolve()

  const answer = async ({ id, operation, values }: Question): Promise<Answer> => {
    try {
      if (operation === 'open') {
        const { default: Database } = await load()
        file = new SqliteFile(Database as Driver, values[0] as string)
        return { id, value: undefined }
      }
      if (file === undefined) throw new Error('the store is not open')
      return { id, value: (file[operation] as (...values: unknown[]) => unknown)(...values) }
    } catch (error) {
      const { code, message } = error as { code?: unknown, message: string }
      return { id, error: { code: String(code), message } }
    }
  }

  port?.on('message', (question: Question) => {
    last = last.then(async () => {
      port.postMessage(await answer(question))
      if (question.operation === 'close') port.close()
    })
  })
}

serve(parentPort)
