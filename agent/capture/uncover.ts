/**
 * Takes AH and ESP off captured packets, with the code that carries packets on the software data path; but for replay
 * windows, lifetimes and policy, which are no business of one who looks on.
 *
 * @module
 */
import { allocateArena } from '../../netlink/libc/arena.ts'
import { family as af } from '../../netlink/xfrm/constants.ts'
import { unwrapAh } from '../datapath/software/ah.ts'
import { NOT_EXTENDED } from '../datapath/software/crypto/esp-transform.ts'
import { type Opened, unwrapEsp } from '../datapath/software/esp.ts'
import { type IpHeader, newIpHeader, parseIp, setLength } from '../packet/ip-header.ts'
import { copy, read16, read32, sameRange } from '../packet/octets.ts'
import {
  IPPROTO_AH,
  IPPROTO_ESP,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  V4_LENGTH,
  V6_LENGTH,
} from '../packet/protocols.ts'
import { addFragment, newReassembly } from '../packet/reassembly.ts'
import { MAX_PACKET } from './byte-source.ts'
import { type Cover, type Frame, newFrame, type Verdict } from './frame.ts'
import type { KeyRing } from './key-ring.ts'
import { announceVersion } from './link-layers.ts'
import { likelyHighs } from './sequence-guess.ts'
import type { ViewedSa } from './viewed-sa.ts'

/** As many SAs as Linux takes off one packet. */
const MAX_DEPTH = 6
/** Longest header of a link layer that is carried over. */
const LINK_ROOM = 256
/** The ICV of an extended number is computed with 4 bytes behind the packet. */
const TAIL_ROOM = 64
/** A combined cipher decrypts before it knows that it should not: what it had is kept so much farther in the arena. */
const BACKUP = LINK_ROOM + MAX_PACKET + TAIL_ROOM
const UDP_HEADER = 8
/** The upper half of a number that has none. */
const ONLY_ZERO: readonly number[] = [0]
const ESP_SHORTEST = 8
const AH_SHORTEST = 12

export class Uncoverer {
  /** The SAs that were taken off the last packet, outermost first. */
  readonly path: ViewedSa[] = []
  readonly #keys: KeyRing
  /** The packet behind its link layer, and from {@link BACKUP} on as it was before a try. */
  readonly #arena = allocateArena(2 * BACKUP)
  readonly #ip = newIpHeader()
  readonly #opened: Opened = { payloadAt: 0, payloadEnd: 0, nextHeader: 0 }
  readonly #fragments = newReassembly()
  readonly #frame = newFrame()
  /** Where the packet lies in the arena. */
  #at = 0
  #end = 0
  /** A clock for fragments, in milliseconds of capture time; it does not go backward. */
  #now = 0

  constructor(keys: KeyRing) {
    this.#keys = keys
  }

  /**
   * @returns the frame with what was inside its AH and ESP in their place; with its covers only, where they could not be
   *   opened; the same frame where there are none. Good until the next call
   */
  uncover(frame: Frame): Frame {
    const { bytes, ipAt, end } = frame
    this.path.length = 0
    if (ipAt < 0 || ipAt > LINK_ROOM) return frame
    const ip = this.#ip
    if (!parseIp(bytes, ipAt, end, ip)) return this.#cut(frame)
    if (!isPossible(ip)) return frame
    if (!ip.isFragment) {
      if (ip.protocol === IPPROTO_UDP && !this.#isEncapsulated(bytes, ip)) return frame
      // Its link layer comes along, in front.
      this.#arena.bytes.set(bytes, LINK_ROOM - ipAt)
      return this.#open(frame, ip.end - ip.at)
    }
    this.#now = Math.max(this.#now, Number(frame.time / 1_000_000n))
    const whole = addFragment(this.#fragments, bytes, ip, this.#now)
    if (typeof whole === 'number') return frame
    copy(bytes, 0, ipAt, this.#arena.bytes, LINK_ROOM - ipAt)
    this.#arena.bytes.set(whole, LINK_ROOM)
    return this.#open(frame, whole.length)
  }

  /** The rest of the packet was not captured, or it lies about its length: what it is can be told all the same. */
  #cut(frame: Frame): Frame {
    const { bytes, ipAt, end } = frame
    const ip = this.#ip
    const isV4 = (bytes[ipAt] ?? 0) >> 4 === 4
    if (end - ipAt < (isV4 ? V4_LENGTH : V6_LENGTH)) return frame
    const length = isV4 ? read16(bytes, ipAt + 2) : V6_LENGTH + read16(bytes, ipAt + 4)
    if (!parseIp(bytes, ipAt, ipAt + length, ip) || ip.isFragment) return frame
    const isAh = ip.protocol === IPPROTO_AH
    if (!isAh && ip.protocol !== IPPROTO_ESP) return frame
    if (ip.upperAt + (isAh ? AH_SHORTEST : ESP_SHORTEST) > end) return frame
    return this.#result(frame, [coverOf(bytes, ip.upperAt, isAh, 'malformed')])
  }

  /** As the frame, but with covers. */
  #result(from: Frame, covers: readonly Cover[]): Frame {
    const frame = this.#frame
    frame.number = from.number
    frame.time = from.time
    frame.link = from.link
    frame.bytes = from.bytes
    frame.ipAt = from.ipAt
    frame.end = from.end
    frame.wireLength = from.wireLength
    frame.covers = covers
    return frame
  }

  /** True where UDP holds ESP: it begins with an SPI, which is not zero (RFC 3948 section 2.2). */
  #isEncapsulated(bytes: Uint8Array, { upperAt, end }: IpHeader): boolean {
    if (end - upperAt < UDP_HEADER + ESP_SHORTEST) return false
    if (!this.#keys.hasPort(read16(bytes, upperAt)) && !this.#keys.hasPort(read16(bytes, upperAt + 2)))
      return false
    return read32(bytes, upperAt + UDP_HEADER) !== 0
  }

  /** The packet of `length` bytes that lies in the arena. */
  #open(frame: Frame, length: number): Frame {
    const ip = this.#ip
    const { bytes } = this.#arena
    this.#at = LINK_ROOM
    this.#end = LINK_ROOM + length
    const covers: Cover[] = []
    while (covers.length < MAX_DEPTH && parseIp(bytes, this.#at, this.#end, ip) && !ip.isFragment) {
      const inUdp = ip.protocol === IPPROTO_UDP && this.#isEncapsulated(bytes, ip)
      if (!inUdp && ip.protocol !== IPPROTO_ESP && ip.protocol !== IPPROTO_AH) break
      const cover = this.#takeOff(inUdp ? ip.upperAt + UDP_HEADER : ip.upperAt)
      covers.push(cover)
      if (cover.verdict !== 'opened') break
    }
    const isOpened = covers[0]?.verdict === 'opened'
    if (covers.length === 0) return frame
    return isOpened ? this.#framed(frame, covers) : this.#result(frame, covers)
  }

  /** What is in the arena, behind the frame's own link layer. */
  #framed(frame: Frame, covers: readonly Cover[]): Frame {
    const { bytes } = this.#arena
    const { ipAt, link } = frame
    const begin = this.#at - ipAt
    bytes.copyWithin(begin, LINK_ROOM - ipAt, LINK_ROOM)
    announceVersion(bytes, this.#at, link, (bytes[this.#at] ?? 0) >> 4 === 6 ? 6 : 4)
    this.#result(frame, covers)
    const inside = this.#frame
    inside.bytes = bytes.subarray(begin, this.#end)
    inside.end = this.#end - begin
    inside.wireLength = inside.end
    return inside
  }

  /** The AH or ESP at `at`. What stands inside becomes the packet. */
  #takeOff(at: number): Cover {
    const { bytes } = this.#arena
    const ip = this.#ip
    const isAh = ip.protocol === IPPROTO_AH
    if (ip.end - at < (isAh ? AH_SHORTEST : ESP_SHORTEST)) return NOT_THERE[isAh ? 'ah' : 'esp']
    const spi = read32(bytes, at + (isAh ? 4 : 0))
    const found = this.#keys.find(isAh ? 'ah' : 'esp', spi)
    let verdict: Verdict = 'no key'
    let tried: ViewedSa | undefined
    for (const sa of found) {
      if (!isFor(sa, bytes, ip)) continue
      verdict = this.#try(sa, at)
      tried = sa
      if (verdict === 'opened') break
    }
    if (verdict !== 'opened') {
      // Behind address translation the destination is another; then only an ICV can tell.
      const other = found.find(
        (sa) => sa.hasIntegrity && !isFor(sa, bytes, ip) && this.#try(sa, at) === 'opened',
      )
      if (other) verdict = 'opened'
      tried = other ?? tried
    }
    const cover = coverOf(bytes, at, isAh, verdict, tried)
    if (tried && verdict === 'opened') {
      cover.mode = this.#unwrap(tried)
      this.path.push(tried)
    }
    return cover
  }

  #try(sa: ViewedSa, at: number): Verdict {
    const { bytes } = this.#arena
    const { end } = this.#ip
    if ((sa.protocol === 'ah' ? sa.mac : sa.transform) === undefined) return 'unsupported'
    const low = read32(bytes, at + (sa.protocol === 'ah' ? 8 : 4))
    const highs = sa.isExtended ? likelyHighs(low, sa.lastNumber, sa.startNumber) : ONLY_ZERO
    bytes.copyWithin(BACKUP + at, at, end)
    for (const high of highs) {
      const verdict = sa.protocol === 'ah' ? this.#tryAh(sa, at, high, low) : this.#tryEsp(sa, at, high)
      if (verdict === 'opened') sa.lastNumber = high * 2 ** 32 + low
      if (verdict !== 'wrong ICV') return verdict
      bytes.copyWithin(at, BACKUP + at, BACKUP + end)
    }
    return 'wrong ICV'
  }

  #tryEsp({ transform, isExtended }: ViewedSa, at: number, high: number): Verdict {
    if (!transform) return 'unsupported'
    const number = isExtended ? high : NOT_EXTENDED
    const outcome = unwrapEsp(transform, this.#arena, at, this.#ip.end, number, this.#opened)
    return outcome === 'good' ? 'opened' : outcome === 'wrong ICV' ? 'wrong ICV' : 'malformed'
  }

  #tryAh({ mac, body, isExtended }: ViewedSa, at: number, high: number, low: number): Verdict {
    if (!mac) return 'unsupported'
    const { at: packetAt, end } = this.#ip
    const keys = { mac, body, isExtended }
    const outcome = unwrapAh(keys, this.#arena, packetAt, at, end, high * 2 ** 32 + low, this.#opened)
    return outcome === 'good' ? 'opened' : outcome
  }

  /** Of tunnel mode the inner packet is the packet; of transport mode the outer header with what was inside. */
  #unwrap(sa: ViewedSa): 'transport' | 'tunnel' {
    const { bytes } = this.#arena
    const { payloadAt, payloadEnd, nextHeader } = this.#opened
    const ip = this.#ip
    if (sa.isTunnel && (nextHeader === IPPROTO_IPIP || nextHeader === IPPROTO_IPV6)) {
      const { at, nextHeaderAt, upperAt } = ip
      if (parseIp(bytes, payloadAt, payloadEnd, ip)) {
        this.#at = payloadAt
        this.#end = ip.end
        return 'tunnel'
      }
      // No whole packet: shown as it is, behind the outer header.
      ip.at = at
      ip.nextHeaderAt = nextHeaderAt
      ip.upperAt = upperAt
    }
    const shift = payloadAt - ip.upperAt
    bytes.copyWithin(ip.at + shift, ip.at, ip.upperAt)
    bytes[ip.nextHeaderAt + shift] = nextHeader
    this.#at = ip.at + shift
    this.#end = payloadEnd
    setLength(bytes, this.#at, this.#end)
    return sa.isTunnel ? 'tunnel' : 'transport'
  }
}

/** What may hold AH or ESP. */
function isPossible({ protocol }: IpHeader): boolean {
  return protocol === IPPROTO_ESP || protocol === IPPROTO_AH || protocol === IPPROTO_UDP
}

function isFor({ body }: ViewedSa, bytes: Uint8Array, { version, destinationAt }: IpHeader): boolean {
  const isV4 = version === 4
  if (body.family !== (isV4 ? af.INET : af.INET6)) return false
  return sameRange(body.id.daddr, 0, bytes, destinationAt, isV4 ? 4 : 16)
}

/** Of a header that is not there as a whole. */
const NOT_THERE = {
  ah: { protocol: 'ah', spi: 0, sequence: 0, verdict: 'malformed' },
  esp: { protocol: 'esp', spi: 0, sequence: 0, verdict: 'malformed' },
} as const satisfies Record<string, Cover>

function coverOf(bytes: Uint8Array, at: number, isAh: boolean, verdict: Verdict, sa?: ViewedSa): CoverSlot {
  const spi = read32(bytes, at + (isAh ? 4 : 0))
  const sequence = read32(bytes, at + (isAh ? 8 : 4))
  const cover: CoverSlot = { protocol: isAh ? 'ah' : 'esp', spi, sequence, verdict }
  if (sa?.encryption !== undefined) cover.encryption = sa.encryption
  if (sa?.authentication !== undefined) cover.authentication = sa.authentication
  return cover
}

type CoverSlot = { -readonly [Field in keyof Cover]: Cover[Field] }
