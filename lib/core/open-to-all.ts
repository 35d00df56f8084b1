/**
 * Whether every user of this machine may read or write a file: then it is no place for a secret.
 *
 * @param platform Windows has no such permissions
 */
export function isOpenToAll ({ mode }: { readonly mode: number }, platform: string = process.platform): boolean {
  return platform !== 'win32' && (mode & 0o007) !== 0
}
