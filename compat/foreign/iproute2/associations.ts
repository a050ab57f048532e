/**
 * Which SAs can be said to `ip xfrm`.
 *
 * @module
 */
import { sameAddress } from '../../../agent/model/address.ts'
import { isOutboundOnly } from '../../../agent/reconcile/association-status.ts'
import { contentOf } from '../../../agent/translate/associations.ts'
import type { OutboundAssociation } from '../../../agent/translate/choice.ts'
import type { ClassTable } from '../../../agent/translate/classes.ts'
import type { ForeignHost, ForeignInput } from '../input.ts'
import { bookkeeping, type PlacedAssociation, type Unsaid, unsaidAssociation } from '../unsaid.ts'
import { unsayableOf } from './state.ts'

export function chooseAssociations(
  { associations, algorithms }: ForeignInput,
  { localAddresses }: ForeignHost,
): { readonly sayable: readonly PlacedAssociation[]; readonly unsaid: readonly Unsaid[] } {
  const unsaid: Unsaid[] = []
  const sayable = associations.filter((placed) => {
    const { association } = placed
    const reason = unsayableOf(association, algorithms, isOutboundOnly(association, localAddresses))
    const notes = bookkeeping(association)
    if (reason !== undefined) unsaid.push(unsaidAssociation(placed, reason))
    else if (notes.length > 0) {
      unsaid.push(
        unsaidAssociation(placed, `only the SA itself: the kernel has no place for ${notes.join(', ')}`),
      )
    }
    return reason === undefined
  })
  return { sayable, unsaid }
}

/** The SAs that outbound policies can choose from, as a session finds them in the kernel. */
export function outboundAssociations(
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
