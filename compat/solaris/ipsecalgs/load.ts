/**
 * Reads the algorithm tables from disk, for every command that resolves algorithm names.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import { defaultAlgorithmTable } from '../../../agent/model/default-algorithms.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import { runDirectory } from '../../../agent/runtime/directory.ts'
import type { AlgorithmFile } from './file.ts'
import { fileOf, parseAlgorithmFile, tableOf } from './file.ts'
import { readSynchronised } from './synchronised.ts'

export const ALGORITHMS_PATH = '/etc/inet/ipsecalgs'

/** What `ipsecalgs -s` writes. */
export function synchronisedPath(): string {
  return join(runDirectory(), 'ipsecalgs')
}

export interface LoadedTable {
  /** Empty where the file is corrupt: then no name resolves. */
  readonly table: AlgorithmTable
  readonly source: 'file' | 'built-in'
  /** Errors where the file is corrupt. */
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * The table that names are resolved by: the file's, or the built-in one where there is no file.
 *
 * @throws the error of `open(2)` where the file is there but cannot be read
 */
export function loadAlgorithmTable(path: string = ALGORITHMS_PATH): LoadedTable {
  const { file, source, diagnostics } = loadAlgorithmFile(path)
  return { table: file ? tableOf(file) : { protocols: [], algorithms: [] }, source, diagnostics }
}

/** As {@link loadAlgorithmTable}, with comments and layout, for changing it; no `file` where it is corrupt. */
export function loadAlgorithmFile(path: string = ALGORITHMS_PATH): {
  readonly file?: AlgorithmFile
  readonly source: 'file' | 'built-in'
  readonly diagnostics: readonly Diagnostic[]
} {
  const text = readIfThere(path)
  if (text === undefined) return { file: fileOf(defaultAlgorithmTable), source: 'built-in', diagnostics: [] }
  return { ...parseAlgorithmFile(text, path), source: 'file' }
}

/**
 * The kernel's list as `ipsecalgs -s` last wrote it, with the VALID flag on what the kernel has (`validOnly`
 * of `synchronised.ts` leaves the rest out). `undefined` where it was never written, or under another kernel, or
 * where the caller may not look into the runtime folder.
 */
export function loadSynchronisedTable(path: string = synchronisedPath()): AlgorithmTable | undefined {
  const text = readIfThere(path, 'EACCES')
  return text === undefined ? undefined : readSynchronised(text, release())
}

/** A file's text, or `undefined` where there is no file, or where the given other error comes. */
function readIfThere(path: string, alsoAbsent?: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === alsoAbsent) return undefined
    throw error
  }
}
