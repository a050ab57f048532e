/**
 * Explicit congestion notification across a tunnel (RFC 6040): what the outer ECN field is when a header is put on, and
 * what becomes of the inner one when it is taken off.
 *
 * @module
 */

/** Bits of the traffic class; the upper six are the DSCP. */
export const ECN = 0b11
export const NOT_ECT = 0b00
export const ECT1 = 0b01
export const ECT0 = 0b10
export const CE = 0b11

/**
 * How a tunnel treats the ECN field.
 *
 * | mode         | outer field is | taken off                        | elsewhere                               |
 * | ------------ | -------------- | -------------------------------- | --------------------------------------- |
 * | `copy`       | the inner one  | by the table of RFC 6040         | RFC 6040 normal mode; sysctl `ecn` 1    |
 * | `compatible` | not-ECT        | by the table of RFC 6040         | RFC 6040 compatibility mode             |
 * | `clear`      | not-ECT        | the inner field stays as it is   | Linux `noecn`; sysctl `ecn` 0           |
 * | `ignore`     | the inner one  | the inner field stays as it is   | sysctl `ecn` -1: no thought given to it |
 *
 * Linux and KAME copy as the older RFC 3168 says: ECT(0) where the inner field tells congestion. And at the end of the
 * tunnel they do not take ECT(1) for a mark; nor does Linux drop. Both sides understand each other.
 */
export type EcnMode = 'copy' | 'compatible' | 'clear' | 'ignore'

/** The outer ECN field over an inner one (RFC 6040 section 4.1). */
export function encapsulatedEcn(mode: EcnMode, inner: number): number {
  return mode === 'copy' || mode === 'ignore' ? inner & ECN : NOT_ECT
}

/** The packet is to be dropped: congestion was met by a packet whose transport would not hear of it. */
export const ECN_DROP = -1

/**
 * The inner ECN field after an outer one was taken off (RFC 6040 section 4.2).
 *
 * @returns the field, or {@link ECN_DROP}
 */
export function decapsulatedEcn(mode: EcnMode, inner: number, outer: number): number {
  if (mode === 'clear' || mode === 'ignore') return inner
  if (outer === CE) return inner === NOT_ECT ? ECN_DROP : CE
  return outer === ECT1 && inner === ECT0 ? ECT1 : inner
}

/**
 * True for the pairs that no tunnel with RFC 6040 at both ends makes, and which that wants to be told of (section
 * 4.2): somebody on the way changed the field as nobody should.
 */
export function isSuspectEcn(inner: number, outer: number): boolean {
  return inner === NOT_ECT ? outer !== NOT_ECT : inner === CE && outer === ECT1
}
