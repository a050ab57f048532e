/**
 * What SAs must fulfil before the kernel hears of them, and how they are named.
 *
 * @module
 */
import { formatAddress, sameAddress } from '../model/address.ts'
import type { Lifetime, SaChanges, SaTarget, SecurityAssociation } from '../model/association.ts'
import { saKey } from './association-notes.ts'

/** Why a change cannot be made: PF_KEY's errno and Solaris's diagnostic, where there is one. */
export class AssociationError extends Error {
  readonly errno: 'EEXIST' | 'ESRCH' | 'EINVAL' | 'EPERM'
  /** Number of a PF_KEY diagnostic (pf_key(4P)). */
  readonly diagnostic: number | undefined

  constructor(errno: AssociationError['errno'], message: string, diagnostic?: number) {
    super(message)
    this.name = 'AssociationError'
    this.errno = errno
    this.diagnostic = diagnostic
  }
}

/** The SA among many that a target names. @throws AssociationError ESRCH */
export function findAssociation<T extends SecurityAssociation>(among: readonly T[], target: SaTarget): T {
  const key = saKey(target)
  const found = among.find((one) => saKey(one) === key && fits(one, target))
  if (!found) throw new AssociationError('ESRCH', `${describe(target)} does not exist.`)
  return found
}

/** An SA as messages of ipseckey(8) name it. */
export function describe({
  protocol,
  spi,
  destination,
}: Pick<SecurityAssociation, 'protocol' | 'spi' | 'destination'>): string {
  return `Association (type = ${protocol.toUpperCase()}) with spi 0x${spi.toString(16)} and addr\n${formatAddress(destination)}`
}

/** True where all that the target says beside the identifier is so. */
export function fits(association: SecurityAssociation, { source, direction, ...target }: SaTarget): boolean {
  if (source && !sameAddress(source, association.source)) return false
  if (direction && association.direction && direction !== association.direction) return false
  const asked: (keyof typeof target & keyof SecurityAssociation)[] = [
    'upperProtocol',
    'sourcePort',
    'destinationPort',
  ]
  return asked.every((key) => target[key] === 0 || target[key] === association[key])
}

/** Without ESN, sequence numbers have 32 bits. */
export function checkNumbers({ replayValue }: SecurityAssociation): void {
  if (replayValue > 0xffff_ffffn) {
    throw new AssociationError('EINVAL', 'the replay value of an SA has 32 bits', 81)
  }
}

/** Linux answers with success to such changes and does nothing: they are refused here. */
export function refuseUnchangeable(old: SecurityAssociation, changes: SaChanges): void {
  if (changes.replayWindow !== undefined && changes.replayWindow !== old.replayWindow) {
    throw new AssociationError(
      'EINVAL',
      'the replay window of an SA cannot be changed; delete it and add it again',
    )
  }
  if (changes.encapsulation && !old.encapsulation) {
    throw new AssociationError(
      'EINVAL',
      'encapsulation cannot be given to an SA that has none; delete it and add it again',
    )
  }
  if (changes.state !== undefined && changes.state !== 'mature') {
    throw new AssociationError('EINVAL', `an SA cannot be made ${changes.state}; delete it instead`, 43)
  }
}

/** RFC 2367 section 2.3.2: a soft limit must not lie above the hard one. Diagnostics 14 to 17. */
export function checkLimits(soft: Lifetime, hard: Lifetime): void {
  const names = ['allocations', 'bytes', 'addTime', 'useTime'] as const
  names.forEach((name, i) => {
    if (hard[name] !== 0n && soft[name] > hard[name]) {
      throw new AssociationError('EINVAL', `the soft limit of ${name} lies above the hard one`, 14 + i)
    }
  })
}
