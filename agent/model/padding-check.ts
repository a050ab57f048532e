/**
 * What is checked of the padding of ESP (`ipsecesp_padding_check`), as an SA says it to the software data path: in two bits of
 * the attribute SA_EXTRA_FLAGS that no kernel uses. Nothing is said where it is as Solaris has it at first.
 *
 * @module
 */

/** 0: nothing. 1: the last byte, which says the length once more. 2: all bytes, which count from 1 (RFC 4303 section 2.4). */
export type PaddingCheck = 0 | 1 | 2

const DEFAULT: PaddingCheck = 1
const SHIFT = 28
const MASK = 3

/** The bits that say it. @param value of the tunable */
export function paddingFlags(value: number): number {
  return value === DEFAULT ? 0 : ((value + 1) & MASK) << SHIFT
}

/** What an SA's extra flags say. */
export function paddingCheckOf(flags: number): PaddingCheck {
  const said = (flags >>> SHIFT) & MASK
  return said === 0 ? DEFAULT : said === 1 ? 0 : said === 2 ? 1 : 2
}
