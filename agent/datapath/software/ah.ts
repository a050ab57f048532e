/**
 * The authentication header (RFC 4302).
 *
 * @module
 */
import type { Arena } from '../../../netlink/libc/arena.ts'
import { family as af, stateFlag } from '../../../netlink/xfrm/constants.ts'
import { zeroMutable } from '../../packet/ah-mutable.ts'
import { AH_FIXED_LENGTH } from '../../packet/protocols.ts'
import { sameIcv } from './crypto/icv.ts'
import { COMPUTED_ICV, COPY, COPY_SIZE, scratch } from './crypto/scratch.ts'
import { isFresh, type Opened } from './esp.ts'
import type { State } from './state/state.ts'
import type { Counter } from './state/statistics.ts'

const TWO_32 = 0x1_0000_0000

/**
 * Length of the header with its ICV. IPv6 wants a multiple of 8 bytes, IPv4 one of 4; but Linux pads to 8 there, too,
 * unless the SA has the flag ALIGN4.
 */
export function ahLength({ body, mac }: Pick<State, 'body' | 'mac'>): number {
  const alignment = body.family === af.INET && body.flags & stateFlag.ALIGN4 ? 4 : 8
  return Math.ceil((AH_FIXED_LENGTH + mac.icvLength) / alignment) * alignment
}

/**
 * Fills in the header at `ahAt`, for which there is room of {@link ahLength} in the packet from `at` to `end`. The IP
 * headers before it must be what is sent, but for their mutable fields.
 *
 * @returns `exhausted` where the SA has no sequence number left, `malformed` where the IP options are
 */
export function sealAh(
  state: State,
  arena: Arena,
  at: number,
  ahAt: number,
  end: number,
  nextHeader: number,
): 'sealed' | 'exhausted' | 'malformed' {
  const { sequence, mac, body } = state
  const number = sequence.take()
  if (number === 0) return 'exhausted'
  const length = ahLength(state)
  const { bytes, view } = arena
  bytes[ahAt] = nextHeader
  bytes[ahAt + 1] = length / 4 - 2
  view.setUint16(ahAt + 2, 0)
  view.setUint32(ahAt + 4, body.id.spi)
  view.setUint32(ahAt + 8, number >>> 0)
  bytes.fill(0, ahAt + AH_FIXED_LENGTH, ahAt + length)
  if (!computeIcv(state, arena, at, ahAt, end, number)) return 'malformed'
  const computed = scratch().bytes
  for (let i = 0; i < mac.icvLength; i++) {
    bytes[ahAt + AH_FIXED_LENGTH + i] = computed[COMPUTED_ICV + i] ?? 0
  }
  return 'sealed'
}

/** What an AH is checked with. */
export type AhKeys = Pick<State, 'body' | 'mac' | 'isExtended'>

/**
 * Checks the ICV of the header at `ahAt` in the packet from `at` to `end`. Asks nothing of sequence numbers. The payload
 * stays where it is.
 *
 * @param number the whole sequence number
 */
export function unwrapAh(
  keys: AhKeys,
  arena: Arena,
  at: number,
  ahAt: number,
  end: number,
  number: number,
  into: Opened,
): 'good' | 'malformed' | 'wrong ICV' {
  const { mac } = keys
  const length = ((arena.bytes[ahAt + 1] ?? 0) + 2) * 4
  const shortest = AH_FIXED_LENGTH + mac.icvLength
  if (length !== ahLength(keys) && length !== shortest) return 'malformed'
  if (ahAt + length > end) return 'malformed'
  if (!computeIcv(keys, arena, at, ahAt, end, number)) return 'malformed'
  if (!sameIcv(arena.bytes, ahAt + AH_FIXED_LENGTH, scratch().bytes, COMPUTED_ICV, mac.icvLength)) {
    return 'wrong ICV'
  }
  into.payloadAt = ahAt + length
  into.payloadEnd = end
  into.nextHeader = arena.bytes[ahAt] ?? 0
  return 'good'
}

/** As `openEsp`, for the header at `ahAt` in the packet from `at` to `end`. The payload stays where it is. */
export function openAh(
  state: State,
  arena: Arena,
  at: number,
  ahAt: number,
  end: number,
  into: Opened,
): Counter | undefined {
  const number = state.replay.wholeNumber(arena.view.getUint32(ahAt + 8))
  if (!isFresh(state, number)) return 'XfrmInStateSeqError'
  const outcome = unwrapAh(state, arena, at, ahAt, end, number, into)
  if (outcome === 'wrong ICV') state.failures.integrity++
  if (outcome !== 'good') return 'XfrmInStateProtoError'
  state.accept(number)
  return undefined
}

/** Over a copy with zeros in place of what changes, and behind it the upper half of an extended number. */
function computeIcv(
  { mac, isExtended }: AhKeys,
  { bytes }: Arena,
  at: number,
  ahAt: number,
  end: number,
  number: number,
): boolean {
  const work = scratch()
  const length = end - at
  if (length + 4 > COPY_SIZE) return false
  const headers = zeroMutable(bytes, at, end, ahAt, mac.icvLength, work.bytes, COPY)
  if (headers < 0) return false
  work.bytes.set(bytes.subarray(at + headers, end), COPY + headers)
  if (isExtended) work.view.setUint32(COPY + length, Math.floor(number / TWO_32))
  mac.mac.compute(work, COPY, length + (isExtended ? 4 : 0), work, COMPUTED_ICV)
  return true
}
