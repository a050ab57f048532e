/**
 * Times of packets, to the 10 microseconds that Solaris shows.
 *
 * @module
 */
import type { PrintOptions } from './options.ts'

const NANOSECONDS = 1_000_000_000n
const UNIT = 10_000n

/** `9:44:36.59123`: the hour without a leading zero. */
export function timeOfDay(time: bigint, { utc = false }: PrintOptions): string {
  const whole = floorDivide(time, NANOSECONDS)
  const fraction = (time - whole * NANOSECONDS) / UNIT
  const date = new Date(Number(whole) * 1000)
  if (Number.isNaN(date.getTime())) return '?'
  const [hours, minutes, seconds] = utc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds()]
  return `${hours}:${pad(minutes)}:${pad(seconds)}.${String(fraction).padStart(5, '0')}`
}

/** Seconds from one time to another: `0.00000`. */
export function seconds(from: bigint, to: bigint): string {
  const ticks = (to > from ? to - from : from - to) / UNIT
  const sign = to < from && ticks > 0n ? '-' : ''
  return `${sign}${ticks / 100_000n}.${String(ticks % 100_000n).padStart(5, '0')}`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}
