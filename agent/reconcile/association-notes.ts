/**
 * What the kernel has no place for in an SA (its pair, idle limits, identities, direction, allocations), kept in
 * a file of ours. No keys.
 *
 * @module
 */
import { formatAddress, parseAddress } from '../model/address.ts'
import type {
  Identity,
  IdleLifetime,
  SaIdentifier,
  SecurityAssociation,
  UdpEncapsulation,
} from '../model/association.ts'

export interface AssociationNote {
  readonly direction?: 'in' | 'out'
  readonly pairSpi?: number
  readonly idle?: IdleLifetime
  readonly softAllocations?: bigint
  readonly hardAllocations?: bigint
  readonly sourceIdentity?: Identity
  readonly destinationIdentity?: Identity
  /** NAT addresses; the ports are in the kernel. */
  readonly natLocal?: UdpEncapsulation['local']
  readonly natRemote?: UdpEncapsulation['remote']
}

/** Notes by {@link saKey}. */
export type AssociationNotes = ReadonlyMap<string, AssociationNote>

/** One text for each SA: protocol, destination and SPI, as RFC 4301 identifies it. */
export function saKey({ protocol, destination, spi }: SaIdentifier): string {
  return `${protocol} ${formatAddress(destination)} ${spi}`
}

/** What has to be noted of an SA; `undefined` where the kernel holds all of it. */
export function noteOf(sa: SecurityAssociation): AssociationNote | undefined {
  return isNoteworthy(sa) ? makeNote(sa) : undefined
}

function isNoteworthy(sa: SecurityAssociation): boolean {
  const { idle, soft, hard } = sa
  return (
    (sa.direction ?? sa.pairSpi ?? sa.sourceIdentity ?? sa.destinationIdentity) !== undefined ||
    (sa.encapsulation?.local ?? sa.encapsulation?.remote) !== undefined ||
    idle.addTime !== 0n ||
    idle.useTime !== 0n ||
    soft.allocations !== 0n ||
    hard.allocations !== 0n
  )
}

function makeNote(sa: SecurityAssociation): AssociationNote {
  const { local, remote } = sa.encapsulation ?? {}
  return {
    ...(sa.direction && { direction: sa.direction }),
    ...(sa.pairSpi !== undefined && { pairSpi: sa.pairSpi }),
    ...((sa.idle.addTime !== 0n || sa.idle.useTime !== 0n) && { idle: sa.idle }),
    ...(sa.soft.allocations !== 0n && { softAllocations: sa.soft.allocations }),
    ...(sa.hard.allocations !== 0n && { hardAllocations: sa.hard.allocations }),
    ...(sa.sourceIdentity && { sourceIdentity: sa.sourceIdentity }),
    ...(sa.destinationIdentity && { destinationIdentity: sa.destinationIdentity }),
    ...(local && { natLocal: local }),
    ...(remote && { natRemote: remote }),
  }
}

/** An SA read from the kernel, with what was noted of it. */
export function withNote(sa: SecurityAssociation, note: AssociationNote | undefined): SecurityAssociation {
  if (!note) return sa
  const { softAllocations = 0n, hardAllocations = 0n, natLocal, natRemote, idle, ...rest } = note
  const nat = { ...(natLocal && { local: natLocal }), ...(natRemote && { remote: natRemote }) }
  return {
    ...sa,
    ...rest,
    idle: idle ?? sa.idle,
    soft: { ...sa.soft, allocations: softAllocations },
    hard: { ...sa.hard, allocations: hardAllocations },
    ...(sa.encapsulation && { encapsulation: { ...sa.encapsulation, ...nat } }),
  }
}

/** Writes notes as JSON text. */
export function encodeNotes(notes: AssociationNotes): string {
  return JSON.stringify([...notes], (key, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    if (key === 'natLocal' || key === 'natRemote') return formatAddress(value as never)
    return value
  })
}

/** Reads notes back. */
export function decodeNotes(text: string): Map<string, AssociationNote> {
  const entries = JSON.parse(text, (key, value: unknown) => {
    if (['addTime', 'useTime', 'softAllocations', 'hardAllocations'].includes(key))
      return BigInt(value as string)
    if (key === 'natLocal' || key === 'natRemote') return parseAddress(value as string)
    return value
  }) as [string, AssociationNote][]
  return new Map(entries)
}
