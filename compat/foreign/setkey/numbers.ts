/**
 * Reqids that setkey can give to a policy.
 *
 * @module
 */

/** The kernel takes numbers by hand up to `IPSEC_MANUAL_REQID_MAX` (0x3fff); low ones are strongSwan's, from 1. */
const FIRST = 0x2000
const COUNT = 0x2000

/**
 * A number for each reqid, made of it: the same rules have the same numbers on every host.
 *
 * @returns `undefined` where there are more reqids than numbers
 */
export function manualNumbers(reqids: Iterable<number>): ReadonlyMap<number, number> | undefined {
  const numbers = new Map<number, number>()
  const taken = new Set<number>()
  for (const reqid of [...new Set(reqids)].sort((a, b) => a - b)) {
    if (taken.size === COUNT) return undefined
    let offset = reqid % COUNT
    while (taken.has(offset)) offset = (offset + 1) % COUNT
    taken.add(offset)
    numbers.set(reqid, FIRST + offset)
  }
  return numbers
}
