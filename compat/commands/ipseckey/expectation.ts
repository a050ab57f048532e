/**
 * An `update` may name what cannot be changed, as long as it says what is there.
 *
 * @module
 */
import { formatPrefix } from '../../../agent/model/address.ts'
import type { InnerSelector, SecurityAssociation } from '../../../agent/model/association.ts'
import { AssociationError } from '../../../agent/reconcile/association-transaction.ts'
import type { SaExpectation } from '../../solaris/ipseckey/command.ts'

/** @throws AssociationError where the SA differs from what the command takes for granted */
export function refuseUnexpected(sa: SecurityAssociation, expected: SaExpectation): void {
  const differs =
    (expected.authAlgorithm !== undefined && expected.authAlgorithm !== sa.authAlgorithm) ||
    (expected.encrAlgorithm !== undefined && expected.encrAlgorithm !== sa.encrAlgorithm) ||
    (expected.inner !== undefined && innerText(expected.inner) !== innerText(sa.inner))
  if (differs) {
    throw new AssociationError(
      'EINVAL',
      'algorithms and inner addresses of an SA cannot be changed; delete it and add it again',
    )
  }
}

function innerText(inner: InnerSelector | undefined): string {
  if (!inner) return ''
  const { source, destination, sourcePort, destinationPort, protocol } = inner
  return `${formatPrefix(source)} ${sourcePort} ${formatPrefix(destination)} ${destinationPort} ${protocol}`
}
