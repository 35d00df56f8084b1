import type { SmtpServer } from '../../types/healthchecker-mail.js'
import type { Logger } from '../../types/logger.js'
import { givenOf, type Setting, type Settings } from '../healthchecker/config.js'
import { Mailer } from '../healthchecker/mail/mailer.js'
import { gmailServer, readSmtpServer, smtpServer } from '../healthchecker/mail/smtp-server.js'
import { tokenOfFile } from './token.js'

/** The token of `serve`, of wherever it comes from. */
export async function tokenOf (settings: Settings): Promise<string | undefined> {
  const [given] = givenOf(settings, ['token', 'token-file'])
  if (given === undefined) return undefined
  return given.option.name === 'token' ? String(given.value) : await tokenOfFile(String(given.value))
}

/** Sends mail where a mail server is known. */
export async function mailOf (settings: Settings, logger: Logger): Promise<Mailer | undefined> {
  const [given] = givenOf(settings, ['smtp-url', 'smtp-url-file', 'gmail-token'])
  if (given === undefined) return undefined
  const from = settings.get('mail-from')?.value as string
  return new Mailer({ smtp: await serverOf(given, from), from, allow: settings.get('mail-allow')?.value as string[], logger })
}

async function serverOf ({ option, value, source }: Setting, from: string): Promise<SmtpServer> {
  const what = `"${option.name}" of the ${source}`
  switch (option.name) {
    case 'smtp-url': return smtpServer(value, what)
    case 'smtp-url-file': return await readSmtpServer(String(value), what)
    default: return gmailServer(value, from)
  }
}
