/**
 * What holds otherwise than with ipsecconf and ipseckey, on the side of more protection.
 *
 * @module
 */
import { isLoopback } from '../../../agent/model/address.ts'
import { familiesOf } from '../../../agent/model/entries.ts'
import { directionOf } from '../../../agent/reconcile/association-status.ts'
import type { ForeignHost, ForeignInput } from '../input.ts'
import { associationName, type PlacedAssociation } from '../unsaid.ts'

export function remarksOn(
  { rules }: ForeignInput,
  associations: readonly PlacedAssociation[],
  { forwards, localAddresses }: ForeignHost,
): string[] {
  const remarks: string[] = []
  const hasRules = rules.length > 0
  if (hasRules && forwards) {
    remarks.push('this host forwards packets; without netfilter, they are held to its own rules, too.')
  }
  const concernsInet6 = rules.some(({ selector }) =>
    selector.pairs.some((pair) => familiesOf(pair).includes('inet6')),
  )
  if (concernsInet6 && localAddresses.some((own) => own.family === 'inet6' && !isLoopback(own))) {
    remarks.push("without netfilter, this host's IPv6 traffic to its own addresses is held to the rules.")
  }
  if (!hasRules && associations.length > 0) {
    remarks.push('without the rules, SAs serve none of them: convert rules and keys together.')
  }
  const strange = associations.find(
    ({ association }) => !association.direction && !directionOf(association, localAddresses),
  )
  if (strange && hasRules) {
    remarks.push(
      `${associationName(strange.association)}: which end is this host? Convert on the host that it is for, or say inbound or outbound.`,
    )
  }
  return remarks
}
