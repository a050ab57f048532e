/**
 * An SA as a listing shows it: what the kernel says, what was noted, and what follows from both.
 *
 * @module
 */
import type { LifetimeCur } from '../../netlink/xfrm/structs.ts'
import { type Address, sameAddress } from '../model/address.ts'
import type { AssociationStatus, SaState, SecurityAssociation } from '../model/association.ts'
import { type AssociationNotes, saKey, withNote } from './association-notes.ts'

/** What the facts about SAs that the kernel has no place for are taken from. */
export interface AssociationFacts {
  readonly notes: AssociationNotes
  readonly localAddresses: readonly Address[]
}

/** Joins an SA with its note, and derives direction and state. */
export function statusOf(
  association: SecurityAssociation,
  { bytes, add_time: addTime, use_time: useTime }: LifetimeCur,
  facts: AssociationFacts,
): AssociationStatus {
  const known = knownAssociation(association, facts)
  const direction = known.direction ?? directionOf(known, facts.localAddresses)
  const current = { allocations: 0n, bytes, addTime, useTime }
  return { ...known, ...(direction && { direction }), current, state: stateOf(known, current) }
}

/** An SA read from the kernel as it was asked for: with its note, and its ports as this host sees them. */
export function knownAssociation(
  association: SecurityAssociation,
  { notes, localAddresses }: AssociationFacts,
): SecurityAssociation {
  const noted = withNote(association, notes.get(saKey(association)))
  const { encapsulation } = noted
  if (!encapsulation || isOutboundOnly(noted, localAddresses)) return noted
  return { ...noted, encapsulation: swapPorts(encapsulation) }
}

/** This host sends with the SA and never receives with it. */
export function isOutboundOnly(sa: SecurityAssociation, localAddresses: readonly Address[]): boolean {
  return (sa.direction ?? directionOf(sa, localAddresses)) === 'out'
}

/** From which end the SA is ours; `undefined` for neither or both. */
export function directionOf(
  { source, destination }: SecurityAssociation,
  localAddresses: readonly Address[],
): 'in' | 'out' | undefined {
  const isLocal = (address: Address) => localAddresses.some((own) => sameAddress(own, address))
  const toUs = isLocal(destination)
  const fromUs = isLocal(source)
  if (toUs === fromUs) return undefined
  return toUs ? 'in' : 'out'
}

/** The kernel notes ports as the packets bear them: received ones come from the remote port. */
function swapPorts(encapsulation: NonNullable<SecurityAssociation['encapsulation']>) {
  const { localPort, remotePort } = encapsulation
  return { ...encapsulation, localPort: remotePort, remotePort: localPort }
}

/** Past a soft limit an SA is dying (RFC 2367 section 2.3.1); the kernel removes it at the hard one. */
function stateOf({ soft }: SecurityAssociation, current: AssociationStatus['current']): SaState {
  const now = BigInt(Math.floor(Date.now() / 1000))
  const isPast = (limit: bigint, value: bigint) => limit !== 0n && value >= limit
  const dying =
    isPast(soft.bytes, current.bytes) ||
    isPast(soft.addTime, now - current.addTime) ||
    (current.useTime !== 0n && isPast(soft.useTime, now - current.useTime))
  return dying ? 'dying' : 'mature'
}
