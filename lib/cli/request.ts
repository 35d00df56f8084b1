import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { exitCodes, Failure, Interrupted } from './exit.js'
import { whyNoAnswer } from './explain.js'

/** How every request of a command is made. */
export interface Asking {
  /** For the whole of a request, in milliseconds. */
  readonly timeout: number
  readonly token?: string
  /** Aborts when the program is to end. */
  readonly signal: AbortSignal
}

export interface Reply {
  readonly status: number
  /** In small letters, without parameters; empty where there was none. */
  readonly contentType: string
  readonly location?: string
  readonly challenge?: string
  readonly body: string
}

/** The status of ten thousand handlers is 1 MB. */
const longestBody = 16 * 2 ** 20

/**
 * Asks once, over a connection of its own. A redirect is not followed: it is an answer, and the token goes nowhere else.
 *
 * @throws Failure where there is no whole answer in time; Interrupted
 */
export async function ask (method: 'GET' | 'POST', address: string, { timeout, token, signal }: Asking): Promise<Reply> {
  if (signal.aborted) throw new Interrupted()
  const url = new URL(address)
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    method,
    agent: false,
    headers: {
      accept: '*/*',
      'user-agent': 'svc-status',
      ...method === 'POST' && { 'content-length': '0' },
      ...token !== undefined && { authorization: `Bearer ${token}` }
    }
  })
  let stopped: Error | undefined
  const stop = (error: Error): void => {
    stopped = error
    request.destroy(error)
  }
  const timer = setTimeout(() => stop(new Error(late(timeout))), timeout)
  const interrupt = (): void => stop(new Interrupted())
  signal.addEventListener('abort', interrupt)
  const reply = new Promise<Reply>((resolve, reject) => {
    let answered = false
    request.on('response', (response) => {
      answered = true
      replyOf(response).then(resolve, reject)
    })
    request.on('error', reject)
    // Comes alone where a connection ends without an error or an answer, as one that was switched to another protocol does.
    request.on('close', () => { if (!answered) reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })) })
    request.end()
  })
  return await reply.catch((error) => {
    // What ended it says more than how it ended.
    const cause: Error = stopped ?? error
    throw cause instanceof Interrupted ? cause : new Failure(exitCodes.unreachable, whyNoAnswer(cause, url), request.writableFinished)
  }).finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', interrupt)
    request.destroy()
  })
}

function late (timeout: number): string {
  return `no answer within ${timeout} ms: is it overloaded, or does a firewall swallow the question? --timeout gives it longer`
}

async function replyOf (response: IncomingMessage): Promise<Reply> {
  const { statusCode, headers } = response
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    length += (chunk as Buffer).length
    if (length > longestBody) throw new Error(`its answer is longer than ${longestBody / 2 ** 20} MB: is it the address of a service?`)
    chunks.push(chunk as Buffer)
  }
  return {
    status: statusCode as number,
    contentType: (headers['content-type'] ?? '').replace(/;.*/s, '').trim().toLowerCase(),
    location: headers.location,
    challenge: headers['www-authenticate'],
    body: Buffer.concat(chunks).toString()
  }
}
