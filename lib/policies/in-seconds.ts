/** `40 s`; where it matters more exactly, `4.5 s` and `450 ms`. */
export function inSeconds (milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.floor(milliseconds)} ms`
  const digits = milliseconds < 10_000 ? 10 : 1
  return `${Math.floor(milliseconds / 1_000 * digits) / digits} s`
}
