/**
 * Policies as bare bytes, so that the socket is tested without the codec: outbound, to one address each.
 *
 * @module
 */
import { littleEndian, type Memory } from '../../../netlink/codec/memory.ts'

const HEADER = 16
const POLICY = 168
const NEWPOLICY = 19

/** Encoder for `batchEncoded`: policy number `index`, with a direction that does not exist where it is bad. */
export function policyWriter(isBad: (index: number) => boolean = () => false) {
  return ({ bytes, view }: Memory, at: number, index: number): number => {
    const body = at + HEADER
    bytes.fill(0, at, body + POLICY)
    view.setUint16(at + 4, NEWPOLICY, littleEndian)
    view.setUint32(body, 0x0a000000 + index, false)
    view.setUint16(body + 40, 2, littleEndian)
    bytes[body + 42] = 32
    for (let i = 0; i < 4; i++) view.setBigUint64(body + 56 + 8 * i, 0xffff_ffff_ffff_ffffn, littleEndian)
    view.setUint32(body + 152, 100, littleEndian)
    bytes[body + 160] = isBad(index) ? 7 : 1
    return body + POLICY
  }
}

/** The policy number that {@link policyWriter} put into the bytes. */
export function policyNumber(payload: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = payload
  return a === 10 ? (b << 16) | (c << 8) | d : -1
}

export const getSpdInfo = { type: 37, payload: new Uint8Array(4) }
export const dumpPolicies = { type: 21, payload: new Uint8Array(0) }
export const flushPolicies = { type: 29, payload: new Uint8Array(0) }
