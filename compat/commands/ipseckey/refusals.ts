/**
 * What is refused though it was understood: an SA that Linux cannot have, and an `update` that names what cannot be
 * changed and says something else than what is there.
 *
 * @module
 */
import type { DataPathKind } from '../../../agent/datapath/data-path.ts'
import { formatPrefix } from '../../../agent/model/address.ts'
import {
  type AlgorithmTable,
  algorithmByNumber,
  PROTOCOL_AH,
  PROTOCOL_ESP,
} from '../../../agent/model/algorithm.ts'
import type { InnerSelector, SecurityAssociation } from '../../../agent/model/association.ts'
import { ALGORITHM_NULL } from '../../../agent/model/default-algorithms.ts'
import { AssociationError } from '../../../agent/reconcile/association-checks.ts'
import { kernelAlgorithmOf } from '../../../agent/translate/kernel-algorithms.ts'
import type { NetlinkError } from '../../../netlink/socket/error.ts'
import type { SaExpectation } from '../../solaris/ipseckey/command.ts'

/** @throws AssociationError where Linux has no such algorithm as the table describes */
export function refuseUnsupported(sa: SecurityAssociation, table: AlgorithmTable): void {
  refuseUnknown(table, PROTOCOL_AH, sa.authAlgorithm, 40)
  if (sa.encrAlgorithm !== ALGORITHM_NULL) refuseUnknown(table, PROTOCOL_ESP, sa.encrAlgorithm, 41)
}

function refuseUnknown(table: AlgorithmTable, protocol: number, number: number, diagnostic: number): void {
  if (number === 0) return
  const row = algorithmByNumber(table, protocol, number)
  if (row && kernelAlgorithmOf(row)) return
  const name = row?.names[0] ?? `number ${number}`
  throw new AssociationError(
    'EINVAL',
    `Linux has no algorithm that is what ipsecalgs calls ${name}`,
    diagnostic,
  )
}

/** Why an SA was refused by whoever carries the packets, and what can be done. */
export function refusalText({ message, hint, code }: NetlinkError, dataPath: DataPathKind): string {
  const lines = [`Kernel returned: ${message}`]
  if (hint !== undefined) lines.push(`help: ${hint}`)
  if (code === 'ERR_XFRM_NO_ALGORITHM' && dataPath === 'kernel') lines.push(SOFTWARE_HAS_IT)
  return lines.join('\n')
}

const SOFTWARE_HAS_IT =
  'help: the software data path has it: take away what is loaded (ipsecconf -F; ipseckey flush), then load rules and\n' +
  '  keys with --datapath software'

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
