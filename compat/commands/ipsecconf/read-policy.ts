/**
 * A policy file from disk to checked rules.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { DataPathChoice } from '../../../agent/datapath/data-path.ts'
import { type Algorithm, type AlgorithmTable, PROTOCOL_ESP } from '../../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { loadSynchronisedTable } from '../../solaris/ipsecalgs/load.ts'
import { validOnly } from '../../solaris/ipsecalgs/synchronised.ts'
import { parsePolicy } from '../../solaris/ipsecconf/index.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'
import { systemReason } from '../support/system-text.ts'

export interface PolicyText {
  readonly text: string
  /** As messages call it. */
  readonly name: string
}

export interface CheckedPolicy {
  readonly rules: readonly Rule[]
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads a policy file; `-` is standard input.
 *
 * @returns `undefined` for a missing file under a service session, which is no error there
 */
export async function readPolicyText(file: string, io: Io): Promise<PolicyText | undefined> {
  if (file === '-') return { text: await io.stdin.text(), name: '<standard input>' }
  try {
    return { text: readFileSync(file, 'utf8'), name: file }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && io.service) {
      io.stdout.write(`Policy configuration file (${file}) does not exist.\nIPsec policy not configured.\n`)
      return undefined
    }
    const reason = systemReason(error as NodeJS.ErrnoException)
    throw new CommandError(`${file} : Policy config file cannot be opened (${reason})`)
  }
}

/**
 * Parses, resolves and checks.
 *
 * @param dataPath who is to carry the packets and so has to have the algorithms; absent where nothing is loaded
 */
export function checkPolicy(
  { text, name }: PolicyText,
  algorithms: AlgorithmTable,
  dataPath: DataPathChoice | undefined,
): CheckedPolicy {
  const available = dataPath && kernelAlgorithms(dataPath)
  return parsePolicy(text, name, { algorithms, resolver: systemResolver, ...(available && { available }) })
}

/**
 * What the kernel has, as far as `ipsecalgs -s` has asked it. Its list says nothing where the software data path does
 * the work: where that was asked for, and on a kernel that has no ESP at all.
 */
function kernelAlgorithms(dataPath: DataPathChoice): readonly Algorithm[] | undefined {
  const table = dataPath === 'software' ? undefined : loadSynchronisedTable()
  const present = table && validOnly(table).algorithms
  const hasEsp = present?.some(({ protocol }) => protocol === PROTOCOL_ESP)
  return hasEsp || dataPath === 'kernel' ? present : undefined
}

/** Ends the command if any diagnostic is an error; all of them have been shown. */
export function stopOnErrors(diagnostics: readonly Diagnostic[]): void {
  const lines = new Set<number>()
  for (const { severity, span } of diagnostics) if (severity === 'error') lines.add(span.line)
  if (lines.size > 0) throw new CommandError(`${lines.size} policy rule(s) contained errors.`)
}
