/**
 * `ipsecconf -c`: checks a file. Needs no privilege and touches no kernel.
 *
 * @module
 */

import { algorithmTable } from '../support/algorithms.ts'
import type { Io } from '../support/io.ts'
import { report } from '../support/report.ts'
import type { Request } from './arguments.ts'
import { checkPolicy, readPolicyText, stopOnErrors } from './read-policy.ts'

export async function checkFile(file: string, { quiet, json, dataPath }: Request, io: Io): Promise<void> {
  const text = await readPolicyText(file, io)
  if (!text) return
  const { rules, diagnostics } = checkPolicy(text, await algorithmTable(io), dataPath)
  if (json) {
    const { plainDiagnostics } = await import('../../diagnostics.ts')
    const found = { rules: rules.length, diagnostics: plainDiagnostics(diagnostics) }
    io.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
  } else await report(diagnostics, io)
  stopOnErrors(diagnostics)
  if (quiet || json) return
  if (rules.length === 0) io.stdout.write('Policy file does not contain any valid rules.\n')
  io.stdout.write('IPsec configuration does not contain any errors.\nIPsec policy was not modified.\n')
}
