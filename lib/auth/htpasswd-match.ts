import { createHash, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'
import { hashSync, truncates } from 'bcryptjs'
import type { Hash, HashKind } from './htpasswd-hash.js'
import type { Check } from './htpasswd-users.js'

// Two packages for require(), the one with wrong types and the other with none.
const require = createRequire(import.meta.url)
const apacheMd5: (password: string, hash: string) => string = require('apache-md5')
const unixCrypt: (password: number[], salt: string) => string = require('unix-crypt-td-js')

/** Makes the hash of a password, with the salt and the cost of one that there is. */
const makers: Readonly<Record<HashKind, (password: string, hash: string) => string>> = {
  bcrypt: (password, hash) => {
    const made = hashSync(password, hash.slice(0, 29))
    // bcrypt reads 72 bytes, and would let in whoever knows these of a longer password: that one is refused. It was hashed all the
    // same, so that every refusal takes equally long. https://github.com/dcodeIO/bcrypt.js#security-considerations
    return truncates(password) ? '' : made
  },
  // One character a byte, as this library takes it.
  apr1: (password, hash) => apacheMd5(Buffer.from(password).toString('latin1'), hash),
  sha1: (password) => `{SHA}${createHash('sha1').update(password).digest('base64')}`,
  crypt: (password, hash) => unixCrypt([...Buffer.from(password)], hash.slice(0, 2))
}

/** Whether the password is that of `own`. Where it is not, this takes the same time for every user and for no user. */
export function matches ({ password, own, others }: Check): boolean {
  if (own !== undefined && isOf(password, own)) return true
  for (const other of others) isOf(password, other)
  return false
}

function isOf (password: string, { kind, text }: Hash): boolean {
  return timingSafeEqual(digest(makers[kind](password, text)), digest(text))
}

/** Of the same length whatever the hash's, as timingSafeEqual wants. */
function digest (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
