/**
 * Words that languages about the kernel's policies and states have in common, and selectors without masks.
 *
 * @module
 */
import { formatAddress } from '../../../agent/model/address.ts'
import { readAddress } from '../../../agent/translate/selectors.ts'
import { proto } from '../../../netlink/xfrm/constants.ts'
import type { Selector } from '../../../netlink/xfrm/structs.ts'

const ICMP = [1, 58]
const EXACT = 0xffff
/** More selectors than this from one are not for a file. */
const MOST = 4096

export function isIcmp(protocol: number): boolean {
  return ICMP.includes(protocol)
}

/**
 * A selector with a range of ICMP types and codes as several with single ones, for no language has masks.
 *
 * @returns `undefined` where they are too many
 */
export function oneByOne(sel: Selector): readonly Selector[] | undefined {
  if (!isIcmp(sel.proto)) return [sel]
  const types = valuesOf(sel.sport, sel.sport_mask)
  const codes = valuesOf(sel.dport, sel.dport_mask)
  if (types.length * codes.length > MOST) return undefined
  return types.flatMap(([sport, sport_mask]) =>
    codes.map(([dport, dport_mask]) => ({ ...sel, sport, sport_mask, dport, dport_mask })),
  )
}

/** Numbers of 8 bits: a mask that leaves all of them open is none. */
function valuesOf(value: number, mask: number): (readonly [number, number])[] {
  if ((mask & 0xff) === 0) return [[0, 0]]
  const free = EXACT ^ mask
  const found: (readonly [number, number])[] = []
  for (let i = 0; i <= free; i++) if ((i & mask) === 0) found.push([value + i, EXACT])
  return found
}

export function address(bytes: Uint8Array, family: number): string {
  return formatAddress(readAddress(bytes, family))
}

export function protocolWord(number: number): string {
  return number === proto.AH ? 'ah' : 'esp'
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

/** A key in hexadecimal digits. @param nothing what stands for an empty one */
export function keyDigits(key: Uint8Array, nothing: string): string {
  return key.length === 0
    ? nothing
    : `0x${Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex')}`
}
