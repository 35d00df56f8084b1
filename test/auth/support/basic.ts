/** The `Authorization` header of a name and a password. */
export function basic (name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

/** The headers of a request that brings credentials, or none. */
export function headersOf (authorization: string | undefined): { authorization?: string } {
  return authorization === undefined ? {} : { authorization }
}
