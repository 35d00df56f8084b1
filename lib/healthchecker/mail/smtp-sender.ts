import type { SmtpServer } from '../../../types/healthchecker-mail.js'
import { codedError } from '../../core/errors.js'
import { oneLine } from './lines.js'
import type { Message } from './message.js'

/** What came of an attempt: `why` is for people, and holds no secret. */
export type Outcome =
  /** The server took the mail: it is its business now. */
  | { readonly how: 'sent' }
  /** Not this mail, now. */
  | { readonly how: 'later', readonly why: string }
  /** Not this mail, ever. */
  | { readonly how: 'never', readonly why: string }
  /** No mail at all, now. */
  | { readonly how: 'down', readonly why: string }

export interface Sender {
  /** Never rejects. */
  send (message: Message, signal: AbortSignal): Promise<Outcome>
  /** Ends the connection, whatever is under way on it. */
  close (): void
}

/** How long to wait for the peer of a connection, in milliseconds. A mail as a whole has a limit of its own. */
const limits = { dnsTimeout: 10_000, connectionTimeout: 10_000, greetingTimeout: 30_000, socketTimeout: 60_000, socketCloseTimeout: 1_000 }

/** A connection stays open for more mails, but not for long; then it takes its leave, which nodemailer does in no other way. In milliseconds. */
const idleTimeout = 1_000

/** The part of nodemailer that is used. */
interface Nodemailer {
  createTransport (options: object): {
    sendMail (message: object): Promise<unknown>
    close (options: { force: boolean }): void
    on (event: 'error', listener: () => void): unknown
  }
}

/** What loads nodemailer; a test may have none. */
export type LoadNodemailer = () => Promise<Nodemailer>

export const loadNodemailer: LoadNodemailer = async () => await import('nodemailer')

/**
 * Hands mails to a mail server, over one connection at a time.
 *
 * @throws ERR_PACKAGE_MISSING where nodemailer is not installed
 */
export async function smtpSender (server: SmtpServer, load: LoadNodemailer): Promise<Sender> {
  const { host, port, secure, requireTls, rejectUnauthorized, name, login } = server
  const { createTransport } = await loaded(load)
  const transport = createTransport({
    host,
    port,
    secure,
    requireTLS: requireTls,
    tls: { rejectUnauthorized },
    name,
    auth: login && { user: login.user, pass: login.password },
    pool: true,
    maxConnections: 1,
    // A connection that was kept may have been closed meanwhile: then, and only before a byte of the mail is sent, another one.
    maxRequeues: 1,
    idleTimeout,
    ...limits,
    disableFileAccess: true,
    disableUrlAccess: true
  })
  // Each attempt hears of its own errors.
  transport.on('error', () => {})
  return {
    async send (message, signal) {
      try {
        await transport.sendMail({ ...message, signal })
        return { how: 'sent' }
      } catch (error) {
        return outcomeOf(error as SmtpError, signal, login)
      }
    },
    close: () => transport.close({ force: true })
  }
}

async function loaded (load: LoadNodemailer): Promise<Nodemailer> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw codedError('ERR_PACKAGE_MISSING', 'sending mails needs a package that is not installed: npm install nodemailer', { cause })
  }
}

interface SmtpError extends Error {
  readonly code?: string
  /** What nodemailer's own code took the place of. */
  readonly originalCode?: string
  /** Which command failed; `API` where it was not even sent. */
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
}

/** The commands that are about one mail to one receiver. Who is refused as a sender, or cannot log in, has to set up something first. */
const ofOneMail: ReadonlyArray<string | undefined> = ['RCPT TO', 'DATA']

/** https://www.rfc-editor.org/rfc/rfc5321#section-3.8: the server ends the session, whatever was asked. */
const serviceNotAvailable = 421

function outcomeOf (error: SmtpError, signal: AbortSignal, login: SmtpServer['login']): Outcome {
  const { command, responseCode = 0 } = error
  const why = whyOf(error, signal, login)
  // Nodemailer refuses a receiver that no server would take.
  if (command === 'API' && error.code === 'EENVELOPE') return { how: 'never', why }
  if (!ofOneMail.includes(command) || responseCode === serviceNotAvailable) return { how: 'down', why }
  if (responseCode >= 400 && responseCode < 500) return { how: 'later', why }
  return { how: responseCode >= 500 && responseCode < 600 ? 'never' : 'down', why }
}

/** What the server says is shown where it is about a mail: during a login it may repeat the password, if only in disguise. */
function whyOf ({ name, code, originalCode, command, response, responseCode }: SmtpError, signal: AbortSignal, login: SmtpServer['login']): string {
  if (signal.aborted) return 'it took too long'
  if (responseCode === undefined) return `${originalCode ?? code ?? name}${command === undefined ? '' : ` (${command})`}`
  const shown = ofOneMail.includes(command) || command === 'MAIL FROM' ? without(String(response), login) : String(responseCode)
  return `${command}: ${oneLine(shown.replace(/\s+/g, ' '), 200)}`
}

function without (text: string, login: SmtpServer['login']): string {
  return login === undefined ? text : text.replaceAll(login.password, '***')
}
