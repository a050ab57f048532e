/**
 * The policies that rules become, for languages that speak to the kernel.
 *
 * @module
 */
import { sameAddress } from '../../../agent/model/address.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import { appendRules, emptyState } from '../../../agent/reconcile/policy-edit.ts'
import { placedRules } from '../../../agent/reconcile/policy-state.ts'
import { contentOf } from '../../../agent/translate/associations.ts'
import type { OutboundAssociation } from '../../../agent/translate/choice.ts'
import type { ClassTable } from '../../../agent/translate/classes.ts'
import type { KernelPolicy } from '../../../agent/translate/kernel-policy.ts'
import { type HostFacts, translatePolicySet } from '../../../agent/translate/policy-set.ts'
import type { ForeignHost } from '../input.ts'
import type { PlacedAssociation } from '../unsaid.ts'

/** Rules that can be said, and how SAs are told apart for them. */
export interface SayableRules {
  readonly rules: readonly Rule[]
  readonly classes: ClassTable
  readonly facts: HostFacts
}

/** Those that ipsecconf would install on a host without other rules. @param sayable the SAs that it has */
export function policiesOf(
  { rules, classes, facts }: SayableRules,
  sayable: readonly PlacedAssociation[],
  host: ForeignHost,
): readonly KernelPolicy[] {
  const placed = placedRules(appendRules(emptyState(0), rules))
  return translatePolicySet(placed, classes, outboundAssociations(sayable, classes, host), facts)
}

/** The SAs that outbound policies can choose from, as a session finds them in the kernel. */
function outboundAssociations(
  associations: readonly PlacedAssociation[],
  classes: ClassTable,
  { localAddresses }: ForeignHost,
): OutboundAssociation[] {
  return associations.flatMap(({ association }) => {
    const { source, destination } = association
    const protectionClass = classes.classOf(contentOf(association))
    if (!protectionClass || localAddresses.some((own) => sameAddress(own, destination))) return []
    return [{ source, destination, protectionClass }]
  })
}
