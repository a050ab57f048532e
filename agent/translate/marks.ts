/**
 * Packet-mark bits that carry the protection class of an inbound packet from its SAs to the policy check.
 *
 * XFRM rewrites the mark of a decapsulated packet (XFRMA_SET_MARK under XFRMA_SET_MARK_MASK) before it looks for
 * a policy, so policies that match on the mark can tell which classes of SA protected the packet: exactly those,
 * and no others. ESP and AH write separate fields, so that AH around ESP shows both.
 *
 * @module
 */
import type { SaProtocol } from '../model/association.ts'

/** One field of the mark. */
export interface MarkField {
  readonly shift: number
  readonly bits: number
  /** The field's bits within the 32-bit mark. */
  readonly mask: number
  /** Field value of SAs that satisfy no requirement: all ones. */
  readonly unclassed: number
  /** How many classes fit between 0 (not protected) and {@link unclassed}. */
  readonly capacity: number
}

export interface MarkLayout {
  /** All bits that are ours. */
  readonly mask: number
  /** Set by nftables on packets that this host only forwards. */
  readonly forwarded: number
  readonly esp: MarkField
  readonly ah: MarkField
  /** Both fields. */
  readonly classes: number
}

/** Bits 24–31: clear of what kube-proxy (14, 15), Tailscale (16–23) and most `fwmark` examples use. */
export const DEFAULT_MARK_MASK = 0xff00_0000

/** Taken in this order where others use the default bits. */
const ALTERNATIVES = [DEFAULT_MARK_MASK, 0x00ff_0000, 0x0000_ff00, 0x0000_00ff]

/** A mask that has none of the bits that policy routing looks at; `undefined` where there is none. */
export function freeMarkMask(routedMarks: number): number | undefined {
  return ALTERNATIVES.find((mask) => (mask & routedMarks) === 0)
}

/** Fewest bits a usable mask can have: forwarded, two for AH, two for ESP. */
const MIN_BITS = 5

/**
 * Divides a mask: the top bit for forwarded packets, about a third of the rest for AH, the remainder for ESP.
 *
 * @param mask a run of at least five adjacent bits
 * @returns `undefined` where the mask is not such a run
 */
export function markLayout(mask: number): MarkLayout | undefined {
  const low = mask & -mask
  const shift = 31 - Math.clz32(low)
  const bits = 32 - Math.clz32(mask) - shift
  if (mask === 0 || bits < MIN_BITS || (mask >>> shift) + 1 !== 2 ** bits) return undefined
  const ahBits = Math.max(2, Math.floor((bits - 1) * 0.45))
  const espBits = bits - 1 - ahBits
  const esp = markField(shift, espBits)
  const ah = markField(shift + espBits, ahBits)
  return {
    mask: mask >>> 0,
    forwarded: 2 ** (shift + bits - 1),
    esp,
    ah,
    classes: (esp.mask | ah.mask) >>> 0,
  }
}

function markField(shift: number, bits: number): MarkField {
  const unclassed = 2 ** bits - 1
  return { shift, bits, mask: (unclassed << shift) >>> 0, unclassed, capacity: unclassed - 1 }
}

/** The field that SAs of a protocol write. */
export function fieldOf(layout: MarkLayout, protocol: SaProtocol): MarkField {
  return protocol === 'esp' ? layout.esp : layout.ah
}

/** A field value in its place within the mark. */
export function inField(field: MarkField, colour: number): number {
  return (colour << field.shift) >>> 0
}
