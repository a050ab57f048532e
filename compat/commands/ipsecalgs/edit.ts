/**
 * Carries out an edit that the command line asks for, on a file in memory.
 *
 * @module
 */
import type { EditError, EditResult } from '../../solaris/ipsecalgs/edit.ts'
import {
  addAlgorithm,
  addProtocol,
  removeAlgorithm,
  removeProtocol,
  setMode,
} from '../../solaris/ipsecalgs/edit.ts'
import type { AlgorithmFile } from '../../solaris/ipsecalgs/file.ts'
import { tableOf } from '../../solaris/ipsecalgs/file.ts'
import type { Edit, ProtocolReference } from './arguments.ts'

/** Pure: the changed file, or why not. */
export function applyEdit(file: AlgorithmFile, edit: Edit): EditResult {
  if (edit.kind === 'add-protocol') {
    const { number, name, mode } = edit
    return addProtocol(file, { number, name, mode })
  }
  const protocol = protocolNumber(file, edit.protocol)
  if (protocol === undefined) return { error: 'unknown-protocol' satisfies EditError }
  switch (edit.kind) {
    case 'add-algorithm':
      return addAlgorithm(file, { protocol, ...edit.algorithm }, edit.replace)
    case 'remove-algorithm':
      return removeAlgorithm(file, protocol, edit.which)
    case 'remove-protocol':
      return removeProtocol(file, protocol)
    case 'set-mode':
      return setMode(file, protocol, edit.mode)
  }
}

/** The number of the protocol that is meant; where both name and number are given, they have to agree. */
function protocolNumber(file: AlgorithmFile, { name, number }: ProtocolReference): number | undefined {
  if (name === undefined) return number
  const wanted = canonicalName(name)
  const found = tableOf(file).protocols.find((protocol) => canonicalName(protocol.name) === wanted)
  return number === undefined || number === found?.number ? found?.number : undefined
}

/** The manual page has `IPSEC_PROTO_AH` where the delivered file has `PROTO_IPSEC_AH`: both are the same. */
function canonicalName(name: string): string {
  return name.toUpperCase().replace(/^IPSEC_PROTO_/, 'PROTO_IPSEC_')
}
