import http from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** A reader of server-sent events over a connection of its own. */
export interface Events {
  readonly statusCode: number
  readonly headers: http.IncomingHttpHeaders
  /** The data of all messages so far, as JSON. */
  readonly messages: unknown[]
  /** How many beats came so far. */
  readonly beats: () => number
  /** All that came. */
  readonly text: () => string
  /** Whether the reply is over. */
  readonly over: () => boolean
  pause (): void
  resume (): void
  leave (): void
}

export async function follow (options: http.RequestOptions, { paused = false } = {}): Promise<Events> {
  return await new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      const messages: unknown[] = []
      let [text, rest, beats, over] = ['', '', 0, false]
      response.setEncoding('utf8')
      if (!paused) response.on('data', read)
      response.on('error', () => {})
      response.on('close', () => { over = true })
      function read (chunk: string): void {
        text += chunk
        const parts = (rest + chunk).split('\n\n')
        rest = parts.pop() as string
        for (const part of parts) {
          if (part.trim() === 'event: beat\ndata:') beats++
          for (const line of part.split('\n')) {
            if (line.startsWith('data: ')) messages.push(JSON.parse(line.slice(6)))
          }
        }
      }
      resolve({
        statusCode: response.statusCode as number,
        headers: response.headers,
        messages,
        beats: () => beats,
        text: () => text,
        over: () => over,
        pause: () => { response.pause() },
        resume: () => { if (paused) response.on('data', read); response.resume() },
        leave: () => request.destroy()
      })
    })
    request.on('error', reject)
  })
}

/** Waits for what sockets bring about, whatever the timers of the process do; the bound is for a test that fails. */
export async function eventually (condition: () => boolean, what: string): Promise<void> {
  for (let times = 0; !condition(); times++) {
    if (times > 2_000) throw new Error(`waited in vain until ${what}`)
    await setTimeout(5)
  }
}
