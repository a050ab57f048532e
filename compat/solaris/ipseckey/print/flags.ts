/**
 * The PF_KEY flags of an SA.
 *
 * @module
 */
import type { AssociationStatus } from '../../../../agent/model/association.ts'

const FLAG_NAMES = [
  ['PFS', 0x1],
  ['NOREPLAY', 0x2],
  ['X_USED', 0x80000000],
  ['X_PAIRED', 0x00010000],
  ['X_OUTBOUND', 0x00008000],
  ['X_INBOUND', 0x00004000],
  ['X_UNIQUE', 0x40000000],
  ['X_AALG1', 0x20000000],
  ['X_AALG2', 0x10000000],
  ['X_EALG1', 0x08000000],
  ['X_EALG2', 0x04000000],
  ['X_NATT_LOC', 0x00100000],
  ['X_NATT_REM', 0x00080000],
  ['X_TUNNEL', 0x00020000],
  ['X_NATTED', 0x00001000],
] as const

type FlagName = (typeof FLAG_NAMES)[number][0]

/** The PF_KEY flags that a Solaris kernel would show for this SA, in the order in which they are printed. */
export function flagNames(status: AssociationStatus): FlagName[] {
  const set = new Set<FlagName>()
  if (status.current.useTime > 0n) set.add('X_USED')
  if (status.pairSpi !== undefined) set.add('X_PAIRED')
  if (status.direction === 'out') set.add('X_OUTBOUND')
  if (status.direction === 'in') set.add('X_INBOUND')
  if (isUnique(status)) set.add('X_UNIQUE')
  if (status.encapsulation?.local) set.add('X_NATT_LOC')
  if (status.encapsulation?.remote) set.add('X_NATT_REM')
  if (status.inner) set.add('X_TUNNEL')
  return FLAG_NAMES.flatMap(([name]) => (set.has(name) ? [name] : []))
}

function isUnique({ upperProtocol, sourcePort, destinationPort, inner }: AssociationStatus): boolean {
  if (upperProtocol || sourcePort || destinationPort) return true
  return inner !== undefined && Boolean(inner.protocol || inner.sourcePort || inner.destinationPort)
}

/** The flags as the number that `sadb_sa_flags` has. */
export function flagBits(names: readonly FlagName[]): number {
  let bits = 0
  for (const [name, bit] of FLAG_NAMES) if (names.includes(name)) bits += bit
  return bits
}
