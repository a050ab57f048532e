/**
 * The ESP header and trailer around one payload (RFC 4303 section 2). What IP headers stand before it is decided
 * elsewhere.
 *
 * @module
 */
import type { Arena } from '../../../netlink/libc/arena.ts'
import type { PaddingCheck } from '../../model/padding-check.ts'
import { ESP_HEADER_LENGTH, IPPROTO_NONE } from '../../packet/protocols.ts'
import { type EspTransform, NOT_EXTENDED } from './crypto/esp-transform.ts'
import { FRESH, SEEN, TOO_OLD } from './state/replay-window.ts'
import type { State } from './state/state.ts'
import type { Counter } from './state/statistics.ts'

/** Pad length and next header. */
const TRAILER_LENGTH = 2
const TWO_32 = 0x1_0000_0000

/** Bytes between the IP header and the payload. */
export function espHeaderLength({ sealing }: State): number {
  return ESP_HEADER_LENGTH + sealing.ivLength
}

/** Bytes that ESP adds to a payload of this length: in front and behind. */
export function espOverhead({ sealing }: State, payload: number): number {
  const around = ESP_HEADER_LENGTH + sealing.ivLength + TRAILER_LENGTH + sealing.icvLength
  return around + paddingFor(sealing, payload)
}

/** The largest payload that fits into `space` bytes with its ESP. */
export function largestPayload({ sealing }: State, space: number): number {
  const alignment = alignmentOf(sealing)
  const room = space - ESP_HEADER_LENGTH - sealing.ivLength - sealing.icvLength
  return Math.floor(room / alignment) * alignment - TRAILER_LENGTH
}

function alignmentOf({ blockSize }: EspTransform): number {
  return blockSize > 4 ? blockSize : 4
}

function paddingFor(transform: EspTransform, payload: number): number {
  const alignment = alignmentOf(transform)
  const rest = (payload + TRAILER_LENGTH) % alignment
  return rest === 0 ? 0 : alignment - rest
}

/**
 * Wraps the payload from `payloadAt` to `payloadEnd`. Before it there must be room for {@link espHeaderLength}, behind
 * it for padding, trailer and ICV.
 *
 * @param tfcTo pad a shorter payload up to this length (RFC 4303 section 2.7); 0 = not
 * @returns where the ESP ends, or 0 where the SA has no sequence number left
 */
export function sealEsp(
  state: State,
  arena: Arena,
  payloadAt: number,
  payloadEnd: number,
  nextHeader: number,
  tfcTo: number,
): number {
  const { sealing, sequence, isExtended } = state
  const { bytes, view } = arena
  const number = sequence.take()
  if (number === 0) return 0
  const espAt = payloadAt - ESP_HEADER_LENGTH - sealing.ivLength
  let end = payloadEnd
  for (; end - payloadAt < tfcTo; end++) bytes[end] = 0
  const padding = paddingFor(sealing, end - payloadAt)
  for (let i = 1; i <= padding; i++) bytes[end++] = i
  bytes[end++] = padding
  bytes[end++] = nextHeader
  view.setUint32(espAt, state.body.id.spi)
  view.setUint32(espAt + 4, number >>> 0)
  if (sealing.ivLength > 0) state.iv.write(view, espAt + ESP_HEADER_LENGTH, sealing.ivLength)
  const high = isExtended ? Math.floor(number / TWO_32) : NOT_EXTENDED
  sealing.seal(arena, espAt, end, high)
  return end + sealing.icvLength
}

/** What {@link openEsp} found. Reused from packet to packet. */
export interface Opened {
  payloadAt: number
  payloadEnd: number
  nextHeader: number
}

/** What {@link unwrapEsp} says. `short`: no room for a trailer; `uneven`: no whole blocks; `padded`: only padding. */
export type EspOutcome = 'good' | 'short' | 'uneven' | 'wrong ICV' | 'padded'

/**
 * Checks the ICV, decrypts in place and takes padding and trailer off. Asks nothing of sequence numbers.
 *
 * @param high upper half of the sequence number, or {@link NOT_EXTENDED}
 */
export function unwrapEsp(
  opening: EspTransform,
  arena: Arena,
  espAt: number,
  end: number,
  high: number,
  into: Opened,
): EspOutcome {
  const dataAt = espAt + ESP_HEADER_LENGTH + opening.ivLength
  const icvAt = end - opening.icvLength
  const dataLength = icvAt - dataAt
  if (dataLength < 0) return 'short'
  // Whole blocks of the cipher, but not the alignment to 4 bytes: the kernel does not ask for that either.
  if (dataLength < TRAILER_LENGTH || dataLength % opening.blockSize !== 0) return 'uneven'
  if (!opening.open(arena, espAt, icvAt, high)) return 'wrong ICV'
  const padding = arena.bytes[icvAt - 2] ?? 0
  if (padding + TRAILER_LENGTH >= dataLength) return 'padded'
  into.payloadAt = dataAt
  into.payloadEnd = icvAt - TRAILER_LENGTH - padding
  into.nextHeader = arena.bytes[icvAt - 1] ?? 0
  return 'good'
}

/**
 * Checks, decrypts in place and unwraps the ESP from `espAt` to `end`. Nothing of a packet that is refused may be used.
 *
 * @returns the counter of the reason why it is refused; `undefined` where it is good
 */
export function openEsp(
  state: State,
  arena: Arena,
  espAt: number,
  end: number,
  into: Opened,
): Counter | undefined {
  const { opening, replay, failures } = state
  const number = replay.wholeNumber(arena.view.getUint32(espAt + 4))
  if (!isFresh(state, number)) return 'XfrmInStateSeqError'
  const high = state.isExtended ? Math.floor(number / TWO_32) : NOT_EXTENDED
  const outcome = unwrapEsp(opening, arena, espAt, end, high, into)
  // No sender makes uneven packets, so their ICV cannot be right; that is what the kernel finds first.
  if (outcome === 'wrong ICV' || (outcome === 'uneven' && opening.icvLength > 0)) failures.integrity++
  // What holds nothing is a dummy packet, to be thrown away (RFC 4303 section 2.6).
  if (outcome !== 'good' || into.nextHeader === IPPROTO_NONE) return 'XfrmInStateProtoError'
  const paddingEnd = end - opening.icvLength - TRAILER_LENGTH
  if (!isPaddingRight(arena.bytes, into.payloadEnd, paddingEnd, state.paddingCheck)) {
    return 'XfrmInStateProtoError'
  }
  state.accept(number)
  return undefined
}

/**
 * Holds the padding from `at` to `end` against the default one, 1, 2, 3 and so on (RFC 4303 section 2.4). That it fits into the
 * packet is known already.
 */
function isPaddingRight(bytes: Uint8Array, at: number, end: number, check: PaddingCheck): boolean {
  if (check === 0 || at === end) return true
  if (check === 1) return bytes[end - 1] === end - at
  for (let i = at; i < end; i++) if (bytes[i] !== i - at + 1) return false
  return true
}

/** Asks the window, and counts what it refuses. */
export function isFresh({ replay, failures }: State, number: number): boolean {
  const verdict = replay.check(number)
  if (verdict === FRESH) return true
  if (verdict === SEEN) failures.replay++
  else if (verdict === TOO_OLD) failures.replayWindow++
  return false
}
