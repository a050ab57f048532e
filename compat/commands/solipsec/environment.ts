/**
 * What configurations are read against on this host.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { loadSynchronisedTable } from '../../solaris/ipsecalgs/load.ts'
import { validOnly } from '../../solaris/ipsecalgs/synchronised.ts'
import type { PolicyEnvironment } from '../../solaris/ipsecconf/index.ts'
import { algorithmTable } from '../support/algorithms.ts'
import type { Io } from '../support/io.ts'
import type { InputFile } from './input.ts'

/** Names of algorithms mean what they mean to the other commands. A table itself needs none. */
export async function environmentFor({ kind }: InputFile, io: Io): Promise<PolicyEnvironment> {
  const algorithms: AlgorithmTable = kind === 'ipsecalgs' ? defaultAlgorithmTable : await algorithmTable(io)
  const kernel = loadSynchronisedTable()
  const available = kernel && { available: validOnly(kernel).algorithms }
  return { algorithms, resolver: systemResolver, ...available }
}
