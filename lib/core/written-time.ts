import { day, hour, minute, second } from './units.js'

const units = { ms: 1, s: second(1).milliseconds, m: minute(1).milliseconds, h: hour(1).milliseconds, d: day(1).milliseconds }

/** The milliseconds of a time as people write it, such as `500ms`, `60s`, `5m`, `1h` or `7d`; undefined where it is none. */
export function writtenTime (text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})(ms|[smhd])$/.exec(text) ?? []
  return amount === undefined ? undefined : Number(amount) * units[unit as keyof typeof units]
}
