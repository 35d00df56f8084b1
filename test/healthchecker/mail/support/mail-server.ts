import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface ReceivedMail {
  readonly to: readonly string[]
  readonly from: string
  /** Who was logged in. */
  readonly user: string | undefined
  /** Whether it came over TLS. */
  readonly secure: boolean
  readonly raw: string
  readonly messageId: string
}

export interface MailServer {
  readonly port: number
  readonly mails: ReceivedMail[]
  /** How many connections there were, and how many there are. */
  readonly connections: { count: number, open: number }
}

/** An SMTP server on loopback that keeps what it takes. */
export async function mailServer (t: Test, options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const connections = { count: 0, open: 0 }
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 10,
    onData (stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        mails.push(received(session, Buffer.concat(chunks).toString()))
        done()
      })
    },
    ...options
  })
  server.on('error', () => {})
  server.server.on(options.secure === true ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.count++
    connections.open++
    socket.on('close', () => { connections.open-- })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => await new Promise<void>((resolve) => { server.close(resolve) }))
  return { port: (server.server.address() as AddressInfo).port, mails, connections }
}

type Session = Parameters<NonNullable<SMTPServerOptions['onData']>>[1]

export function received ({ envelope, user, secure }: Session, raw: string): ReceivedMail {
  return {
    to: envelope.rcptTo.map(({ address }) => address),
    from: (envelope.mailFrom as { address: string }).address,
    user,
    secure,
    raw,
    messageId: /^Message-ID: (.*)$/im.exec(raw)?.[1].trim() ?? ''
  }
}

/** What a server does at a point of the conversation. */
export type Fault = 'closes' | 'hangs' | 'resets' | string

/** The points of an SMTP conversation: what comes, and what is answered to it where all is well. */
const usual: Readonly<Record<string, string>> = {
  greeting: '220 mail.test ESMTP',
  EHLO: '250-mail.test\r\n250 8BITMIME',
  HELO: '250 mail.test',
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go on',
  '.': '250 taken',
  RSET: '250 ok',
  QUIT: '221 bye'
}

/**
 * A server that does something odd at one point of the conversation; gives its port and what was sent to it, by line.
 *
 * @param time at which time that a connection comes to that point
 */
export async function oddServer (t: Test, point: string, fault: Fault, time = 1): Promise<{ port: number, heard: string[], sockets: Set<Socket> }> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let data = false
    let times = 0
    let rest = ''
    const reply = (now: string): void => {
      if (now !== point || ++times < time) socket.write(`${usual[now] ?? '500 what?'}\r\n`)
      else if (fault === 'closes') socket.end()
      else if (fault === 'resets') socket.resetAndDestroy()
      else if (fault !== 'hangs') socket.write(fault)
      data = now === 'DATA' && (now !== point || times < time)
    }
    reply('greeting')
    socket.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\r\n')
      rest = lines.pop() as string
      for (const line of lines) {
        heard.push(line)
        if (data && line !== '.') continue
        reply(line.split(' ')[0].toUpperCase())
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, heard, sockets }
}
