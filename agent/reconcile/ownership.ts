/**
 * How we know our own policies and SAs among those of others, also when our state file is lost.
 *
 * @module
 */
import { isOurReqid } from '../translate/classes.ts'

/**
 * Policy index numbers of ours: top four bits 0100. The kernel keeps a number that a program gives (its low three
 * bits are the direction); its own start at 8 and would need 134 million policies to come this far.
 */
const INDEX_BASE = 0x4000_0000
const INDEX_TAG_MASK = 0xf000_0000
const INDEX_SERIAL_SHIFT = 3
const INDEX_SERIALS = 2 ** 25

/** True for a policy that solipsec installed. */
export function isOurPolicyIndex(index: number): boolean {
  return (index & INDEX_TAG_MASK) >>> 0 === INDEX_BASE
}

/** The serial number within an index of ours. */
function indexSerial(index: number): number {
  return (index & ~INDEX_TAG_MASK) >>> INDEX_SERIAL_SHIFT
}

/** A policy index of ours for a direction. */
export function policyIndex(serial: number, direction: number): number {
  return INDEX_BASE | (serial << INDEX_SERIAL_SHIFT) | direction
}

/**
 * Serial numbers for new policies: from the highest taken one on, later those that have become free. The kernel
 * would give a policy whose number is taken one of its own, and we would not know it as ours.
 *
 * @param taken the index numbers in use, whoever's
 */
export function* freeSerials(taken: Iterable<number>): Generator<number, never> {
  const used = new Set<number>()
  let serial = 0
  for (const index of taken) {
    if (!isOurPolicyIndex(index)) continue
    used.add(indexSerial(index))
    serial = Math.max(serial, indexSerial(index))
  }
  if (used.size >= INDEX_SERIALS / 2)
    throw new RangeError(`${used.size} policies are more than can be numbered`)
  for (;;) {
    do serial = (serial + 1) % INDEX_SERIALS
    while (used.has(serial))
    yield serial
  }
}

/** True for an SA that solipsec installed. */
export function isOurState(reqid: number): boolean {
  return isOurReqid(reqid)
}
