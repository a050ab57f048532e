/**
 * The algorithm table, for the commands that look names up in it.
 *
 * @module
 */
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import { hasErrors } from '../../../agent/model/diagnostic.ts'
import { loadAlgorithmTable } from '../../solaris/ipsecalgs/load.ts'
import { CommandError } from './exit.ts'
import type { Io } from './io.ts'
import { report } from './report.ts'

/** The table for what gives names a meaning. Ends the command where the file is corrupt. */
export async function algorithmTable(io: Io): Promise<AlgorithmTable> {
  const { table, diagnostics } = loadAlgorithmTable()
  if (!hasErrors(diagnostics)) return table
  await report(diagnostics, io)
  throw new CommandError('the algorithm table is corrupt; no name can be looked up until it is mended')
}

/** The table for what only shows or removes: the built-in one where the file is corrupt. */
export function displayTable(): AlgorithmTable {
  const { table, diagnostics } = loadAlgorithmTable()
  return hasErrors(diagnostics) ? defaultAlgorithmTable : table
}
