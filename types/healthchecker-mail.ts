import type { Logger } from './logger.js'
import type { Clock, Time } from './time.js'

/** The mail server that mails are handed to. It holds the password: it is for nobody's log. */
export interface SmtpServer {
  /** A host name or an IP address, without brackets. */
  readonly host: string
  readonly port: number
  /** TLS from the first byte, as `smtps:` has it. */
  readonly secure: boolean
  /** Without TLS, which then begins with STARTTLS, nothing is sent. */
  readonly requireTls: boolean
  /** Whether its certificate must be valid. */
  readonly rejectUnauthorized: boolean
  /** What this machine calls itself. Absent: its host name. */
  readonly name?: string
  readonly login?: { readonly user: string, readonly password: string }
}

export interface MailerOptions {
  /** The mail server, as `smtpServer()` reads it of a URL, or `gmailServer()` of a token. */
  readonly smtp: SmtpServer
  /** The address that mails come from. */
  readonly from: string
  /** Who may be a receiver of any registration: `alice@example.org`, `@example.org` or `*`. Default: nobody, only registrations with the token have receivers. */
  readonly allow?: readonly string[]
  /** How long what happens is gathered for one mail. Good news alone waits six times as long. Default `second(10)`; 0 to an hour. */
  readonly gather?: Time
  /** How long a mail that cannot be sent is tried, at least 10 times. Default `day(4)`; at least a minute. */
  readonly giveUpAfter?: Time
  /** How long the server may take for one mail. Default `minute(2)`; at least 100 ms. */
  readonly timeout?: Time
  readonly logger?: Logger
  readonly clock?: Clock
}
