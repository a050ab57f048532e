/**
 * Quantities for people: three digits and a unit.
 *
 * @module
 */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `999 B`, `12.3 MB`: powers of 1000. */
export function bytesText(bytes: number): string {
  return scaled(bytes, 'B')
}

/** `1.20 Mbit/s`. */
export function bitRateText(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, 'bit/s')
}

/** `0`, `0.4`, `1234`: packets a second. */
export function rateText(perSecond: number): string {
  if (perSecond === 0) return '0'
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))
}

function scaled(value: number, unit: string): string {
  let power = 0
  let rest = value
  // What would be rounded up to 1000 has the next prefix.
  while (rest >= 999.5 && power < PREFIXES.length - 1) {
    rest /= 1000
    power++
  }
  const digits = power === 0 && Number.isInteger(rest) ? 0 : rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
  return `${rest.toFixed(digits)} ${PREFIXES[power]}${unit}`
}

/** `45s`, `3m20s`, `5h10m`, `2d4h`: the two largest units. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < MINUTE) return `${whole}s`
  if (whole < HOUR) return two(whole, MINUTE, 'm', 1, 's')
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'm')
  return two(whole, DAY, 'd', HOUR, 'h')
}

function two(whole: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((whole % large) / small)
  return `${Math.floor(whole / large)}${largeUnit}${rest > 0 ? `${rest}${smallUnit}` : ''}`
}
