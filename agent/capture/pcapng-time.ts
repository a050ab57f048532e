/**
 * Times of pcapng: counts of a unit that each interface chooses (draft-ietf-opsawg-pcapng section 4.2).
 *
 * @module
 */
import { withinTime } from './record.ts'

export const END_OF_OPTIONS = 0
export const IF_TSRESOL = 9
const IF_TSOFFSET = 14
const NANOSECONDS = 1_000_000_000n
/** The upper bit says that the unit is a power of two, and not of ten, below a second. */
const BINARY = 0x80
const MICROSECONDS = 6

/** A count times `multiplier`, divided by `divisor`, plus `offset`, is nanoseconds. */
export interface TimeUnit {
  readonly multiplier: bigint
  readonly divisor: bigint
  readonly offset: bigint
}

/** Reads what the options of an interface, from `at` to `end`, say of its times. What is cut off is left out. */
export function readTimeUnit(view: DataView, at: number, end: number, isLittle: boolean): TimeUnit {
  let resolution = MICROSECONDS
  let offset = 0n
  for (let option = at; option + 4 <= end; ) {
    const code = view.getUint16(option, isLittle)
    const length = view.getUint16(option + 2, isLittle)
    const value = option + 4
    if (code === END_OF_OPTIONS || value + length > end) break
    if (code === IF_TSRESOL && length >= 1) resolution = view.getUint8(value)
    if (code === IF_TSOFFSET && length >= 8) offset = view.getBigInt64(value, isLittle) * NANOSECONDS
    option = value + ((length + 3) & ~3)
  }
  const exponent = BigInt(resolution & ~BINARY)
  const units = (resolution & BINARY ? 2n : 10n) ** exponent
  return NANOSECONDS % units === 0n
    ? { multiplier: NANOSECONDS / units, divisor: 1n, offset }
    : { multiplier: NANOSECONDS, divisor: units, offset }
}

/** Nanoseconds since 1970, of a count in two halves of 32 bits. */
export function timeOf(high: number, low: number, { multiplier, divisor, offset }: TimeUnit): bigint {
  const whole = high * 2 ** 32 + low
  const count = Number.isSafeInteger(whole) ? BigInt(whole) : (BigInt(high) << 32n) | BigInt(low)
  const scaled = divisor === 1n ? count * multiplier : (count * multiplier) / divisor
  return withinTime(offset === 0n ? scaled : scaled + offset)
}
