/**
 * An SA as a listing shows it: what the kernel says, what was noted, and what follows from both.
 *
 * @module
 */
import { type Address, sameAddress } from '../model/address.ts'
import type { AssociationStatus, SaState, SecurityAssociation } from '../model/association.ts'
import type { KernelAssociation } from '../translate/read-association.ts'
import { type AssociationNotes, saKey, withNote } from './association-notes.ts'

/** Joins an SA with its note, and derives direction and state. */
export function statusOf(
  { association, counters }: KernelAssociation,
  notes: AssociationNotes,
  localAddresses: readonly Address[],
): AssociationStatus {
  const noted = withNote(association, notes.get(saKey(association)))
  const direction = noted.direction ?? directionOf(noted, localAddresses)
  const { bytes, add_time: addTime, use_time: useTime } = counters
  const current = { allocations: 0n, bytes, addTime, useTime }
  return {
    ...noted,
    ...(direction && { direction }),
    ...(noted.encapsulation && direction === 'in' && { encapsulation: swapPorts(noted.encapsulation) }),
    current,
    state: stateOf(noted, current),
  }
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

/** The kernel notes ports as the packets bear them: inbound ones come from the remote port. */
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
