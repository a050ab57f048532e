/**
 * From the SAs of ours that are there to those that are to be there, entered into a transaction. What is the same is not
 * touched, so that its counters and sequence numbers live on. Pure: the kernel hears of nothing.
 *
 * @module
 */
import { formatAddress, formatPrefix, maskPrefix } from '../model/address.ts'
import type {
  IdleLifetime,
  InnerSelector,
  Lifetime,
  SaChanges,
  SaIdentifier,
  SaTarget,
  SecurityAssociation,
} from '../model/association.ts'
import type { Secret } from '../model/secret.ts'
import { AssociationError, describe } from './association-checks.ts'
import { saKey } from './association-notes.ts'
import { directionOf } from './association-status.ts'
import type { AssociationTransaction, OwnAssociation } from './association-transaction.ts'

/** A member of an SA that differs, as configurations call it. */
export type AssociationMember =
  | 'source'
  | 'encryption.algorithm'
  | 'encryption.key'
  | 'authentication.algorithm'
  | 'authentication.key'
  | 'upperProtocol'
  | 'sourcePort'
  | 'destinationPort'
  | 'inner'
  | 'direction'
  | 'pairSpi'
  | 'hard'
  | 'soft'
  | 'idle'
  | 'replayWindow'
  | 'encapsulation'
  | 'sourceIdentity'
  | 'destinationIdentity'

/** An SA that is there in another form. */
export interface AssociationChange {
  readonly from: SecurityAssociation
  readonly to: SecurityAssociation
  readonly differences: readonly AssociationMember[]
  /** `replaced`: deleted and added. `updated`: its counters and sequence numbers live on. */
  readonly manner: 'replaced' | 'updated'
}

/** What becomes of the SAs of ours. */
export interface AssociationPlan {
  readonly add: readonly SecurityAssociation[]
  readonly change: readonly AssociationChange[]
  readonly remove: readonly SecurityAssociation[]
  readonly untouched: number
}

/** What can be changed of an SA while it is in use. */
const CHANGEABLE: ReadonlySet<AssociationMember> = new Set(['hard', 'soft', 'idle', 'pairSpi'])

/**
 * Enters what it takes to get to just these SAs of ours.
 *
 * @param wanted SAs with distinct identifiers; `replayValue` is where a new one begins, and does not count for one that
 *   is there
 * @param localAddresses of this host, from which a direction that is not given follows
 * @throws AssociationError where an SA is in the way that is not ours, a pair does not fit, or keys cannot be compared
 */
export function planAssociations(
  wanted: readonly SecurityAssociation[],
  transaction: AssociationTransaction,
  localAddresses: Parameters<typeof directionOf>[1],
): AssociationPlan {
  const own = new Map(transaction.own.map((one) => [saKey(one.association), one]))
  const paired = withPairs(wanted)
  const keys = new Set(paired.map(saKey))
  const add: SecurityAssociation[] = []
  const change: AssociationChange[] = []
  for (const association of paired) {
    const present = own.get(saKey(association))
    if (present) {
      const found = compare(present, transaction.asRead(association), localAddresses)
      if (found) change.push({ ...found, to: association })
    } else if (transaction.has(association)) {
      throw new AssociationError('EPERM', `${describe(association)} belongs to another program.`)
    } else add.push(association)
  }
  const remove = [...own].flatMap(([key, { association }]) => (keys.has(key) ? [] : [association]))
  enter({ add, change, remove }, paired, transaction)
  return { add, change, remove, untouched: paired.length - add.length - change.length }
}

function enter(
  { add, change, remove }: Omit<AssociationPlan, 'untouched'>,
  paired: readonly SecurityAssociation[],
  transaction: AssociationTransaction,
): void {
  for (const { from, to, manner, differences } of change) {
    if (manner === 'updated') transaction.update(targetOf(to), changesOf(to, differences), false)
    else {
      transaction.delete(targetOf(from), false)
      addAlone(to, transaction)
    }
  }
  for (const association of add) addAlone(association, transaction)
  for (const association of remove) transaction.delete(targetOf(association), false)
  for (const association of paired) {
    const target = targetOf(association)
    if (transaction.get(target).pairSpi !== association.pairSpi)
      transaction.setPair(target, association.pairSpi)
  }
}

/** Pairs are made at the end, when both halves are there. */
function addAlone({ pairSpi: _, ...association }: SecurityAssociation, transaction: AssociationTransaction) {
  transaction.add(association)
}

function targetOf({ protocol, spi, destination }: SaIdentifier): SaTarget {
  return { protocol, spi, destination, upperProtocol: 0, sourcePort: 0, destinationPort: 0 }
}

function changesOf(
  { hard, soft, idle }: SecurityAssociation,
  differences: readonly AssociationMember[],
): SaChanges {
  const limits = differences.includes('hard') || differences.includes('soft')
  return { ...(limits && { hard, soft }), ...(differences.includes('idle') && { idle }) }
}

/** Both halves of a pair name each other, whichever of them does so in the configuration. */
function withPairs(wanted: readonly SecurityAssociation[]): SecurityAssociation[] {
  const pairs = new Map<string, number>()
  const byKey = new Map(wanted.map((one) => [saKey(one), one]))
  const name = (one: SecurityAssociation, spi: number): void => {
    const known = pairs.get(saKey(one))
    if (known !== undefined && known !== spi) {
      throw new AssociationError('EINVAL', `${describe(one)} cannot be half of two pairs`, 75)
    }
    pairs.set(saKey(one), spi)
  }
  for (const one of wanted) {
    const { protocol, pairSpi: spi, source, destination } = one
    if (spi === undefined) continue
    const other = byKey.get(saKey({ protocol, spi, destination: source }))
    if (!other || formatAddress(other.source) !== formatAddress(destination)) {
      const problem = `there is no SA with spi 0x${spi.toString(16)} the other way round, the pair of`
      throw new AssociationError('EINVAL', `${problem} ${describe(one)}`, 76)
    }
    name(one, spi)
    name(other, one.spi)
  }
  return wanted.map((one) => {
    const pairSpi = pairs.get(saKey(one))
    return pairSpi === undefined ? one : { ...one, pairSpi }
  })
}

function compare(
  { association: from, keysHidden }: OwnAssociation,
  to: SecurityAssociation,
  localAddresses: Parameters<typeof directionOf>[1],
): AssociationChange | undefined {
  if (keysHidden) {
    throw new AssociationError(
      'EPERM',
      `the kernel hides its keys (lockdown), so nobody can tell whether they differ: ${describe(from)}`,
    )
  }
  const wayOf = (one: SecurityAssociation) => one.direction ?? directionOf(one, localAddresses)
  const differences = differencesOf(from, to)
  if (wayOf(from) !== wayOf(to)) differences.push('direction')
  if (differences.length === 0) return undefined
  const manner = differences.every((member) => CHANGEABLE.has(member)) ? 'updated' : 'replaced'
  return { from, to, differences, manner }
}

/** What is not the same, but for direction, counters and sequence numbers. */
function differencesOf(a: SecurityAssociation, b: SecurityAssociation): AssociationMember[] {
  const isSame: Readonly<Record<Exclude<AssociationMember, 'direction'>, boolean>> = {
    source: formatAddress(a.source) === formatAddress(b.source),
    'encryption.algorithm': a.encrAlgorithm === b.encrAlgorithm,
    'encryption.key': sameKey(a.encrKey, b.encrKey),
    'authentication.algorithm': a.authAlgorithm === b.authAlgorithm,
    'authentication.key': sameKey(a.authKey, b.authKey),
    upperProtocol: a.upperProtocol === b.upperProtocol,
    sourcePort: a.sourcePort === b.sourcePort,
    destinationPort: a.destinationPort === b.destinationPort,
    inner: innerText(a.inner) === innerText(b.inner),
    pairSpi: a.pairSpi === b.pairSpi,
    hard: sameLimits(a.hard, b.hard),
    soft: sameLimits(a.soft, b.soft),
    idle: sameLimits(a.idle, b.idle),
    replayWindow: a.replayWindow === b.replayWindow,
    encapsulation: encapsulationText(a) === encapsulationText(b),
    sourceIdentity: identityText(a.sourceIdentity) === identityText(b.sourceIdentity),
    destinationIdentity: identityText(a.destinationIdentity) === identityText(b.destinationIdentity),
  }
  const members = Object.keys(isSame) as (keyof typeof isSame)[]
  return members.filter((member) => !isSame[member])
}

function sameKey(a: Secret | undefined, b: Secret | undefined): boolean {
  return a && b ? a.equals(b) : a === b
}

function sameLimits<T extends IdleLifetime | Lifetime>(a: T, b: T): boolean {
  return Object.entries(a).every(([name, value]) => b[name as keyof T] === value)
}

function innerText(inner: InnerSelector | undefined): string {
  if (!inner) return ''
  const { source, destination, sourcePort, destinationPort, protocol } = inner
  const ends = [source, destination].map((end) => formatPrefix(maskPrefix(end)))
  return [...ends, sourcePort, destinationPort, protocol].join(' ')
}

function encapsulationText({ encapsulation }: SecurityAssociation): string {
  if (!encapsulation) return ''
  const { local, remote, localPort, remotePort } = encapsulation
  return [local && formatAddress(local), localPort, remote && formatAddress(remote), remotePort].join(' ')
}

function identityText(identity: SecurityAssociation['sourceIdentity']): string {
  return identity ? `${identity.type} ${identity.value}` : ''
}
