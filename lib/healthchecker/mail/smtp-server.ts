import { readFile, stat } from 'node:fs/promises'
import { BlockList, isIP } from 'node:net'
import type { SmtpServer } from '../../../types/healthchecker-mail.js'
import { hostOf } from '../../checks/peer.js'
import { codedError, show } from '../../core/errors.js'
import { isOpenToAll } from '../../core/open-to-all.js'
import { mailAddress } from './receivers.js'

/** https://www.rfc-editor.org/rfc/rfc8314#section-7: submission, and submissions with TLS from the first byte. */
const ports: Readonly<Record<string, number>> = { 'smtp:': 587, 'smtps:': 465 }

/** No URL is longer, in bytes. */
const longestFile = 4_096

const parameters = ['requireTLS', 'rejectUnauthorized', 'name']

const example = 'smtp://user:password@mail.example.org:587 or smtps://…, with what is special in user and password percent-encoded'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/**
 * The mail server of an SMTP URL: `smtp:` begins TLS where the server offers it, `smtps:` is TLS from the first byte.
 * A password goes over TLS only, unless the server is on this machine or the URL says `?requireTLS=false`.
 *
 * What came is never part of an error: it holds the password.
 *
 * @throws ERR_INVALID_OPTION
 * @example
 * smtpServer('smtps://alice:secret@mail.example.org', '--smtp-url-file')
 */
export function smtpServer (text: unknown, what: string): SmtpServer {
  const refuse = (expected: string): Error => codedError('ERR_INVALID_OPTION', `${what} must be ${expected}`)
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || ports[url.protocol] === undefined || url.hostname === '' || (url.pathname !== '' && url.pathname !== '/') || url.hash !== '') {
    throw refuse(`an SMTP URL such as ${example}`)
  }
  const unknown = [...url.searchParams.keys()].filter((key) => !parameters.includes(key))
  if (unknown.length > 0) throw refuse(`an SMTP URL whose parameters are of ${parameters.join(', ')}; it has ${show(unknown[0])}`)
  const flag = (parameter: string, standard: boolean): boolean => {
    const value = url.searchParams.get(parameter)
    if (value !== null && value !== 'true' && value !== 'false') throw refuse(`an SMTP URL whose ${parameter} is true or false`)
    return value === null ? standard : value === 'true'
  }
  const secure = url.protocol === 'smtps:'
  const host = hostInUrl(url, refuse)
  const login = loginIn(url, refuse)
  const name = url.searchParams.get('name') ?? undefined
  return {
    host,
    port: url.port === '' ? ports[url.protocol] : Number(url.port),
    secure,
    requireTls: flag('requireTLS', !secure && login !== undefined && !isLoopback(host)),
    rejectUnauthorized: flag('rejectUnauthorized', true),
    ...name !== undefined && { name: hostOf(name, `the parameter "name" of ${what}`) },
    ...login !== undefined && { login }
  }
}

function hostInUrl (url: URL, refuse: (expected: string) => Error): string {
  try {
    return hostOf(decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'), '')
  } catch {
    throw refuse('an SMTP URL with a host name or an IP address')
  }
}

function loginIn (url: URL, refuse: (expected: string) => Error): SmtpServer['login'] {
  if (url.username === '' && url.password === '') return undefined
  let login
  try {
    login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  } catch {}
  if (login === undefined || login.user === '' || login.password === '' || /\p{Cc}/u.test(login.user + login.password)) {
    throw refuse('an SMTP URL with both user and password, percent-encoded, or with neither')
  }
  return login
}

function isLoopback (host: string): boolean {
  return host === 'localhost' || loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Gmail with an app password, which Google shows in four groups; `from` is the account.
 * See https://support.google.com/accounts/answer/185833
 *
 * @throws ERR_INVALID_OPTION; the token is never part of the message
 */
export function gmailServer (token: unknown, from: unknown): SmtpServer {
  const user = mailAddress(from, 'the sender of mails by Gmail')
  const password = typeof token === 'string' ? token.replaceAll(' ', '').trim() : ''
  if (!/^[\x21-\x7e]{1,4096}$/.test(password)) throw codedError('ERR_INVALID_OPTION', 'the Gmail token must be an app password: ASCII characters without control characters')
  return { host: 'smtp.gmail.com', port: ports['smtps:'], secure: true, requireTls: false, rejectUnauthorized: true, login: { user, password } }
}

/**
 * The mail server whose SMTP URL a file holds, alone in one line.
 *
 * @throws ERR_INVALID_OPTION, also where the file cannot be read, or every user of the machine may read or write it
 */
export async function readSmtpServer (path: string, what: string): Promise<SmtpServer> {
  let text: string
  let open: boolean
  try {
    const file = await stat(path)
    open = isOpenToAll(file)
    // A pipe or a device may never end.
    if (!file.isFile() || file.size > longestFile) throw Object.assign(new Error(), { code: file.isFile() ? 'EFBIG' : 'no file' })
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw codedError('ERR_INVALID_OPTION', `${what} must be a file with an SMTP URL, of at most ${longestFile} bytes; ${show(path)} cannot be read: ${code}`, { cause })
  }
  if (open) throw codedError('ERR_INVALID_OPTION', `${what} must be a file that strangers cannot read; ${show(path)} is open to every user of this machine. chmod o= ${show(path)} closes it`)
  return smtpServer(text.trim(), what)
}
