import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, 'certificates')

function pem (name: string): string {
  return readFileSync(join(folder, name), 'utf8')
}

/** The issuer of all the others; valid from 2020 to 2124. */
export const ca = pem('ca.pem')

/**
 * For `localhost`, `127.0.0.1` and `::1`: `good` until 2123-01-01, `expired` since 2020-02-01, `early` from 2122-01-01.
 * `client` is not for a server. `other-name` is good, for `other.example`.
 */
export function certificate (name: 'good' | 'expired' | 'early' | 'client' | 'other-name'): { key: string, cert: string } {
  return { key: pem('server.key'), cert: pem(`${name}.pem`) }
}
