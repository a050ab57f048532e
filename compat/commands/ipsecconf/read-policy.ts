/**
 * A policy file from disk to checked rules.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { AlgorithmTable } from '../../../agent/model/algorithm.ts'
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import type { Rule } from '../../../agent/model/policy.ts'
import * as systemResolver from '../../../netlink/libc/names.ts'
import { loadSynchronisedTable } from '../../solaris/ipsecalgs/load.ts'
import { validOnly } from '../../solaris/ipsecalgs/synchronised.ts'
import { parsePolicy } from '../../solaris/ipsecconf/index.ts'
import { CommandError } from '../support/exit.ts'
import type { Io } from '../support/io.ts'

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
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && io.service) {
      io.stdout.write(`Policy configuration file (${file}) does not exist.\nIPsec policy not configured.\n`)
      return undefined
    }
    throw new CommandError(`${file} : Policy config file cannot be opened (${message})`)
  }
}

/**
 * Parses, resolves and checks.
 *
 * @param forKernel the kernel will have to have the algorithms, as far as `ipsecalgs -s` has asked it
 */
export function checkPolicy(
  { text, name }: PolicyText,
  algorithms: AlgorithmTable,
  forKernel = true,
): CheckedPolicy {
  const kernel = forKernel ? loadSynchronisedTable() : undefined
  const available = kernel && { available: validOnly(kernel).algorithms }
  return parsePolicy(text, name, { algorithms, resolver: systemResolver, ...available })
}

/** Ends the command if any diagnostic is an error; all of them have been shown. */
export function stopOnErrors(diagnostics: readonly Diagnostic[]): void {
  const lines = new Set<number>()
  for (const { severity, span } of diagnostics) if (severity === 'error') lines.add(span.line)
  if (lines.size > 0) throw new CommandError(`${lines.size} policy rule(s) contained errors.`)
}
