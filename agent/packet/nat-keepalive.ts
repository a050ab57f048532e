/**
 * The packet that keeps a NAT from forgetting about ESP in UDP (RFC 3948 section 2.3): one byte, for nobody.
 *
 * @module
 */
import { checksum, pseudoHeaderSum } from './checksum.ts'
import { refreshChecksum } from './ip-header.ts'
import { copy, write16, write32 } from './octets.ts'
import { DF, IPPROTO_UDP, UDP_HEADER_LENGTH, V4_LENGTH, V6_LENGTH } from './protocols.ts'
import type { TunnelEnds } from './tunnel.ts'

const KEEPALIVE = 0xff
const HOP_LIMIT = 64

/**
 * Writes it at `at`, IP header included.
 *
 * @param ports of source and destination
 * @returns where it ends
 */
export function writeNatKeepalive(
  bytes: Uint8Array,
  at: number,
  { version, source, destination }: TunnelEnds,
  ports: readonly [source: number, destination: number],
): number {
  const length = UDP_HEADER_LENGTH + 1
  const udpAt = at + (version === 4 ? V4_LENGTH : V6_LENGTH)
  const end = udpAt + length
  bytes.fill(0, at, end)
  if (version === 4) {
    bytes[at] = 0x45
    write16(bytes, at + 2, end - at)
    write16(bytes, at + 6, DF)
    bytes[at + 8] = HOP_LIMIT
    bytes[at + 9] = IPPROTO_UDP
    copy(source, 0, 4, bytes, at + 12)
    copy(destination, 0, 4, bytes, at + 16)
    refreshChecksum(bytes, at)
  } else {
    write32(bytes, at, 0x6000_0000)
    write16(bytes, at + 4, length)
    bytes[at + 6] = IPPROTO_UDP
    bytes[at + 7] = HOP_LIMIT
    copy(source, 0, 16, bytes, at + 8)
    copy(destination, 0, 16, bytes, at + 24)
  }
  write16(bytes, udpAt, ports[0])
  write16(bytes, udpAt + 2, ports[1])
  write16(bytes, udpAt + 4, length)
  bytes[udpAt + UDP_HEADER_LENGTH] = KEEPALIVE
  const [addressesAt, size] = version === 4 ? [at + 12, 8] : [at + 8, 32]
  const sum = pseudoHeaderSum(bytes, addressesAt, size, IPPROTO_UDP, length)
  write16(bytes, udpAt + 6, checksum(bytes, udpAt, end, sum) || 0xffff)
  return end
}
