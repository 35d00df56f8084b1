import http from 'node:http'
import net from 'node:net'

export interface Reply {
  readonly statusCode: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  /** Whether the request went over a connection that had served another one. */
  readonly reused: boolean
}

export type Ask = (options: http.RequestOptions, body?: Iterable<string>) => Promise<Reply>

/** Asks over real sockets. With an agent that keeps connections alive, requests share one. */
export const ask: Ask = async (options, body = []) => await new Promise((resolve, reject) => {
  const request = http.request({ host: '127.0.0.1', ...options }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => { text += chunk })
    response.on('error', reject)
    response.on('end', () => resolve({ statusCode: response.statusCode as number, headers: response.headers, body: text, reused: request.reusedSocket }))
  })
  request.on('error', reject)
  for (const chunk of body) request.write(chunk)
  request.end()
})

/** Sends bytes as they are, and gives all that came back until the server closed. */
export async function raw (port: number, bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => { text += chunk })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
