/**
 * ESP in UDP that the kernel shows before it is cut or after it was joined (segmentation offload, `UDP_SEGMENT` and
 * `UDP_GRO` of udp(7)): one header, and behind it the payloads of many datagrams, all of one length but the last. A
 * packet socket is not told that length; where the next ESP header stands tells it.
 *
 * @module
 */
import { type IpHeader, newIpHeader, parseIp, setLength } from '../packet/ip-header.ts'
import { read16, read32, write16 } from '../packet/octets.ts'
import { IPPROTO_UDP } from '../packet/protocols.ts'
import { MAX_PACKET } from './byte-source.ts'
import { type Frame, newFrame } from './frame.ts'

const UDP_HEADER = 8
/** ESP's header, trailer and padding; packets of ESP are so long and a multiple of 4 (RFC 4303 section 2.4). */
const SHORTEST = 12
const ALIGNMENT = 4
/** Packets that are sent as one have numbers that are not farther apart. */
const NEAR = 128

export class Bursts {
  readonly #ip = newIpHeader()
  readonly #bytes = new Uint8Array(MAX_PACKET)
  readonly #frame = newFrame()

  /** The frame's headers, and behind them one payload. */
  #part(frame: Frame, { upperAt, at: ipAt }: IpHeader, at: number, to: number): Frame {
    const out = this.#bytes
    const begin = upperAt + UDP_HEADER
    const end = begin + to - at
    out.set(frame.bytes.subarray(0, begin))
    out.set(frame.bytes.subarray(at, to), begin)
    write16(out, upperAt + 4, UDP_HEADER + to - at)
    setLength(out, ipAt, end)
    return Object.assign(this.#frame, frame, { bytes: out.subarray(0, end), end, wireLength: end })
  }

  /**
   * The datagrams of a frame, one after the other.
   *
   * @param isEncapsulationPort whether ESP may stand in UDP of this port
   * @param isKnown whether there is an ESP SA of this SPI
   * @returns frames that are good until the next one is asked for; none where the frame is a single packet
   */
  *split(
    frame: Frame,
    isEncapsulationPort: (port: number) => boolean,
    isKnown: (spi: number) => boolean,
  ): Generator<Frame, void> {
    const { bytes, ipAt, end } = frame
    const ip = this.#ip
    if (ipAt < 0 || !parseIp(bytes, ipAt, end, ip) || ip.protocol !== IPPROTO_UDP || ip.isFragment) return
    const { upperAt } = ip
    if (ip.end - upperAt < UDP_HEADER + 2 * SHORTEST) return
    if (!isEncapsulationPort(read16(bytes, upperAt)) && !isEncapsulationPort(read16(bytes, upperAt + 2)))
      return
    const begin = upperAt + UDP_HEADER
    const last = ip.end
    const size = segmentSize(bytes, begin, last, isKnown)
    if (size === 0) return
    for (let at = begin; at < last; at += size) yield this.#part(frame, ip, at, Math.min(at + size, last))
  }
}

/** The length of each payload but the last; 0 where there is only one. */
function segmentSize(
  bytes: Uint8Array,
  begin: number,
  end: number,
  isKnown: (spi: number) => boolean,
): number {
  const spi = read32(bytes, begin)
  const sequence = read32(bytes, begin + 4)
  if (spi === 0) return 0
  for (let size = SHORTEST; begin + size + SHORTEST <= end; size += ALIGNMENT) {
    if (!begins(bytes, begin + size, spi, sequence, isKnown)) continue
    let at = begin + 2 * size
    while (at + SHORTEST <= end && begins(bytes, at, spi, sequence, isKnown)) at += size
    // What is left over would be too short for ESP, or was no header.
    if (at >= end) return size
  }
  return 0
}

/** An ESP header may stand here: of the same SA a little later, or of another one that is there. */
function begins(
  bytes: Uint8Array,
  at: number,
  spi: number,
  sequence: number,
  isKnown: (spi: number) => boolean,
): boolean {
  const found = read32(bytes, at)
  if (found !== spi) return isKnown(found)
  const distance = (read32(bytes, at + 4) - sequence) >>> 0
  return distance > 0 && distance < NEAR
}
