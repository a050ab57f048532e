/**
 * Which SAs can be said in a language that speaks to the kernel, and what no such language says.
 *
 * @module
 */
import {
  type AlgorithmTable,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../agent/model/algorithm.ts'
import type { SecurityAssociation } from '../../../agent/model/association.ts'
import { isOutboundOnly } from '../../../agent/reconcile/association-status.ts'
import { kernelAlgorithmOf } from '../../../agent/translate/kernel-algorithms.ts'
import type { ForeignHost, ForeignInput } from '../input.ts'
import { bookkeeping, type PlacedAssociation, type Unsaid, unsaidAssociation } from '../unsaid.ts'

/** Why a language cannot say an SA as it is meant; `undefined` where it can. */
export type AssociationProblem = (sa: SecurityAssociation, outboundOnly: boolean) => string | undefined

/** @param problemOf what is particular to the language */
export function chooseAssociations(
  { associations, algorithms }: ForeignInput,
  { localAddresses }: ForeignHost,
  problemOf: AssociationProblem,
): { readonly sayable: readonly PlacedAssociation[]; readonly unsaid: readonly Unsaid[] } {
  const unsaid: Unsaid[] = []
  const sayable = associations.filter((placed) => {
    const { association } = placed
    const outboundOnly = isOutboundOnly(association, localAddresses)
    const reason =
      commonProblem(association, algorithms, outboundOnly) ?? problemOf(association, outboundOnly)
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

function commonProblem(
  sa: SecurityAssociation,
  algorithms: AlgorithmTable,
  outboundOnly: boolean,
): string | undefined {
  for (const [protocol, number] of [
    [PROTOCOL_AH, sa.authAlgorithm],
    [PROTOCOL_ESP, sa.protocol === 'esp' ? sa.encrAlgorithm : 0],
  ] as const) {
    const row = number === 0 ? undefined : algorithmByNumber(algorithms, protocol, number)
    if (number !== 0 && !(row && kernelAlgorithmOf(row)))
      return `Linux has no algorithm ${row?.names[0] ?? number}`
  }
  if (((sa.authKey?.bits ?? 0) | (sa.encrKey?.bits ?? 0)) % 8 !== 0)
    return 'there are words for keys of whole bytes only'
  if (sa.encapsulation && !outboundOnly) {
    return 'to receive ESP in UDP, a program has to hold the UDP port open; a file cannot'
  }
  return undefined
}
