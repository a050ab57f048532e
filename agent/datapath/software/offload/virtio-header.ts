/**
 * `struct virtio_net_hdr` (VIRTIO 1.2 section 5.1.6, linux/virtio_net.h): what stands in front of each packet that a TUN
 * device gives or takes, and says what was left undone of it.
 *
 * @module
 */
export const VIRTIO_HEADER_LENGTH = 10

/** The checksum is still to be made; its field holds the sum of the pseudo-header. */
export const NEEDS_CHECKSUM = 1

/** How a packet of several segments is to be cut. */
export const segmentation = { NONE: 0, TCP4: 1, TCP6: 4, UDP: 5 } as const
/** Bit beside them: the first segment says "congestion window reduced" (RFC 3168). */
const ECN = 0x80

/** The header's fields, but for the length of the headers to be repeated, which is but a hint. */
export interface VirtioHeader {
  flags: number
  /** One of {@link segmentation}. */
  kind: number
  /** Payload bytes of each segment but the last. */
  segmentSize: number
  /** Where summing begins, and how far behind that the checksum stands; bytes from the packet's beginning. */
  checksumStart: number
  checksumOffset: number
}

export function newVirtioHeader(): VirtioHeader {
  return { flags: 0, kind: segmentation.NONE, segmentSize: 0, checksumStart: 0, checksumOffset: 0 }
}

export function readVirtioHeader(view: DataView, at: number, into: VirtioHeader): void {
  into.flags = view.getUint8(at)
  into.kind = view.getUint8(at + 1) & ~ECN
  into.segmentSize = view.getUint16(at + 4, true)
  into.checksumStart = view.getUint16(at + 6, true)
  into.checksumOffset = view.getUint16(at + 8, true)
}

/** @param headersLength of what stands in front of each segment's payload */
export function writeVirtioHeader(
  view: DataView,
  at: number,
  header: VirtioHeader,
  headersLength: number,
): void {
  view.setUint8(at, header.flags)
  view.setUint8(at + 1, header.kind)
  view.setUint16(at + 2, headersLength, true)
  view.setUint16(at + 4, header.segmentSize, true)
  view.setUint16(at + 6, header.checksumStart, true)
  view.setUint16(at + 8, header.checksumOffset, true)
}

/** Says of a packet that it is whole and finished. */
export function writePlainHeader(bytes: Uint8Array, at: number): void {
  bytes.fill(0, at, at + VIRTIO_HEADER_LENGTH)
}
