import { X509Certificate } from 'node:crypto'
import { codedError, show } from '../core/errors.js'

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * Certificates in PEM. Node itself takes a text without any for no certificates at all, and leaves out one that is broken.
 *
 * @throws ERR_INVALID_OPTION
 */
export function certificatesOf (value: unknown): Array<string | Buffer> | undefined {
  if (value === undefined) return undefined
  const items: unknown[] = Array.isArray(value) ? value : [value]
  if (items.length > 0 && items.every(holdsCertificates)) return items
  // Text is not shown: it may be a key that was given by mistake.
  throw codedError('ERR_INVALID_OPTION', `the option "ca" must be one or more certificates in PEM, not ${typeof value === 'string' ? 'other text' : show(value)}`)
}

function holdsCertificates (item: unknown): item is string | Buffer {
  if (typeof item !== 'string' && !(item instanceof Uint8Array)) return false
  const found = Buffer.from(item).toString('latin1').match(pem)
  return found !== null && found.every(isCertificate)
}

function isCertificate (text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}
