/**
 * Packets and SAs for a way there and back: whatever protects a packet, it comes out as it was.
 *
 * @module
 */
import { newIpHeader, parseIp } from '../../../../agent/packet/ip-header.ts'
import { IPPROTO_AH, IPPROTO_ESP } from '../../../../agent/packet/protocols.ts'
import { anyPacket, destination4, destination6 } from '../../packet/packets.ts'
import { authAttributes, espSamples, macSamples, type Sample } from './crypto/samples.ts'
import type { LoopOptions } from './loop.ts'

const NO_NEXT_HEADER = 59

/** Each transform, and the protocol that it belongs to. */
export const samples: readonly (Sample & { readonly protocol: 'esp' | 'ah' })[] = [
  ...espSamples.map((sample) => ({ ...sample, protocol: 'esp' as const })),
  ...macSamples.map((row) => ({
    title: `AH ${row[0]}`,
    attributes: authAttributes(row),
    protocol: 'ah' as const,
  })),
]

const ip = newIpHeader()

/**
 * Whole packets, since fragments are put together before anything is done to them, and with something behind the
 * headers: ESP around nothing is refused, by the kernel, too.
 */
export const wholePackets = anyPacket(1400).filter((bytes) => {
  if (!parseIp(bytes, 0, bytes.length, ip) || ip.isFragment || ip.upperAt >= ip.end) return false
  return ![IPPROTO_ESP, IPPROTO_AH, NO_NEXT_HEADER].includes(ip.protocol)
})

export type OuterEnd = Pick<LoopOptions, 'version' | 'destination'>

/** Where a packet goes. */
export function destinationOf(bytes: Uint8Array): OuterEnd {
  parseIp(bytes, 0, bytes.length, ip)
  const { version, destinationAt } = ip
  return { version, destination: bytes.slice(destinationAt, destinationAt + (version === 4 ? 4 : 16)) }
}

/** The far end of a tunnel. */
export function tunnelEnd(version: 4 | 6): OuterEnd {
  return { version, destination: version === 4 ? destination4 : destination6 }
}

/** Without what AH and the system itself may set in an IPv4 header: identification, and with it the checksum. */
export function comparable(bytes: Uint8Array): string {
  const copy = bytes.slice()
  if ((copy[0] ?? 0) >> 4 === 4) {
    copy.fill(0, 4, 6)
    copy.fill(0, 10, 12)
  }
  return Buffer.from(copy).toString('hex')
}
