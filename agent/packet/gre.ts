/**
 * The header of generic routing encapsulation (RFC 2784, RFC 2890), as tunnel interfaces of Linux send it.
 *
 * @module
 */
import { read16 } from './octets.ts'

const CHECKSUM = 0x8000
const KEY = 0x2000
const SEQUENCE = 0x1000
const IPV4 = 0x0800
const IPV6 = 0x86dd

/**
 * Length of the header at `at`.
 *
 * @returns -1 where it is none that carries an IP packet: another version or payload, reserved bits, or cut off
 */
export function greLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 4) return -1
  const flags = read16(bytes, at)
  const protocol = read16(bytes, at + 2)
  if ((flags & ~(CHECKSUM | KEY | SEQUENCE)) !== 0 || (protocol !== IPV4 && protocol !== IPV6)) return -1
  const length = 4 + (flags & CHECKSUM ? 4 : 0) + (flags & KEY ? 4 : 0) + (flags & SEQUENCE ? 4 : 0)
  return at + length <= end ? length : -1
}
