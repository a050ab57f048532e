/**
 * Diagnostics on standard error.
 *
 * @module
 */
import type { Diagnostic } from '../../../agent/model/diagnostic.ts'
import type { Io } from './io.ts'

/** Shows diagnostics as a compiler would. */
export async function report(diagnostics: readonly Diagnostic[], io: Io): Promise<void> {
  if (diagnostics.length === 0) return
  const { renderDiagnostics } = await import('../../diagnostics.ts')
  io.stderr.write(renderDiagnostics(diagnostics, { color: io.stderr.isTTY }))
}
