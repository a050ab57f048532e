/**
 * The kernel's list of algorithms. Linux has no table of its own that could be loaded: `ipsecalgs -s` asks the
 * running kernel for each algorithm of the file and keeps the answers, as a file of the same format in which the
 * VALID flag is set on what the kernel has.
 *
 * @module
 */
import type { Algorithm, AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { FLAG_VALID } from '../../../agent/model/algorithm.ts'
import type { AlgorithmFile } from './file.ts'
import { fileOf, parseAlgorithmFile, tableOf } from './file.ts'

const RELEASE_COMMENT = '# Kernel '

/** The table with its VALID flags set to what the kernel has. */
export function synchronise(table: AlgorithmTable, kernelHas: (entry: Algorithm) => boolean): AlgorithmTable {
  return {
    protocols: table.protocols,
    algorithms: table.algorithms.map((entry) => ({
      ...entry,
      flags: kernelHas(entry) ? entry.flags | FLAG_VALID : entry.flags & ~FLAG_VALID,
    })),
  }
}

/** The file that keeps a synchronised table, marked with the kernel release that it is true for. */
export function synchronisedFile(table: AlgorithmTable, release: string): AlgorithmFile {
  return fileOf(table, [`Kernel ${release}`, 'Written by ipsecalgs -s.'])
}

/**
 * Reads such a file.
 *
 * @returns `undefined` where it was written under another kernel, or is not such a file: it can only be made anew
 */
export function readSynchronised(text: string, release: string): AlgorithmTable | undefined {
  if (!text.startsWith(`${RELEASE_COMMENT}${release}\n`)) return undefined
  const { file } = parseAlgorithmFile(text, '')
  return file && tableOf(file)
}

/** What is left of a synchronised table for use: the rows that the kernel has. */
export function validOnly(table: AlgorithmTable): AlgorithmTable {
  return { ...table, algorithms: table.algorithms.filter((entry) => (entry.flags & FLAG_VALID) !== 0) }
}
