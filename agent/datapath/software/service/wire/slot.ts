/**
 * Room for one packet, whatever its length and protection.
 *
 * @module
 */
import { HEADROOM, TAILROOM } from '../../../../packet/packet.ts'
import { LONGEST } from '../../../../packet/protocols.ts'

/** Whole cache lines. */
export const SLOT_SIZE = (HEADROOM + LONGEST + TAILROOM + 63) & ~63
